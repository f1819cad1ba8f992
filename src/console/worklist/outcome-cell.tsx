import type { StudyState, StudySummary } from '../../admin/api/schemas/studies.js';
import { OutcomeMark } from '../parts/outcome-mark.js';
import { classWord, OUTCOME_WORDS, percent, STATE_WORDS } from '../words.js';

/** What the node says of a study; before it has said anything, how far it is. */
export function OutcomeCell({ study }: { readonly study: StudySummary }) {
  const { outcome, state, conflicts } = study;
  const finding = findingOf(study);
  return (
    <div class="outcome-cell">
      <OutcomeMark outcome={outcome} />
      <div>
        <div class={`outcome ${outcome ?? 'none'}`}>
          {outcome === null ? STATE_WORDS[state] : OUTCOME_WORDS[outcome]}
        </div>
        {finding && <div>{finding}</div>}
        {outcome !== null && ongoing(state) && <div class="quiet">{ongoing(state)}</div>}
        {conflicts > 0 && <div class="alarm">Conflicting images</div>}
      </div>
    </div>
  );
}

/** Such as `Subdural, 93 %`: the type that leads, and how probable any hemorrhage is. */
function findingOf({ outcome, leadingClass, probability }: StudySummary): string {
  if (probability === null) return '';
  const any = `any hemorrhage ${percent(probability)}`;
  const leading = outcome === 'negative' ? null : leadingClass;
  return leading === null ? capital(any) : `${classWord(leading)} · ${any}`;
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** A study that has an outcome can be on its way to another: what still happens. */
function ongoing(state: StudyState): string {
  return state === 'reported' ? '' : STATE_WORDS[state];
}
