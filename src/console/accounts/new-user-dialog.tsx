import { useState } from 'preact/hooks';
import type { Role } from '../../admin/api/schemas/common.js';
import { NewPassword } from '../access/new-password.js';
import { useConnection } from '../api/context.js';
import { ConfirmDialog } from '../parts/dialog.js';
import { RoleSelect } from './role-select.js';

export function NewUserDialog({
  close,
  done,
}: {
  readonly close: () => void;
  readonly done: (text: string) => void;
}) {
  const { api } = useConnection();
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [password, setPassword] = useState<string>();
  return (
    <ConfirmDialog
      title="Add a user"
      action="Add"
      close={close}
      disabled={name === '' || password === undefined}
      run={async () => {
        await api.post('/users', { name, role, password });
        done(`${name} is added.`);
      }}
    >
      <div class="form">
        <label>
          Name, in lower case
          <input
            value={name}
            onInput={({ currentTarget }) => setName(currentTarget.value)}
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            maxLength={64}
            required
          />
        </label>
        <div>
          <RoleSelect label="Role" role={role} choose={setRole} />
        </div>
        <NewPassword choose={setPassword} />
      </div>
    </ConfirmDialog>
  );
}
