import { useState } from 'preact/hooks';
import type { Role } from '../../admin/api/schemas/common.js';
import type { User, UserChange } from '../../admin/api/schemas/users.js';
import { messageOf } from '../api/client.js';
import { useConnection } from '../api/context.js';
import { useResource } from '../api/resource.js';
import { ConfirmDialog } from '../parts/dialog.js';
import { Loaded } from '../parts/loaded.js';
import { useToast } from '../shell/toasts.js';
import { dateAndTime } from '../times.js';
import { NewUserDialog } from './new-user-dialog.js';
import { PasswordDialog } from './password-dialog.js';
import { RoleSelect } from './role-select.js';

type Asked =
  | { readonly what: 'add' }
  | { readonly what: 'password' | 'remove'; readonly user: User };

export function UserSection() {
  const { api } = useConnection();
  const toast = useToast();
  const found = useResource('users', (signal) => api.get<{ users: User[] }>('/users', signal));
  const [asked, setAsked] = useState<Asked>();
  const finish = (text: string) => {
    toast(text);
    found.reload();
  };
  const change = (user: User, changes: UserChange, text: string) => {
    api.request('PATCH', `/users/${encodeURIComponent(user.name)}`, { body: changes }).then(
      () => finish(text),
      (error: unknown) => {
        toast(messageOf(error), true);
        found.reload();
      },
    );
  };
  return (
    <section>
      <div class="section-head">
        <h2>Users</h2>
        <button type="button" onClick={() => setAsked({ what: 'add' })}>
          Add a user…
        </button>
      </div>
      <Loaded resource={found}>
        {({ users }) => (
          <table class="cards">
            <thead>
              <tr>
                <th scope="col">Name</th>
                <th scope="col">Role</th>
                <th scope="col">State</th>
                <th scope="col">Last sign-in</th>
                <th scope="col">
                  <span class="hidden">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {users.map((user) => (
                <UserRow
                  key={user.name}
                  user={user}
                  change={(changes, text) => change(user, changes, text)}
                  ask={(what) => setAsked({ what, user })}
                />
              ))}
            </tbody>
          </table>
        )}
      </Loaded>
      {asked?.what === 'add' && <NewUserDialog close={() => setAsked(undefined)} done={finish} />}
      {asked?.what === 'password' && (
        <PasswordDialog user={asked.user} close={() => setAsked(undefined)} done={finish} />
      )}
      {asked?.what === 'remove' && (
        <ConfirmDialog
          title={`Remove ${asked.user.name}?`}
          action="Remove"
          close={() => setAsked(undefined)}
          run={async () => {
            await api.request('DELETE', `/users/${encodeURIComponent(asked.user.name)}`);
            finish(`${asked.user.name} is removed.`);
          }}
        >
          <p>All sessions of the account end. What it did stays in the audit.</p>
        </ConfirmDialog>
      )}
    </section>
  );
}

function UserRow({
  user,
  change,
  ask,
}: {
  readonly user: User;
  readonly change: (changes: UserChange, text: string) => void;
  readonly ask: (what: 'password' | 'remove') => void;
}) {
  const { name, role, origin, disabled, lastSignInAt } = user;
  return (
    <tr>
      <td>
        <div>
          <b>{name}</b>
          {origin === 'oidc' && <div class="quiet">from the identity provider</div>}
        </div>
      </td>
      <td data-name="Role">
        <RoleSelect
          label={`Role of ${name}`}
          role={role}
          choose={(next: Role) => change({ role: next }, `${name} is ${next} now.`)}
        />
      </td>
      <td data-name="State" class={disabled || isLocked(user) ? 'warned' : ''}>
        {stateOf(user)}
      </td>
      <td data-name="Last sign-in" class="number">
        {lastSignInAt === null ? 'Never' : dateAndTime(lastSignInAt)}
      </td>
      <td>
        <div class="row">
          {origin === 'local' && (
            <button type="button" onClick={() => ask('password')}>
              New password…<span class="hidden"> for {name}</span>
            </button>
          )}
          <button
            type="button"
            onClick={() =>
              change({ disabled: !disabled }, `${name} is ${disabled ? 'enabled' : 'disabled'}.`)
            }
          >
            {disabled ? 'Enable' : 'Disable'}
            <span class="hidden"> {name}</span>
          </button>
          <button type="button" onClick={() => ask('remove')}>
            Remove…<span class="hidden"> {name}</span>
          </button>
        </div>
      </td>
    </tr>
  );
}

const isLocked = ({ lockedUntil }: User) => lockedUntil !== null && lockedUntil > Date.now();

function stateOf(user: User): string {
  if (user.disabled) return 'Disabled';
  if (!isLocked(user)) return 'Active';
  return `Locked after failed sign-ins until ${dateAndTime(user.lockedUntil ?? 0)}`;
}
