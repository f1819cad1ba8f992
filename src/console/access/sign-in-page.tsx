import { useEffect, useState } from 'preact/hooks';
import type { Session, SignInOptions } from '../../admin/api/schemas/session.js';
import { type ApiClient, messageOf } from '../api/client.js';
import { ErrorNote, Note } from '../parts/notes.js';
import { AccessFrame } from './access-frame.js';

/** Why the identity provider signed nobody in, or out; the way back here has the code behind the #. */
const REFUSALS: Readonly<Record<string, string>> = {
  'provider-unreachable': 'The identity provider cannot be reached. A local account still works.',
  'provider-refused': 'The identity provider did not sign you in.',
  'client-refused':
    'The identity provider does not accept the client ID or the secret that Vigil has for it. Ask an admin.',
  'attempt-unknown': 'That sign-in took too long, or was used already. Try once more.',
  'no-role': 'Your account has no role in Vigil. Ask an admin for one.',
  'no-name': 'The identity provider does not give your name.',
  'name-taken': 'There is a local account with your name. Ask an admin.',
  disabled: 'Your account is disabled.',
  'still-at-provider':
    'You are signed out of Vigil, but the identity provider could not be asked to end its session. Close the browser.',
};

function refusalOfProvider(): string | undefined {
  const refusal = REFUSALS[location.hash.slice(1)];
  // The part behind the # names a page otherwise, which there is none of.
  if (refusal !== undefined) history.replaceState(null, '', location.pathname);
  return refusal;
}

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
  const [error, setError] = useState<string | undefined>(refusalOfProvider);
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
