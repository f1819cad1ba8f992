import { useCallback, useEffect, useRef, useState } from 'preact/hooks';
import type { LiveEvent } from '../../admin/api/schemas/events.js';
import { messageOf } from './client.js';
import { useConnection } from './context.js';

export interface Resource<Value> {
  /** The newest answer; it stays while it is asked for again. */
  readonly value: Value | undefined;
  /** Why the last question had no answer. */
  readonly error: string | undefined;
  readonly reload: () => void;
}

/** A burst of events, such as the slices of a series, leads to one question. */
const SETTLE_MS = 250;

/**
 * Asks when the page opens, when `key` changes, after each event that concerns it, and when the line is back. An answer
 * that a newer question overtook is dropped.
 */
export function useResource<Value>(
  key: string,
  load: (signal: AbortSignal) => Promise<Value>,
  concerns: (event: LiveEvent) => boolean = () => false,
): Resource<Value> {
  const { live } = useConnection();
  const [answer, setAnswer] = useState<{ key: string; value?: Value; error?: string }>({ key });
  const current = useRef({ load, concerns });
  current.current = { load, concerns };
  const running = useRef<AbortController | undefined>(undefined);

  const reload = useCallback(() => {
    running.current?.abort();
    const controller = new AbortController();
    running.current = controller;
    current.current.load(controller.signal).then(
      (value) => {
        if (!controller.signal.aborted) setAnswer({ key, value });
      },
      (error: unknown) => {
        if (controller.signal.aborted) return;
        setAnswer((last) => ({ ...(last.key === key ? last : { key }), error: messageOf(error) }));
      },
    );
  }, [key]);

  useEffect(() => {
    reload();
    return () => running.current?.abort();
  }, [reload]);

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const unlisten = live.listen((event) => {
      if (event.kind !== 'reset' && !current.current.concerns(event)) return;
      timer ??= setTimeout(() => {
        timer = undefined;
        reload();
      }, SETTLE_MS);
    });
    return () => {
      clearTimeout(timer);
      unlisten();
    };
  }, [live, reload]);

  const fresh = answer.key === key;
  return {
    value: fresh ? answer.value : undefined,
    error: fresh ? answer.error : undefined,
    reload,
  };
}
