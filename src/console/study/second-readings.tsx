import { dateAndTime } from '../times.js';
import { classWord, OUTCOME_WORDS, percent } from '../words.js';
import type { Analysis } from './finding.js';

/** What other models said of the same series; nothing where none has read it. */
export function SecondReadings({ analysis }: { readonly analysis: Analysis }) {
  const { secondReadings } = analysis;
  if (secondReadings.length === 0) return null;
  return (
    <section class="panel">
      <h2>Second readers</h2>
      <p class="quiet">For comparison. No report rests on them.</p>
      <ul class="second-readings">
        {secondReadings.map((reading) => (
          <li key={reading.reader}>
            <b>{OUTCOME_WORDS[reading.outcome]}</b> {said(reading)}
            <br />
            <span class="quiet" title={dateAndTime(reading.readAt)}>
              {reading.reader} · {reading.model.name} {reading.model.version}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Why, or which types it found and how probable any is. */
function said({ reason, classes }: Analysis['secondReadings'][number]): string {
  if (reason !== null) return reason.text;
  const any = classes.find(({ name }) => name === 'any');
  const present = classes
    .filter(({ name, presence }) => name !== 'any' && presence === 'present')
    .map(({ name }) => classWord(name).toLowerCase());
  return [...present, ...(any === undefined ? [] : [`any ${percent(any.probability)}`])].join(', ');
}
