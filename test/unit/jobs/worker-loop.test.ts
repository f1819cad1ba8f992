import { once } from 'node:events';
import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { WorkerLoop } from '../../../src/jobs/worker-loop.js';

const log = pino({ level: 'silent' });

/** A stage whose passes are seen and ended by the test. */
class Passes {
  count = 0;
  #arrivals: Array<() => void> = [];
  #ends: Array<(delay: number | undefined) => void> = [];
  #fails: Array<(error: Error) => void> = [];

  readonly run = (): Promise<number | undefined> => {
    this.count += 1;
    return new Promise((resolve, reject) => {
      this.#ends.push(resolve);
      this.#fails.push(reject);
      this.#arrivals.shift()?.();
    });
  };

  /** Resolves when a pass has begun that was not yet waited for. */
  async begun(count: number): Promise<void> {
    while (this.count < count) {
      await new Promise<void>((resolve) => this.#arrivals.push(resolve));
    }
  }

  end(delay?: number): void {
    this.#fails.shift();
    this.#ends.shift()?.(delay);
  }

  fail(): void {
    this.#ends.shift();
    this.#fails.shift()?.(new Error('the disk is full'));
  }
}

const settled = async (): Promise<void> => {
  for (let i = 0; i < 10; i += 1) await Promise.resolve();
};

describe('WorkerLoop', () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it('looks for waiting work when it starts, and only once however often it is started', async () => {
    const passes = new Passes();
    await using loop = new WorkerLoop({ name: 'test', run: passes.run, log });
    loop.start();
    loop.start();
    await passes.begun(1);
    passes.end();
    await settled();
    expect(passes.count).toBe(1);
  });

  it('runs again at once while a pass says that there may be more', async () => {
    const passes = new Passes();
    await using loop = new WorkerLoop({ name: 'test', run: passes.run, log });
    loop.start();
    await passes.begun(1);
    passes.end(0);
    await passes.begun(2);
    passes.end();
  });

  it('waits until the next due time, and no longer than a notification', async () => {
    vi.useFakeTimers();
    const passes = new Passes();
    const loop = new WorkerLoop({ name: 'test', run: passes.run, log });
    loop.start();
    await passes.begun(1);
    passes.end(60_000);
    await settled();
    await vi.advanceTimersByTimeAsync(59_999);
    expect(passes.count).toBe(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(passes.count).toBe(2);
    passes.end(60_000);
    await settled();
    loop.notify();
    await settled();
    expect(passes.count).toBe(3);
    passes.end();
    await loop.stop();
  });

  it('follows a pass that was notified while it ran with another', async () => {
    const passes = new Passes();
    await using loop = new WorkerLoop({ name: 'test', run: passes.run, log });
    loop.start();
    await passes.begun(1);
    loop.notify();
    passes.end();
    await passes.begun(2);
    passes.end();
  });

  it('does not fire at once for a due time beyond the longest timer', async () => {
    vi.useFakeTimers();
    const passes = new Passes();
    const loop = new WorkerLoop({ name: 'test', run: passes.run, log });
    loop.start();
    await passes.begun(1);
    passes.end(2 ** 40);
    await settled();
    await vi.advanceTimersByTimeAsync(3_600_000);
    expect(passes.count).toBe(1);
    await loop.stop();
  });

  it('repeats a failed pass after a back-off that notifications do not shorten', async () => {
    vi.useFakeTimers();
    vi.spyOn(Math, 'random').mockReturnValue(0.9);
    const passes = new Passes();
    const loop = new WorkerLoop({ name: 'test', run: passes.run, log });
    loop.start();
    await passes.begun(1);
    passes.fail();
    await settled();
    loop.notify();
    await settled();
    expect(passes.count).toBe(1);
    await vi.advanceTimersByTimeAsync(450);
    expect(passes.count).toBe(2);
    passes.end();
    await loop.stop();
    vi.restoreAllMocks();
  });

  it('signals the running pass and waits for it when it stops', async () => {
    let ended = false;
    let begin = (): void => {};
    const begun = new Promise<void>((resolve) => {
      begin = resolve;
    });
    const loop = new WorkerLoop({
      name: 'test',
      run: async (signal) => {
        begin();
        await once(signal, 'abort');
        ended = true;
        return 0;
      },
      log,
    });
    loop.start();
    await begun;
    await Promise.all([loop.stop(), loop.stop()]);
    expect(ended).toBe(true);
  });

  it('can be started again, also while it still stops, and never runs two passes at once', async () => {
    const passes = new Passes();
    const loop = new WorkerLoop({ name: 'test', run: passes.run, log });
    loop.start();
    await passes.begun(1);
    const stopped = loop.stop();
    loop.start();
    await settled();
    expect(passes.count).toBe(1);
    passes.end();
    await passes.begun(2);
    const stoppedAgain = loop.stop();
    passes.end();
    await Promise.all([stopped, stoppedAgain]);
    expect(passes.count).toBe(2);
  });
});
