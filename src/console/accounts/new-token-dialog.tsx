import { useState } from 'preact/hooks';
import type { NewToken, Scope, Token } from '../../admin/api/schemas/users.js';
import { useConnection } from '../api/context.js';
import { ConfirmDialog } from '../parts/dialog.js';

const LIFETIMES = [
  { days: 30, word: '30 days' },
  { days: 365, word: 'One year' },
  { days: 0, word: 'Until it is revoked' },
];

export function NewTokenDialog({
  close,
  done,
}: {
  readonly close: () => void;
  readonly done: (token: Token & { readonly secret: string }) => void;
}) {
  const { api } = useConnection();
  const [name, setName] = useState('');
  const [scope, setScope] = useState<Scope>('read');
  const [days, setDays] = useState(365);
  return (
    <ConfirmDialog
      title="Make an API token"
      action="Make it"
      close={close}
      disabled={name.trim() === ''}
      run={async () => {
        const wanted: NewToken = { name: name.trim(), scope, ...(days > 0 ? { days } : {}) };
        done(await api.post('/tokens', wanted));
      }}
    >
      <div class="form">
        <label>
          What it is for
          <input
            value={name}
            onInput={({ currentTarget }) => setName(currentTarget.value)}
            maxLength={64}
            autocomplete="off"
            required
          />
        </label>
        <label>
          May
          <select
            value={scope}
            onChange={({ currentTarget }) => setScope(currentTarget.value as Scope)}
          >
            <option value="read">read</option>
            <option value="operate">read, send and analyse again</option>
            <option value="admin">do everything</option>
          </select>
        </label>
        <label>
          Lasts
          <select
            value={String(days)}
            onChange={({ currentTarget }) => setDays(Number(currentTarget.value))}
          >
            {LIFETIMES.map((one) => (
              <option key={one.days} value={String(one.days)}>
                {one.word}
              </option>
            ))}
          </select>
        </label>
      </div>
    </ConfirmDialog>
  );
}
