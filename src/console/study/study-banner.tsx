import type { StudyDetail } from '../../admin/api/schemas/studies.js';
import { OutcomeMark } from '../parts/outcome-mark.js';
import { dateAndTime, dicomDate, span } from '../times.js';
import { CAVEATS, classWord, HEADLINES, percent, STATE_WORDS, URGENCY_WORDS } from '../words.js';
import type { Analysis } from './finding.js';

/** Whose study it is, and what was found, before anything else. */
export function StudyBanner({
  study,
  analysis,
}: {
  readonly study: StudyDetail;
  readonly analysis: Analysis | undefined;
}) {
  const { outcome, state, patient, urgency, msToReport } = study;
  return (
    <header class={`panel banner ${outcome ?? 'none'}`}>
      <div class="patient">
        <h1>{patient.name || 'No name'}</h1>
        <p class="quiet">
          {[
            patient.id && `ID ${patient.id}`,
            patient.birthDate && `born ${dicomDate(patient.birthDate)}`,
            patient.sex,
            study.accessionNumber && `accession ${study.accessionNumber}`,
          ]
            .filter(Boolean)
            .join(' · ')}
        </p>
        <p class="quiet">
          {study.studyDescription || 'No description'} · {dateAndTime(study.receivedAt)} ·{' '}
          {study.sourceAeTitle}
        </p>
      </div>
      <div class="verdict">
        <OutcomeMark outcome={outcome} />
        <div>
          <p class={`headline outcome ${outcome ?? 'none'}`}>
            {outcome === null ? `${STATE_WORDS[state]}: no result yet` : HEADLINES[outcome]}
          </p>
          {analysis !== undefined && <Answer analysis={analysis} />}
          {outcome !== null && <p>{CAVEATS[outcome]}</p>}
          {outcome !== null && state !== 'reported' && <p class="quiet">{STATE_WORDS[state]}</p>}
          <p class="quiet">
            {[
              urgency && `Urgency: ${URGENCY_WORDS[urgency].toLowerCase()}`,
              msToReport !== null && `reported ${span(msToReport)} after the last slice`,
              analysis?.model && `${analysis.model.name} ${analysis.model.version}`,
            ]
              .filter(Boolean)
              .join(' · ')}
          </p>
        </div>
      </div>
      <p class="research">For research use only. Not for diagnostic use.</p>
    </header>
  );
}

/** The impression of the report in one or two lines. */
function Answer({ analysis }: { readonly analysis: Analysis }) {
  const any = analysis.classes.find(({ name }) => name === 'any');
  const present = analysis.classes
    .filter(({ name, presence }) => name !== 'any' && presence === 'present')
    .toSorted((a, b) => b.probability - a.probability);
  return (
    <>
      {analysis.reason !== null && <p>Reason: {analysis.reason.text}</p>}
      {any !== undefined && (
        <p class="answer">
          {present.map(({ name, probability }) => (
            <span key={name}>
              {classWord(name)} <b>{percent(probability)}</b>
            </span>
          ))}
          <span>
            {classWord('any')} <b>{percent(any.probability)}</b>
          </span>
        </p>
      )}
    </>
  );
}
