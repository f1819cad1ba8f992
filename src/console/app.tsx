import { useCallback, useEffect, useMemo, useState } from 'preact/hooks';
import type { Session, SignedOut } from '../admin/api/schemas/session.js';
import { SetUpPage } from './access/set-up-page.js';
import { SignInPage } from './access/sign-in-page.js';
import { ApiClient, ApiError, messageOf } from './api/client.js';
import { type Connection, ConnectionContext } from './api/context.js';
import { LiveEvents } from './api/live.js';
import { ErrorNote } from './parts/notes.js';
import { setUpSecret } from './router.js';
import { Pages } from './shell/pages.js';
import { Shell } from './shell/shell.js';
import { ToastArea } from './shell/toasts.js';

/** Whoever has no session logs in; everything else stands behind that. */
export function App() {
  const [session, setSession] = useState<Session>();
  const [state, setState] = useState<'asking' | 'known' | 'leaving' | 'unreachable'>('asking');
  const [error, setError] = useState('');
  const api = useMemo(() => new ApiClient(() => setSession(undefined)), []);

  const enter = useCallback(
    (entered: Session | undefined) => {
      api.use(entered);
      setSession(entered);
      setState('known');
    },
    [api],
  );

  const leave = useCallback(
    (signedOut: SignedOut | undefined) => {
      enter(undefined);
      if (signedOut === undefined) return;
      // Nothing of a patient stands there while the provider is asked.
      setState('leaving');
      location.replace(signedOut.next);
    },
    [enter],
  );

  const ask = useCallback(() => {
    setState('asking');
    api.get<Session>('/session').then(enter, (reason: unknown) => {
      if (reason instanceof ApiError && reason.status === 401) return enter(undefined);
      setError(messageOf(reason));
      setState('unreachable');
    });
  }, [api, enter]);
  useEffect(ask, [ask]);

  if (state === 'asking' || state === 'leaving')
    return (
      <p class="alone" role="status">
        {state === 'asking' ? 'Opening Vigil…' : 'Signing out…'}
      </p>
    );
  if (state === 'unreachable') {
    return (
      <main class="alone">
        <ErrorNote text={error} retry={ask} />
      </main>
    );
  }
  if (session === undefined) {
    const secret = setUpSecret();
    return secret === undefined ? (
      <SignInPage api={api} enter={enter} />
    ) : (
      <SetUpPage api={api} enter={enter} token={secret} />
    );
  }
  return <Inside api={api} session={session} enter={enter} leave={leave} />;
}

function Inside({
  api,
  session,
  enter,
  leave,
}: {
  readonly api: ApiClient;
  readonly session: Session;
  readonly enter: (session: Session) => void;
  readonly leave: (signedOut: SignedOut | undefined) => void;
}) {
  const live = useMemo(() => new LiveEvents(), []);
  useEffect(() => {
    live.start();
    return () => live.stop();
  }, [live]);
  const connection = useMemo<Connection>(() => ({ api, live, session }), [api, live, session]);
  return (
    <ConnectionContext.Provider value={connection}>
      <ToastArea>
        <Shell enter={enter} leave={leave}>
          <Pages />
        </Shell>
      </ToastArea>
    </ConnectionContext.Provider>
  );
}
