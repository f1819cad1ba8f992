import { useState } from 'preact/hooks';
import type { Session } from '../../admin/api/schemas/session.js';
import { NewPassword } from '../access/new-password.js';
import { useConnection } from '../api/context.js';
import { ConfirmDialog } from '../parts/dialog.js';
import { useToast } from './toasts.js';

export function OwnPasswordDialog({
  close,
  entered,
}: {
  readonly close: () => void;
  /** Changing it ends every session and begins this one. */
  readonly entered: (session: Session) => void;
}) {
  const { api } = useConnection();
  const toast = useToast();
  const [current, setCurrent] = useState('');
  const [password, setPassword] = useState<string>();
  return (
    <ConfirmDialog
      title="Change your password"
      action="Change"
      close={close}
      disabled={current === '' || password === undefined}
      run={async () => {
        const body = { current, password };
        entered(await api.request<Session>('PUT', '/session/password', { body }));
        toast('Your password is changed, and your other sessions are ended.');
      }}
    >
      <div class="form">
        <label>
          Password now
          <input
            type="password"
            value={current}
            onInput={({ currentTarget }) => setCurrent(currentTarget.value)}
            autocomplete="current-password"
            required
          />
        </label>
        <NewPassword choose={setPassword} />
      </div>
    </ConfirmDialog>
  );
}
