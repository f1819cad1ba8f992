import type { Log } from '../log.js';
import {
  assessCompleteness,
  type Completeness,
  type CompletenessWaits,
  type SeriesEvidence,
} from './completeness.js';

/** What the stage needs from the catalog. */
export interface ReceivingSeries {
  /** The series that are being received, at start. */
  receivingSeries(): readonly string[];
  /** Undefined where the series is not being received any more. */
  evidence(seriesInstanceUid: string): SeriesEvidence | undefined;
  /** Commits that the series is whole, and that its study needs a choice of series, in one transaction. */
  completeSeries(seriesInstanceUid: string, judged: Completeness): void;
}

/**
 * Watches the series that are being received and says when each is whole. Only the time of the next look is kept
 * here; after a restart every receiving series is looked at again.
 */
export class CompletenessWorker implements AsyncDisposable {
  readonly #series: ReceivingSeries;
  readonly #waits: () => CompletenessWaits;
  readonly #onComplete: (seriesInstanceUid: string, judged: Completeness) => void;
  readonly #log: Log;
  readonly #dueAt = new Map<string, number>();
  /** Series whose last judgement failed. */
  readonly #unjudged = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #running = false;

  constructor(options: {
    series: ReceivingSeries;
    waits: () => CompletenessWaits;
    onComplete: (seriesInstanceUid: string, judged: Completeness) => void;
    log: Log;
  }) {
    this.#series = options.series;
    this.#waits = options.waits;
    this.#onComplete = options.onComplete;
    this.#log = options.log;
  }

  readonly name = 'completeness';

  /** Whether a series waits because it could not be judged. */
  get isFailing(): boolean {
    return this.#unjudged.size > 0;
  }

  start(): void {
    this.#running = true;
    this.look(this.#series.receivingSeries());
  }

  /** Looks at these series now: an instance came or an association ended. */
  look(seriesInstanceUids: Iterable<string>): void {
    if (!this.#running) return;
    const now = Date.now();
    for (const uid of seriesInstanceUids) this.#judge(uid, now);
    this.#arm(now);
  }

  stop(): void {
    this.#running = false;
    clearTimeout(this.#timer);
    this.#dueAt.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.stop();
  }

  #judge(uid: string, now: number): void {
    try {
      const dueAt = this.#settle(uid, now);
      if (dueAt === undefined) this.#dueAt.delete(uid);
      else this.#dueAt.set(uid, dueAt);
      this.#unjudged.delete(uid);
    } catch (error) {
      this.#unjudged.add(uid);
      // The catalog may be full or locked for a moment: the series stays in 'receiving' and is looked at again.
      this.#dueAt.set(uid, now + RETRY_MS);
      this.#log.error({ err: error, seriesInstanceUid: uid }, 'completeness could not be judged');
    }
  }

  /** When the series is to be looked at again; undefined where it is not received any more. */
  #settle(uid: string, now: number): number | undefined {
    const evidence = this.#series.evidence(uid);
    if (evidence === undefined) return undefined;
    const judged = assessCompleteness(evidence, this.#waits(), now);
    if (!judged.complete) return judged.dueAt;
    this.#series.completeSeries(uid, judged);
    this.#onComplete(uid, judged);
    return undefined;
  }

  #arm(now: number): void {
    clearTimeout(this.#timer);
    if (this.#dueAt.size === 0) return;
    const next = Math.min(...this.#dueAt.values());
    this.#timer = setTimeout(
      () => {
        const at = Date.now();
        this.look([...this.#dueAt].filter(([, dueAt]) => dueAt <= at).map(([uid]) => uid));
      },
      Math.max(0, next - now),
    );
  }
}

const RETRY_MS = 1000;
