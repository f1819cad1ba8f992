import { backoff } from '../domain/backoff.js';
import type { Log } from '../log.js';

/** Claims what is due, works on it and settles it; then says when to come again. */
export interface Work {
  /** For the log. */
  readonly name: string;
  /**
   * One pass. Resolves to the milliseconds until the next one (0: there may be more at once), or to undefined where
   * only `notify()` can bring new work. A rejected pass is logged and repeated with back-off.
   */
  readonly run: (signal: AbortSignal) => Promise<number | undefined>;
  readonly log: Log;
}

/**
 * Runs one stage's passes, one at a time. Work itself waits in rows; the loop only decides when to look, so a lost
 * wake-up costs nothing beyond the next one.
 */
export class WorkerLoop implements AsyncDisposable {
  readonly #work: Work;
  #controller: AbortController | undefined;
  #loop: Promise<void> = Promise.resolve();
  #failures = 0;
  #notified = false;
  #wake: (() => void) | undefined;

  constructor(work: Work) {
    this.#work = work;
  }

  get name(): string {
    return this.#work.name;
  }

  /** Whether the last pass was rejected. */
  get isFailing(): boolean {
    return this.#failures > 0;
  }

  /** Begins with a pass: rows may wait from before. */
  start(): void {
    if (this.#controller !== undefined) return;
    const controller = new AbortController();
    this.#controller = controller;
    this.#loop = this.#loop.then(() => this.#repeat(controller.signal));
  }

  /** There is new work: the pass that waits begins now, and a pass that runs is followed by another. */
  notify(): void {
    this.#notified = true;
    this.#wake?.();
  }

  /** Signals the pass that runs and waits for its end. */
  async stop(): Promise<void> {
    this.#controller?.abort();
    this.#controller = undefined;
    await this.#loop;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #repeat(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#notified = false;
      try {
        const delay = await this.#work.run(signal);
        this.#failures = 0;
        if (!this.#notified) await this.#pause(delay, signal, true);
      } catch (error) {
        if (signal.aborted) return;
        this.#failures += 1;
        const failures = this.#failures;
        const delay = backoff(failures, RETRY, Math.random());
        this.#work.log.error({ err: error, worker: this.#work.name, failures }, 'worker failed');
        // Not woken by notify(): what keeps failing must not spin at the pace of the incoming slices.
        await this.#pause(delay, signal, false);
      }
    }
  }

  #pause(delay: number | undefined, signal: AbortSignal, wakeable: boolean): Promise<void> {
    if (signal.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        this.#wake = undefined;
        resolve();
      };
      const timer =
        delay === undefined ? undefined : setTimeout(end, Math.min(delay, LONGEST_TIMER_MS));
      signal.addEventListener('abort', end);
      if (wakeable) this.#wake = end;
    });
  }
}

const RETRY = { baseMs: 500, capMs: 60_000 };

/** Node's timers are 32-bit; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
