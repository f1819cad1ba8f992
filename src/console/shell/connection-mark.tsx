import { useEffect, useState } from 'preact/hooks';
import { useConnection } from '../api/context.js';
import type { ConnectionState } from '../api/live.js';

const WORDS: Readonly<Record<ConnectionState, string>> = {
  connecting: 'Connecting',
  live: 'Live',
  lost: 'Not live',
};

const MEANINGS: Readonly<Record<ConnectionState, string>> = {
  connecting: 'Connecting to the node',
  live: 'What you see changes as it happens',
  lost: 'The node does not answer: what you see may be old',
};

/** Whether the page shows what is, or what was. */
export function ConnectionMark() {
  const { live } = useConnection();
  const [state, setState] = useState<ConnectionState>('connecting');
  useEffect(() => live.watch(setState), [live]);
  return (
    <>
      <p class={`connection ${state}`} role="status" title={MEANINGS[state]}>
        <span class="lamp" aria-hidden="true" />
        {WORDS[state]}
      </p>
      {state === 'lost' && (
        <p class="stale" role="alert">
          Connection to the node is lost: what you see may be old. Trying again.
        </p>
      )}
    </>
  );
}
