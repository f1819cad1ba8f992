import { useState } from 'preact/hooks';
import type { Session } from '../../admin/api/schemas/session.js';
import { type ApiClient, messageOf } from '../api/client.js';
import { ErrorNote } from '../parts/notes.js';
import { leaveSetUp } from '../router.js';
import { AccessFrame } from './access-frame.js';
import { NewPassword } from './new-password.js';

/** Where the one-time link of the first start leads: the first administrator is made here. */
export function SetUpPage({
  api,
  enter,
  token,
}: {
  readonly api: ApiClient;
  readonly enter: (session: Session) => void;
  readonly token: string;
}) {
  const [user, setUser] = useState('');
  const [password, setPassword] = useState<string>();
  const [running, setRunning] = useState(false);
  const [error, setError] = useState<string>();

  const setUp = async () => {
    setRunning(true);
    setError(undefined);
    try {
      const session = await api.post<Session>('/setup', { token, user, password });
      leaveSetUp();
      enter(session);
    } catch (reason) {
      setError(messageOf(reason));
      setRunning(false);
    }
  };
  return (
    <AccessFrame title="Set up the first administrator">
      <p class="quiet">
        This link works once. The account you make here can add other users, change the routing and
        see everything that is logged.
      </p>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          setUp();
        }}
      >
        {error !== undefined && <ErrorNote text={error} />}
        <label>
          User
          <input
            value={user}
            onInput={({ currentTarget }) => setUser(currentTarget.value)}
            autocomplete="username"
            autocapitalize="none"
            spellcheck={false}
            required
          />
        </label>
        <NewPassword choose={setPassword} />
        <button type="submit" class="main" disabled={running || password === undefined}>
          Create the account
        </button>
      </form>
    </AccessFrame>
  );
}
