import { useState } from 'preact/hooks';
import type { Token } from '../../admin/api/schemas/users.js';
import { useConnection } from '../api/context.js';
import { useResource } from '../api/resource.js';
import { ConfirmDialog } from '../parts/dialog.js';
import { Loaded } from '../parts/loaded.js';
import { useToast } from '../shell/toasts.js';
import { dateAndTime } from '../times.js';
import { NewTokenDialog } from './new-token-dialog.js';

const SCOPES: Readonly<Record<Token['scope'], string>> = {
  read: 'Read',
  operate: 'Read, send and analyse again',
  admin: 'Everything',
};

export function TokenSection() {
  const { api } = useConnection();
  const toast = useToast();
  const found = useResource('tokens', (signal) => api.get<{ tokens: Token[] }>('/tokens', signal));
  const [adding, setAdding] = useState(false);
  const [revoked, setRevoked] = useState<Token>();
  const [secret, setSecret] = useState<{ name: string; secret: string }>();
  return (
    <section>
      <div class="section-head">
        <h2>API tokens</h2>
        <button type="button" onClick={() => setAdding(true)}>
          Make a token…
        </button>
      </div>
      {secret !== undefined && (
        <div class="note warning" role="status">
          <p>
            The token "{secret.name}". It is shown this once: copy it now, only its hash is kept.
          </p>
          <code class="secret">{secret.secret}</code>
        </div>
      )}
      <Loaded resource={found}>
        {({ tokens }) =>
          tokens.length === 0 ? (
            <p class="quiet">No program has a token.</p>
          ) : (
            <TokenTable tokens={tokens} revoke={setRevoked} />
          )
        }
      </Loaded>
      {adding && (
        <NewTokenDialog
          close={() => setAdding(false)}
          done={(token) => {
            setSecret(token);
            found.reload();
          }}
        />
      )}
      {revoked !== undefined && (
        <ConfirmDialog
          title={`Revoke "${revoked.name}"?`}
          action="Revoke"
          close={() => setRevoked(undefined)}
          run={async () => {
            await api.request('DELETE', `/tokens/${revoked.id}`);
            toast(`"${revoked.name}" is revoked.`);
            found.reload();
          }}
        >
          <p>Whatever uses it is refused from now on.</p>
        </ConfirmDialog>
      )}
    </section>
  );
}

function TokenTable({
  tokens,
  revoke,
}: {
  readonly tokens: readonly Token[];
  readonly revoke: (token: Token) => void;
}) {
  return (
    <table class="cards">
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">May</th>
          <th scope="col">Made</th>
          <th scope="col">Expires</th>
          <th scope="col">Last used</th>
          <th scope="col">
            <span class="hidden">Actions</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {tokens.map((token) => (
          <tr key={token.id}>
            <td>
              <b>{token.name}</b>
            </td>
            <td data-name="May">{SCOPES[token.scope]}</td>
            <td data-name="Made">
              {dateAndTime(token.createdAt)} by {token.createdBy}
            </td>
            <td data-name="Expires">
              {token.expiresAt === null ? 'Never' : dateAndTime(token.expiresAt)}
            </td>
            <td data-name="Last used">
              {token.lastUsedAt === null ? 'Never' : dateAndTime(token.lastUsedAt)}
            </td>
            <td>
              <button type="button" onClick={() => revoke(token)}>
                Revoke…<span class="hidden"> {token.name}</span>
              </button>
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
