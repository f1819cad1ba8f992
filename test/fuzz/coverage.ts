import { type Profiler, Session } from 'node:inspector';

/**
 * Which blocks of the product's code have run, from V8's own counters. Only the source of this repository is looked at.
 * The counters make code several times slower, and each look at them takes milliseconds: hence `start` and `stop`.
 */
export class Coverage implements Disposable {
  readonly #session = new Session();

  constructor() {
    this.#session.connect();
    this.#post('Profiler.enable');
  }

  start(): void {
    this.#post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  stop(): void {
    this.#post('Profiler.stopPreciseCoverage');
  }

  /** The blocks that ran since the last call, by name. */
  take(): Set<string> {
    let scripts: readonly Profiler.ScriptCoverage[] = [];
    // In the same thread the answer comes before `post` returns.
    this.#session.post('Profiler.takePreciseCoverage', (error, { result }) => {
      if (error) throw error;
      scripts = result;
    });
    const blocks = new Set<string>();
    for (const { url, functions } of scripts) {
      if (!url.includes('/src/') || url.includes('/node_modules/')) continue;
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          if (count > 0) blocks.add(`${url}:${startOffset}-${endOffset}:${magnitude(count)}`);
        }
      }
    }
    return blocks;
  }

  [Symbol.dispose](): void {
    this.#session.disconnect();
  }

  #post(
    method: `Profiler.${'enable' | 'startPreciseCoverage' | 'stopPreciseCoverage'}`,
    params?: object,
  ): void {
    this.#session.post(method, params, (error: Error | null) => {
      if (error) throw error;
    });
  }
}

/** Far more rounds of a loop than before are news as well. */
function magnitude(count: number): number {
  return count < 4 ? 0 : Math.floor(Math.log2(count) / 4);
}
