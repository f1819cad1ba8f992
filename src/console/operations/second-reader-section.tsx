import type { Operations } from '../../admin/api/schemas/operations.js';
import { href } from '../router.js';
import { ago, dateAndTime } from '../times.js';
import { count, OUTCOME_WORDS, OUTCOMES } from '../words.js';

type Reader = Operations['secondReaders'][number];

/** Models on trial beside the one that decides: whether they read, and where they say something else. */
export function SecondReaderSection({ readers }: { readonly readers: readonly Reader[] }) {
  if (readers.length === 0) return null;
  return (
    <section>
      <h2>Second readers</h2>
      <p class="quiet">
        Models that read each series once it is reported. No report rests on them. Last 30 days.
      </p>
      {readers.map((reader) => (
        <SecondReader key={reader.name} reader={reader} />
      ))}
    </section>
  );
}

function SecondReader({ reader }: { readonly reader: Reader }) {
  const { name, model, problem, due, compared } = reader;
  return (
    <section class="panel">
      <h3>
        {name}
        {model !== null && ` · ${model.name} ${model.version}`}
      </h3>
      {problem === null ? (
        <p>
          <span class="done">✓ Reads</span>
          {due > 0 && `, ${count(due, 'series waits', 'series wait')}`}
        </p>
      ) : (
        <p class="note warning">Does not read: {problem}</p>
      )}
      {compared.length > 0 && <Agreement reader={reader} />}
      <Contradictions reader={reader} />
    </section>
  );
}

/** Rows: the model that decides; columns: this one. */
function Agreement({ reader: { name, compared } }: { readonly reader: Reader }) {
  const studies = (deciding: string, outcome: string) =>
    compared.find((line) => line.deciding === deciding && line.outcome === outcome)?.studies ?? 0;
  const rows = OUTCOMES.filter((one) => compared.some(({ deciding }) => deciding === one));
  const columns = OUTCOMES.filter((one) => compared.some(({ outcome }) => outcome === one));
  return (
    <div class="agreement">
      <table>
        <thead>
          <tr>
            <th scope="col">Report</th>
            {columns.map((outcome) => (
              <th key={outcome} scope="col" class="number">
                {name}: {OUTCOME_WORDS[outcome].toLowerCase()}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((deciding) => (
            <tr key={deciding}>
              <th scope="row">{OUTCOME_WORDS[deciding]}</th>
              {columns.map((outcome) => (
                <td key={outcome} class={deciding === outcome ? 'number same' : 'number'}>
                  {studies(deciding, outcome)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Contradictions({ reader: { name, contradicted } }: { readonly reader: Reader }) {
  if (contradicted.length === 0) return null;
  return (
    <>
      <h4>Contradictions</h4>
      <ul class="contradictions">
        {contradicted.map(({ studyInstanceUid, deciding, outcome, readAt }) => (
          <li key={`${studyInstanceUid} ${readAt}`}>
            <a href={href(['studies', studyInstanceUid])}>
              Report {deciding}, {name} {outcome}
            </a>{' '}
            <span class="quiet" title={dateAndTime(readAt)}>
              {ago(readAt)}
            </span>
          </li>
        ))}
      </ul>
    </>
  );
}
