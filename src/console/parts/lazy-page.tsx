import type { FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ErrorNote } from './notes.js';

/** A page whose code is fetched when it is first opened: a phone that looks at the worklist need not take the editor. */
export function LazyPage({ load }: { readonly load: () => Promise<FunctionComponent> }) {
  const [Page, setPage] = useState<FunctionComponent>();
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    load().then(
      (page) => setPage(() => page),
      () => setFailed(true),
    );
  }, [load]);
  if (failed) {
    return <ErrorNote text="The page could not be fetched." retry={() => location.reload()} />;
  }
  return Page === undefined ? <p role="status">Loading…</p> : <Page />;
}
