import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { Session, SignedOut } from '../../admin/api/schemas/session.js';
import { usePlace } from '../router.js';
import { AccountMenu } from './account-menu.js';
import { ConnectionMark } from './connection-mark.js';
import { Navigation } from './navigation.js';
import './shell.css';

/** What stands around each page: navigation, whether it is live, and who is logged in. */
export function Shell({
  enter,
  leave,
  children,
}: {
  readonly enter: (session: Session) => void;
  readonly leave: (signedOut: SignedOut | undefined) => void;
  readonly children: ComponentChildren;
}) {
  const main = useRef<HTMLElement>(null);
  const { path } = usePlace();
  const page = path.join('/');
  const opened = useRef(page);
  useEffect(() => {
    if (opened.current === page) return;
    opened.current = page;
    // Keyboard and screen reader go on at the new page, not at the link that led there.
    main.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [page]);
  return (
    <>
      <button type="button" class="skip" onClick={() => main.current?.focus()}>
        Skip to the page
      </button>
      <header class="top">
        <a class="brand" href="#/">
          Vigil
        </a>
        <Navigation page={path[0] ?? 'studies'} />
        <ConnectionMark />
        <AccountMenu enter={enter} leave={leave} />
      </header>
      <main ref={main} tabIndex={-1}>
        {children}
      </main>
    </>
  );
}
