import { useEffect, useState } from 'preact/hooks';
import type { Session, SignInOptions } from '../../admin/api/schemas/session.js';
import { type ApiClient, messageOf } from '../api/client.js';
import { ErrorNote, Note } from '../parts/notes.js';
import { AccessFrame } from './access-frame.js';

export function SignInPage({
  api,
  enter,
}: {
  readonly api: ApiClient;
  readonly enter: (session: Session) => void;
}) {
  const [user, setUser] = useState('');
  const [password, setPassword] = useState('');
  const [running, setRunning] = useState(false);
  const [error, setError] = useState<string>();
  const [options, setOptions] = useState<SignInOptions>();
  useEffect(() => {
    api.get<SignInOptions>('/sign-in').then(setOptions, (reason) => setError(messageOf(reason)));
  }, [api]);

  const signIn = async () => {
    setRunning(true);
    setError(undefined);
    try {
      enter(await api.post<Session>('/session', { user, password }));
    } catch (reason) {
      setError(messageOf(reason));
      setPassword('');
      setRunning(false);
    }
  };
  return (
    <AccessFrame title="Sign in">
      {options?.setUpNeeded && (
        <Note>
          <p>
            There is no account yet. Open the set-up link that Vigil printed when it started;{' '}
            <code>vigil users setup-link</code> prints a new one.
          </p>
        </Note>
      )}
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          signIn();
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
        <label>
          Password
          <input
            type="password"
            value={password}
            onInput={({ currentTarget }) => setPassword(currentTarget.value)}
            autocomplete="current-password"
            required
          />
        </label>
        <button type="submit" class="main" disabled={running}>
          Sign in
        </button>
      </form>
      {options?.oidc && (
        <p class="elsewhere">
          <a class="button" href={options.oidc.url}>
            {options.oidc.title}
          </a>
        </p>
      )}
    </AccessFrame>
  );
}
