import { useState } from 'preact/hooks';
import type { Replay } from '../../admin/api/schemas/routing.js';
import { messageOf } from '../api/client.js';
import { useConnection } from '../api/context.js';
import { ErrorNote } from '../parts/notes.js';
import { href } from '../router.js';
import { dateAndTime } from '../times.js';
import { count, outcomeWord } from '../words.js';

const SPANS = [1, 7, 30];

/** What the draft would have done with the studies that really came. Nothing is sent. */
export function ReplayPanel({
  draft,
  isSound,
}: {
  readonly draft: string;
  readonly isSound: boolean;
}) {
  const { api } = useConnection();
  const [days, setDays] = useState(7);
  const [running, setRunning] = useState(false);
  const [error, setError] = useState<string>();
  const [answer, setAnswer] = useState<{ draft: string; replay: Replay }>();
  const run = async () => {
    setRunning(true);
    setError(undefined);
    try {
      const replay = await api.post<Replay>('/routing/replay', { text: draft, days });
      setAnswer({ draft, replay });
    } catch (reason) {
      setError(messageOf(reason));
    } finally {
      setRunning(false);
    }
  };
  return (
    <>
      <div class="row">
        <label>
          Studies of the last
          <select
            value={String(days)}
            onChange={({ currentTarget }) => setDays(Number(currentTarget.value))}
          >
            {SPANS.map((span) => (
              <option key={span} value={String(span)}>
                {count(span, 'day')}
              </option>
            ))}
          </select>
        </label>
        <button type="button" disabled={!isSound || running} onClick={run}>
          {running ? 'Replaying…' : 'Replay'}
        </button>
      </div>
      {!isSound && <p class="quiet">Mend what is wrong first.</p>}
      {error !== undefined && <ErrorNote text={error} />}
      <div role="status">
        {answer !== undefined && answer.draft !== draft && (
          <p class="warned">The text has changed since this replay.</p>
        )}
        {answer !== undefined && <ReplayAnswer replay={answer.replay} />}
      </div>
    </>
  );
}

function ReplayAnswer({ replay }: { readonly replay: Replay }) {
  const { studies, rerouted } = replay;
  if (rerouted.length === 0) {
    return <p class="done">✓ All {count(studies, 'study', 'studies')} would go where they went.</p>;
  }
  return (
    <>
      <p>
        {rerouted.length} of {count(studies, 'study', 'studies')} would go elsewhere:
      </p>
      <ul class="replayed">
        {rerouted.map(({ studyInstanceUid, outcome, lastInstanceAt, added, removed, unsent }) => (
          <li key={studyInstanceUid}>
            <a href={href(['studies', studyInstanceUid])}>{dateAndTime(lastInstanceAt)}</a>{' '}
            {outcomeWord(outcome)}
            {unsent && <div class="alarm">✕ Nothing of it would be sent</div>}
            {added.map((text) => (
              <div key={text} class="done">
                + {text}
              </div>
            ))}
            {removed.map((text) => (
              <div key={text} class="warned">
                − {text}
              </div>
            ))}
          </li>
        ))}
      </ul>
    </>
  );
}
