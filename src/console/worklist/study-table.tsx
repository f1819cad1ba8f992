import type { StudySummary } from '../../admin/api/schemas/studies.js';
import { href } from '../router.js';
import { ago, dateAndTime, dicomDate, span, when } from '../times.js';
import { count, URGENCY_WORDS } from '../words.js';
import { DeliveryCell } from './delivery-cell.js';
import { OutcomeCell } from './outcome-cell.js';

const COLUMNS = [
  'Outcome',
  'Patient',
  'Study',
  'Received',
  'Urgency',
  'Time to report',
  'Delivery',
];

export function StudyTable({
  title,
  studies,
  live = false,
}: {
  readonly title: string;
  readonly studies: readonly StudySummary[];
  /** Whether a screen reader hears how many there are when that changes. */
  readonly live?: boolean;
}) {
  return (
    <section>
      <h2>
        {title}{' '}
        <span class="quiet" role={live ? 'status' : undefined}>
          {count(studies.length, 'study', 'studies')}
        </span>
      </h2>
      <table class="cards worklist">
        <thead>
          <tr>
            {COLUMNS.map((name) => (
              <th key={name} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {studies.map((study) => (
            <StudyRow key={study.studyInstanceUid} study={study} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

function StudyRow({ study }: { readonly study: StudySummary }) {
  const { patient, outcome, urgency, msToReport, receivedAt } = study;
  return (
    <tr class={`study ${outcome ?? 'none'}`}>
      <td>
        <OutcomeCell study={study} />
      </td>
      <td>
        <a class="whole-row" href={href(['studies', study.studyInstanceUid])}>
          {patient.name || 'No name'}
        </a>
        <div class="quiet">
          {[patient.id, patient.birthDate && dicomDate(patient.birthDate), patient.sex]
            .filter(Boolean)
            .join(' · ')}
        </div>
      </td>
      <td data-name="Study">
        <div>
          <div>{study.studyDescription || 'No description'}</div>
          <div class="quiet">
            {study.accessionNumber && `${study.accessionNumber} · `}
            {count(study.slices, 'image')} from {study.sourceAeTitle}
          </div>
        </div>
      </td>
      <td data-name="Received">
        <div>
          <time
            class="number"
            dateTime={new Date(receivedAt).toISOString()}
            title={dateAndTime(receivedAt)}
          >
            {when(receivedAt)}
          </time>
          <div class="quiet">{ago(receivedAt)}</div>
        </div>
      </td>
      <td data-name="Urgency">{urgency === null ? '' : URGENCY_WORDS[urgency]}</td>
      <td data-name="Time to report" class="number">
        {msToReport === null ? '' : span(msToReport)}
      </td>
      <td data-name="Delivery">
        <DeliveryCell study={study} />
      </td>
    </tr>
  );
}
