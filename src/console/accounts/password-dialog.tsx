import { useState } from 'preact/hooks';
import type { User } from '../../admin/api/schemas/users.js';
import { NewPassword } from '../access/new-password.js';
import { useConnection } from '../api/context.js';
import { ConfirmDialog } from '../parts/dialog.js';

export function PasswordDialog({
  user,
  close,
  done,
}: {
  readonly user: User;
  readonly close: () => void;
  readonly done: (text: string) => void;
}) {
  const { api } = useConnection();
  const [password, setPassword] = useState<string>();
  return (
    <ConfirmDialog
      title={`New password for ${user.name}`}
      action="Set the password"
      close={close}
      disabled={password === undefined}
      run={async () => {
        const path = `/users/${encodeURIComponent(user.name)}`;
        await api.request('PATCH', path, { body: { password } });
        done(`${user.name} has a new password.`);
      }}
    >
      <p>All sessions of the account end, and so does a lock after failed sign-ins.</p>
      <div class="form">
        <NewPassword choose={setPassword} />
      </div>
    </ConfirmDialog>
  );
}
