import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { messageOf } from '../api/client.js';
import { ErrorNote } from './notes.js';

/** Asks before something is done, stays open while it is done, and says why where it was not. */
export function ConfirmDialog({
  title,
  action,
  run,
  close,
  disabled = false,
  children,
}: {
  readonly title: string;
  /** The verb on the button. */
  readonly action: string;
  readonly run: () => Promise<unknown>;
  readonly close: () => void;
  readonly disabled?: boolean;
  readonly children: ComponentChildren;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useId();
  const [running, setRunning] = useState(false);
  const [error, setError] = useState<string>();
  useEffect(() => dialog.current?.showModal(), []);

  const confirm = async () => {
    setRunning(true);
    setError(undefined);
    try {
      await run();
      close();
    } catch (reason) {
      setError(messageOf(reason));
      setRunning(false);
    }
  };
  return (
    <dialog ref={dialog} aria-labelledby={heading} onClose={close}>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          confirm();
        }}
      >
        <h2 id={heading}>{title}</h2>
        {children}
        {error !== undefined && <ErrorNote text={error} />}
        <div class="ends">
          <button type="button" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="main" disabled={running || disabled}>
            {action}
          </button>
        </div>
      </form>
    </dialog>
  );
}
