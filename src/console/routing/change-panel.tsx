import type { RulesDiff } from '../../admin/api/schemas/routing.js';
import { useConnection } from '../api/context.js';
import { useResource } from '../api/resource.js';
import { Loaded } from '../parts/loaded.js';
import { LineDiffView } from './line-diff-view.js';

/** What the draft changes: rule by rule in what they mean, and line by line. */
export function ChangePanel({
  before,
  draft,
  isSound,
}: {
  readonly before: string;
  readonly draft: string;
  readonly isSound: boolean;
}) {
  return (
    <>
      <h3>Rules</h3>
      {isSound ? <Rules draft={draft} /> : <p class="quiet">Mend what is wrong first.</p>}
      <h3>Text</h3>
      <LineDiffView before={before} after={draft} />
    </>
  );
}

function Rules({ draft }: { readonly draft: string }) {
  const { api } = useConnection();
  const found = useResource(draft, (signal) =>
    api.post<RulesDiff>('/routing/diff', { text: draft }, signal),
  );
  return (
    <Loaded resource={found}>
      {({ changes }) =>
        changes.length === 0 ? (
          <p class="quiet">No rule decides otherwise than before.</p>
        ) : (
          <ul>
            {changes.map(({ route, change, parts }) => (
              <li key={route}>
                <b>{route}</b> {change}
                {parts !== undefined && `: ${parts.join(', ')}`}
              </li>
            ))}
          </ul>
        )
      }
    </Loaded>
  );
}
