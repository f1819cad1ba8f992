import type { CheckResult } from '../../admin/api/schemas/destinations.js';
import { objectWord } from '../words.js';

/** What a PACS takes of what Vigil makes, and what to do about the rest. */
export function CheckOutcome({ result }: { readonly result: CheckResult }) {
  if (!result.answered) return <span class="alarm">✕ {result.message}</span>;
  return (
    <>
      <p class={result.ok ? 'done' : 'alarm'}>
        {result.ok
          ? '✓ Takes all that routes send there'
          : '✕ Refuses something that a route sends'}
      </p>
      <ul>
        {result.kinds.map(({ kind, transferSyntaxes, routes, ok, advice }) => (
          <li key={kind}>
            <b>{objectWord(kind)}</b>:{' '}
            {transferSyntaxes.length === 0 ? 'refused' : transferSyntaxes.join(', ')}
            <span class="quiet">
              {routes.length === 0 ? ' (no route sends it)' : ` (sent by ${routes.join(', ')})`}
            </span>
            {!ok && advice === undefined && <span class="alarm"> ✕</span>}
            {advice !== undefined && <div class="warned">{advice}</div>}
          </li>
        ))}
        <li>
          <b>C-FIND</b>: {result.find.accepted ? 'answered' : 'refused'}
          {result.find.advice !== undefined && <div class="warned">{result.find.advice}</div>}
        </li>
      </ul>
    </>
  );
}
