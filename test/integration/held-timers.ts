import { onTestFinished, vi } from 'vitest';

/** Longer than any time limit of a connection. */
const FOR_EVER_MS = 60 * 60_000;

/**
 * Time limits of this process run out when the test says so, until it ends, and not because the machine is busy with
 * something else. `runOut` comes after what is already on its way between this process's own sockets. Where time does not
 * stand still, it passes as ever beside that: some far sides have short waits of their own.
 */
export function heldTimers({ standStill = false } = {}): {
  pass: (ms: number) => void;
  runOut: (ms?: number) => void;
} {
  vi.useFakeTimers({
    toFake: ['setTimeout', 'clearTimeout', 'performance'],
    shouldAdvanceTime: !standStill,
  });
  onTestFinished(() => {
    vi.useRealTimers();
  });
  return {
    pass: (ms) => vi.advanceTimersByTime(ms),
    runOut: (ms = FOR_EVER_MS) => setImmediate(() => vi.advanceTimersByTime(ms)),
  };
}
