import { useEffect, useState } from 'preact/hooks';

/**
 * Where the console is. The address stands behind the `#`, which a browser never sends: no server or proxy on the way
 * logs which study somebody looked at.
 */
export interface Place {
  /** Such as `['studies', '1.2.3']`; empty for the worklist. */
  readonly path: readonly string[];
  readonly query: URLSearchParams;
}

function placeOf(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  return {
    path: path.split('/').filter(Boolean).map(decodeURIComponent),
    query: new URLSearchParams(query),
  };
}

/** The address of a page, for links. */
export function href(
  path: readonly string[],
  query: Readonly<Record<string, string>> = {},
): string {
  const search = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== ''));
  const suffix = search.size === 0 ? '' : `?${search}`;
  return `#/${path.map(encodeURIComponent).join('/')}${suffix}`;
}

export function goTo(path: readonly string[], query: Readonly<Record<string, string>> = {}): void {
  location.hash = href(path, query);
}

/** Changes the query of the page in sight, without a step in the history: such as the slice that is looked at. */
export function noteQuery(query: Readonly<Record<string, string>>): void {
  const { path } = placeOf(location.hash);
  history.replaceState(null, '', href(path, query));
}

const SET_UP = /\/setup$/;

/** The secret of a set-up link, `…/setup#<secret>`; undefined at any other address. */
export function setUpSecret(): string | undefined {
  return SET_UP.test(location.pathname) ? location.hash.slice(1) : undefined;
}

/** Goes on to the worklist; the used secret stays in no history. */
export function leaveSetUp(): void {
  history.replaceState(null, '', `${location.pathname.replace(SET_UP, '/')}#/`);
}

export function usePlace(): Place {
  const [hash, setHash] = useState(location.hash);
  useEffect(() => {
    const follow = () => setHash(location.hash);
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }, []);
  return placeOf(hash);
}
