import { classWord, percent } from '../words.js';
import { type Analysis, rankedClasses } from './finding.js';

const PRESENCES = { present: 'Present', absent: 'Absent', undetermined: 'Undetermined' } as const;

/** How probable each class is for the study; nothing where the study was not analysed. */
export function ClassTable({ analysis }: { readonly analysis: Analysis }) {
  if (analysis.classes.length === 0) return null;
  return (
    <section class="panel">
      <h2>Classes</h2>
      <table class="classes">
        <thead class="hidden">
          <tr>
            <th scope="col">Class</th>
            <th scope="col">Probability</th>
            <th scope="col">Called</th>
          </tr>
        </thead>
        <tbody>
          {rankedClasses(analysis).map(({ name, probability, presence }) => (
            <tr key={name} class={presence}>
              <th scope="row">{classWord(name)}</th>
              <td>
                <span class="bar" aria-hidden="true">
                  <span style={{ width: `${100 * probability}%` }} />
                </span>
                <span class="number">{percent(probability)}</span>
              </td>
              <td>{PRESENCES[presence]}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
