import { useRef, useState } from 'preact/hooks';
import type { Session, SignedOut } from '../../admin/api/schemas/session.js';
import { messageOf } from '../api/client.js';
import { useConnection } from '../api/context.js';
import { OwnPasswordDialog } from './own-password-dialog.js';
import { chooseTheme, storedTheme, type Theme } from './theme.js';
import { useToast } from './toasts.js';

/** Who is logged in, the colours, and the way out. */
export function AccountMenu({
  enter,
  leave,
}: {
  readonly enter: (session: Session) => void;
  readonly leave: (signedOut: SignedOut | undefined) => void;
}) {
  const { api, session } = useConnection();
  const [theme, setTheme] = useState(storedTheme);
  const [changing, setChanging] = useState(false);
  const menu = useRef<HTMLDetailsElement>(null);
  const toast = useToast();
  const changePassword = () => {
    if (menu.current !== null) menu.current.open = false;
    setChanging(true);
  };
  const signOut = () => {
    api
      .request<SignedOut | undefined>('DELETE', '/session')
      .then(leave, (error: unknown) => toast(messageOf(error), true));
  };
  return (
    <>
      <details ref={menu} class="account">
        <summary>
          <span class="who">{session.user}</span>
          <span class="role">{session.role}</span>
        </summary>
        <div class="menu">
          <label>
            Colours
            <select
              value={theme}
              onChange={({ currentTarget }) => {
                const chosen = currentTarget.value as Theme;
                setTheme(chosen);
                chooseTheme(chosen);
              }}
            >
              <option value="dark">Dark</option>
              <option value="light">Light</option>
              <option value="system">As the system</option>
            </select>
          </label>
          {session.origin === 'local' && (
            <button type="button" onClick={changePassword}>
              Change password…
            </button>
          )}
          <button type="button" onClick={signOut}>
            Sign out
          </button>
        </div>
      </details>
      {changing && <OwnPasswordDialog close={() => setChanging(false)} entered={enter} />}
    </>
  );
}
