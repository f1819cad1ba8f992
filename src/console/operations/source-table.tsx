import type { Operations } from '../../admin/api/schemas/operations.js';
import { ago, dateAndTime, span } from '../times.js';

type Source = Operations['sources'][number];

/** Who sends, when last, and who has fallen silent: a scanner that sends nothing raises no other alarm. */
export function SourceTable({ sources }: { readonly sources: readonly Source[] }) {
  return (
    <section>
      <h2>Scanners</h2>
      {sources.length === 0 ? (
        <p class="quiet">Nobody has sent anything yet.</p>
      ) : (
        <table class="cards">
          <thead>
            <tr>
              <th scope="col">AE title</th>
              <th scope="col">State</th>
              <th scope="col">Last seen</th>
              <th scope="col">Images, 24 h</th>
              <th scope="col">Broken associations, 24 h</th>
            </tr>
          </thead>
          <tbody>
            {sources.map((source) => (
              <tr key={source.aeTitle}>
                <td>
                  <b>{source.aeTitle}</b>
                </td>
                <td data-name="State">
                  {source.silent ? (
                    <span class="alarm">✕ Silent{usualGap(source)}</span>
                  ) : (
                    <span class="done">✓ As usual</span>
                  )}
                </td>
                <td data-name="Last seen" title={dateAndTime(source.lastSeenAt)}>
                  {ago(source.lastSeenAt)}
                </td>
                <td data-name="Images, 24 h" class="number">
                  {source.images24h.toLocaleString('en')}
                </td>
                <td
                  data-name="Broken, 24 h"
                  class={source.abortedAssociations24h > 0 ? 'number warned' : 'number'}
                >
                  {source.abortedAssociations24h}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

const usualGap = ({ usualGapMs }: Source) =>
  usualGapMs === null ? '' : `: never longer than ${span(usualGapMs)} before`;
