import { setTimeout as delay } from 'node:timers/promises';
import { StageError } from '../domain/failure.js';
import { CLASSES, type Reason } from '../domain/finding.js';
import type { Suspicion } from '../domain/urgency.js';
import type { Log } from '../log.js';
import { DECIDING_CLASS } from './decision.js';
import { EngineProcess, type EngineProcessOptions, ProcessLostError } from './engine-process.js';
import type { Conclusion, SlabInput, SlabResult } from './engine-protocol.js';
import { ModelPackageError } from './model-package-error.js';
import type { SlabStatistics } from './pixel-gate.js';
import { Recent } from './recent.js';

export interface EngineOptions extends EngineProcessOptions {
  readonly log: Log;
}

/** Who wants to know how the process fares. */
export interface EngineObserver {
  /** The process was lost, whatever it did. */
  onLost(reason: Reason): void;
  /** It was lost with slices of this series in its hands. */
  onLostWith(seriesInstanceUid: string, reason: Reason): void;
  /** It can be asked again. */
  onReady(): void;
}

/** What is known of a series when all of it is read; indices count the slabs of the request. */
export interface SeriesAnalysis extends Conclusion {
  readonly statistics: readonly SlabStatistics[];
}

interface Analysis {
  readonly seriesInstanceUid: string;
  readonly slabs: readonly SlabInput[];
  readonly keySlices: number;
  readonly resolve: (analysis: SeriesAnalysis) => void;
  readonly reject: (error: unknown) => void;
}

interface ReadAhead {
  readonly seriesInstanceUid: string;
  readonly slab: SlabInput;
}

/** Waits before the next start after so many losses without an answer in between. Milliseconds. */
const RESTART_AFTER = [0, 1_000, 5_000, 30_000];
/** A process that was lost before it began leaves the request to the next one, so often. */
const HANDOVERS = 3;
/** Slabs of one request: more gain nothing and cost memory, and more are lost with the process. */
const BATCH = 8;
/** An analysis that comes in the meantime waits for so many slabs at most. */
const READ_AHEAD_BATCH = 4;
/** A scanner's largest series, twice over; what is dropped is computed with the analysis. */
const MOST_READ_AHEAD = 2_000;
/** A few kilobytes each; far more than the slabs of any one series. */
const RESULTS_KEPT = 4_000;
/** Series that a process was lost with. */
const SUSPECTS_KEPT = 1_000;
/** More series than ever wait for their analysis at once. */
const SUSPICIONS_KEPT = 500;
const DECIDING_INDEX = CLASSES.indexOf(DECIDING_CLASS);

/**
 * Owns the inference process: starts it again when it is lost, gives it one request at a time, each with slabs of one
 * series, and keeps its results. So a loss is the loss of one series, and costs the others the time of a start.
 */
export class InferenceEngine implements AsyncDisposable {
  readonly #options: EngineOptions;
  readonly #results = new Recent<SlabResult>(RESULTS_KEPT);
  readonly #suspects = new Recent<true>(SUSPECTS_KEPT);
  readonly #suspicion = new Recent<number>(SUSPICIONS_KEPT);
  readonly #analyses: Analysis[] = [];
  readonly #stopped = new AbortController();
  #readAhead: ReadAhead[] = [];
  #observer: EngineObserver | undefined;
  #process: EngineProcess | undefined;
  #starting: Promise<unknown> = Promise.resolve();
  #problem: string | undefined = 'the inference process was not started';
  #losses = 0;
  #working = false;

  private constructor(options: EngineOptions) {
    this.#options = options;
  }

  /**
   * Resolves when the process is ready, or cannot be started for now: then it is tried again and again.
   * @throws ModelPackageError where the process refuses the model
   */
  static async open(options: EngineOptions): Promise<InferenceEngine> {
    const engine = new InferenceEngine(options);
    try {
      await engine.#start();
    } catch (error) {
      if (error instanceof ModelPackageError) {
        await engine[Symbol.asyncDispose]();
        throw error;
      }
      engine.#startFailed(error);
    }
    return engine;
  }

  /** The highest logit of the deciding class in each of the series seen last. */
  get suspicion(): Suspicion {
    return Object.fromEntries(this.#suspicion.entries);
  }

  observe(observer: EngineObserver): void {
    this.#observer = observer;
  }

  /** Why nothing can be read at the moment; undefined where it can. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Classifies slabs of a series when nothing else is to do. What fails here is done with the analysis. */
  readAhead(seriesInstanceUid: string, slabs: readonly SlabInput[]): void {
    if (this.#suspects.get(seriesInstanceUid)) return;
    const more = slabs.map((slab) => ({ seriesInstanceUid, slab }));
    this.#readAhead = [...this.#readAhead, ...more].slice(-MOST_READ_AHEAD);
    void this.#work();
  }

  /**
   * The answer for the slabs of a series, inferior to superior.
   * @throws StageError `inference-unavailable` where there is no process; else it was lost with this series in its
   * hands, or the files are to blame
   */
  analyse(
    seriesInstanceUid: string,
    slabs: readonly SlabInput[],
    keySlices: number,
  ): Promise<SeriesAnalysis> {
    return new Promise((resolve, reject) => {
      this.#analyses.push({ seriesInstanceUid, slabs, keySlices, resolve, reject });
      void this.#work();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped.abort();
    this.#problem = 'inference was stopped';
    await this.#starting;
    await this.#process?.end();
    // Who still waits is told so.
    void this.#work();
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    try {
      for (;;) {
        const analysis = this.#analyses.shift();
        if (analysis) await this.#analyse(analysis);
        else if (this.#process && this.#readAhead.length > 0) await this.#classifyAhead();
        else return;
      }
    } finally {
      this.#working = false;
    }
  }

  async #analyse({ seriesInstanceUid, slabs, keySlices, ...waiting }: Analysis): Promise<void> {
    try {
      // After a loss one by one: the next one tells which slab it was.
      const suspect = this.#suspects.get(seriesInstanceUid) === true;
      const size = suspect ? 1 : BATCH;
      const fresh = slabs.filter(({ key }) => this.#results.get(key) === undefined);
      for (let at = 0; at < fresh.length; at += size) {
        const next = suspect ? undefined : fresh[at + size];
        await this.#classify(seriesInstanceUid, fresh.slice(at, at + size), next);
      }
      const results = slabs.map(({ key }) => this.#results.get(key) as SlabResult);
      const conclusion = await this.#ask(seriesInstanceUid, slabs, (on) =>
        on.conclude({ slabs, results, keySlices }),
      );
      const statistics = results.map((result) => result.statistics);
      waiting.resolve({ ...conclusion, statistics });
    } catch (error) {
      waiting.reject(error);
    }
  }

  async #classifyAhead(): Promise<void> {
    const seriesInstanceUid = this.#readAhead[0]?.seriesInstanceUid ?? '';
    const others = this.#readAhead.findIndex((one) => one.seriesInstanceUid !== seriesInstanceUid);
    const most = others < 0 ? this.#readAhead.length : others;
    const taken = this.#readAhead.splice(0, Math.min(most, READ_AHEAD_BATCH));
    const slabs = taken
      .map(({ slab }) => slab)
      .filter(({ key }) => this.#results.get(key) === undefined);
    if (slabs.length === 0) return;
    try {
      await this.#classify(seriesInstanceUid, slabs);
    } catch {
      // A slice that cannot be read is told when its series is analysed; a loss is told already.
    }
  }

  async #classify(
    seriesInstanceUid: string,
    slabs: readonly SlabInput[],
    next?: SlabInput,
  ): Promise<void> {
    const results = await this.#ask(seriesInstanceUid, slabs, (on) => on.classify(slabs, next));
    let highest = this.#suspicion.get(seriesInstanceUid) ?? Number.NEGATIVE_INFINITY;
    for (const [i, { key }] of slabs.entries()) {
      const result = results[i] as SlabResult;
      this.#results.set(key, result);
      highest = Math.max(highest, result.logits[DECIDING_INDEX] as number);
    }
    this.#suspicion.set(seriesInstanceUid, highest);
  }

  async #ask<T>(
    seriesInstanceUid: string,
    slabs: readonly SlabInput[],
    request: (process: EngineProcess) => Promise<T>,
  ): Promise<T> {
    for (let handover = 1; ; handover += 1) {
      await this.#starting;
      const process = this.#process;
      if (process === undefined) throw unavailable(this.#problem);
      try {
        const answer = await request(process);
        this.#losses = 0;
        return answer;
      } catch (error) {
        if (!(error instanceof ProcessLostError)) throw error;
        // Now, and not when its end is told to everyone: nobody else is to be given to it.
        this.#lost(process, error.reason);
        if (this.#stopped.signal.aborted) throw unavailable(this.#problem);
        if (!error.begun && handover < HANDOVERS) continue;
        this.#blame(seriesInstanceUid, slabs, error.reason);
        throw new StageError(error.reason.code, 'transient', error.message, { cause: error });
      }
    }
  }

  /** The process had the series in its hands: it is not read ahead any more, and whoever counts its tries is told. */
  #blame(seriesInstanceUid: string, slabs: readonly SlabInput[], { code, text }: Reason): void {
    this.#suspects.set(seriesInstanceUid, true);
    this.#readAhead = this.#readAhead.filter((one) => one.seriesInstanceUid !== seriesInstanceUid);
    const images = slabs.flatMap(({ groups }) => groups.flat());
    const sopInstanceUids = [...new Set(images.map(({ sopInstanceUid }) => sopInstanceUid))];
    this.#tell((observer) => observer.onLostWith(seriesInstanceUid, { code, text }));
    const line = { seriesInstanceUid, code, slices: sopInstanceUids.slice(0, BATCH) };
    this.#options.log.error(line, 'the inference process was lost with slices of this series');
  }

  #start(): Promise<void> {
    const start = this.#startOnce();
    this.#starting = start.catch(() => undefined);
    return start;
  }

  async #startOnce(): Promise<void> {
    const { signal } = this.#stopped;
    const wait = RESTART_AFTER[Math.min(this.#losses, RESTART_AFTER.length - 1)];
    await delay(wait, undefined, { signal });
    const process = await EngineProcess.start(this.#options, signal);
    this.#process = process;
    this.#problem = undefined;
    void process.gone.then((reason) => this.#lost(process, reason));
    const { name } = this.#options.model.identity;
    this.#options.log.info({ child: process.pid, model: name }, 'inference process ready');
    this.#tell((observer) => observer.onReady());
    void this.#work();
  }

  #lost(process: EngineProcess, { code, text }: Reason): void {
    if (this.#process !== process) return;
    this.#process = undefined;
    if (this.#stopped.signal.aborted) return;
    this.#problem = 'the inference process is being started again';
    this.#options.log.error({ code, reason: text }, 'the inference process ended: it is restarted');
    this.#tell((observer) => observer.onLost({ code, text }));
    this.#restart();
  }

  #restart(): void {
    this.#start().catch((error: unknown) => this.#startFailed(error));
    // The next one follows after a longer wait.
    this.#losses += 1;
  }

  #startFailed(error: unknown): void {
    if (this.#stopped.signal.aborted) return;
    const message = error instanceof Error ? error.message : String(error);
    this.#problem = `the inference process does not start: ${message}`;
    this.#options.log.error({ reason: message }, 'the inference process does not start');
    this.#restart();
  }

  #tell(what: (observer: EngineObserver) => void): void {
    if (this.#observer === undefined) return;
    try {
      what(this.#observer);
    } catch (error) {
      this.#options.log.error({ err: error }, 'the state of the inference process was not noted');
    }
  }
}

function unavailable(problem = 'the inference process is being started'): StageError {
  return new StageError('inference-unavailable', 'transient', problem);
}
