import type { Metrics } from './admin/metrics.js';
import type { SecondReaderSettings, Settings } from './config/settings.js';
import type { Finding, ModelIdentity } from './domain/finding.js';
import type { MadeObjectRow, NotificationObject } from './domain/result-object.js';
import { asksSecondReaders, deliveriesBeyond, type RoutedObject } from './domain/routing.js';
import { InferStage } from './infer/analyse.js';
import { secondReadingPass } from './infer/second-reading-stage.js';
import { WorkerLoop } from './jobs/worker-loop.js';
import type { Log } from './log.js';
import { routeStudy } from './routing-facts.js';
import type { ReportWork } from './store/analysis-work.js';
import type { ReportObjects, WrittenObject } from './store/report-objects.js';
import type { ResultFiles } from './store/result-files.js';
import type { SecondReadingStore, SecondReadingWork } from './store/second-reading-store.js';
import type { SeriesStore } from './store/series-store.js';

export interface SecondReadersParts {
  readonly readings: SecondReadingStore;
  readonly objects: ReportObjects;
  readonly series: SeriesStore;
  readonly results: ResultFiles;
  readonly metrics: Metrics;
  readonly settings: () => Settings;
  /** What channels are told of a finding. */
  readonly notification: (
    work: ReportWork,
    objects: readonly MadeObjectRow[],
  ) => Promise<NotificationObject>;
  /** Deliveries are due. */
  readonly onDeliveries: () => void;
  readonly log: Log;
}

/** How one of them is. */
export interface SecondReaderState {
  readonly name: string;
  /** Undefined where its package was refused. */
  readonly model: ModelIdentity | undefined;
  /** Why it does not read; undefined where it does. */
  readonly problem: string | undefined;
}

type Reader =
  | { readonly name: string; readonly infer: InferStage; readonly loop: WorkerLoop }
  | { readonly name: string; readonly refusal: string };

/** Behind everything else on the machine, the model that decides included. */
const LAST = 19;

/**
 * Models beside the one that decides: each reads a series once its report is made, in a process of its own. What it says
 * is kept for comparison; it never changes a report, but routes can ask for it. A package that cannot be used is a
 * problem of that reader alone: triage runs without it.
 */
export class SecondReaders implements AsyncDisposable {
  readonly #parts: SecondReadersParts;
  #readers: readonly Reader[] = [];
  #opening: Promise<unknown> = Promise.resolve();

  constructor(parts: SecondReadersParts) {
    this.#parts = parts;
  }

  get states(): SecondReaderState[] {
    return this.#parts.settings().inference.secondReaders.map(({ name }) => {
      const reader = this.#readers.find((one) => one.name === name);
      if (reader === undefined) return { name, model: undefined, problem: 'it is being started' };
      if ('refusal' in reader) return { name, model: undefined, problem: reader.refusal };
      const { infer, loop } = reader;
      const failing = loop.isFailing ? 'its last pass failed: the log says why' : undefined;
      return { name, model: infer.model, problem: infer.problem ?? failing };
    });
  }

  /** Appoints the readers at once, and lets each read as soon as its process is ready. */
  start(): void {
    const { secondReaders } = this.#parts.settings().inference;
    this.#parts.readings.appoint(secondReaders.map(({ name }) => name));
    this.#opening = Promise.all(secondReaders.map((reader) => this.#open(reader)));
  }

  /** There may be reports to read behind. */
  notify(): void {
    for (const reader of this.#readers) if ('loop' in reader) reader.loop.notify();
  }

  async stop(): Promise<void> {
    await this.#opening;
    await Promise.all(
      this.#readers.map(async (reader) => {
        if ('refusal' in reader) return;
        // The process first: a reading that is cut off is made after the next start, and nobody waits for it now.
        await reader.infer[Symbol.asyncDispose]();
        await reader.loop.stop();
      }),
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #open({ name, model, ...fit }: SecondReaderSettings): Promise<void> {
    const { signedBy, timeoutMs, memoryBytes } = this.#parts.settings().inference;
    const log = this.#parts.log.child({ stage: 'infer', reader: name });
    try {
      const infer = await InferStage.open({
        packageFolder: model,
        signedBy,
        ...fit,
        threads: 1,
        niceness: LAST,
        keySlices: 0,
        timeoutMs,
        memoryBytes,
        log,
      });
      const run = () => this.#read(name, infer, log);
      const loop = new WorkerLoop({ name: `second reader ${name}`, run, log });
      infer.observe({
        onLost: () => undefined,
        onLostWith: () => undefined,
        onReady: () => loop.notify(),
      });
      this.#readers = [...this.#readers, { name, infer, loop }];
      loop.start();
    } catch (error) {
      const refusal = error instanceof Error ? error.message : String(error);
      log.error({ reason: refusal }, 'a second reader cannot be used: triage runs without it');
      this.#readers = [...this.#readers, { name, refusal }];
    }
  }

  async #read(name: string, infer: InferStage, log: Log): Promise<number | undefined> {
    const { readings, series, metrics } = this.#parts;
    const pass = await secondReadingPass<SecondReadingWork>({
      name,
      queue: readings,
      instances: (seriesInstanceUid) => series.instances(seriesInstanceUid),
      reader: infer,
      finish: (work, finding) => this.#finish(work, finding),
      log,
    });
    if ('dueInMs' in pass) return pass.dueInMs;
    const { work, finding } = pass;
    if (finding === undefined) return 0;
    const { studyInstanceUid, revision, finding: first } = work.report;
    const outcomes = { outcome: finding.outcome, deciding: first.outcome };
    metrics.secondReading(name, outcomes);
    log.info({ studyInstanceUid, revision, ...outcomes }, 'series read by a second reader');
    return 0;
  }

  async #finish(work: SecondReadingWork, finding: Finding): Promise<void> {
    const { readings, onDeliveries } = this.#parts;
    const added = await this.#added(work, finding);
    const objects = await this.#notification(work, added);
    readings.finish(work, finding, added, objects);
    if (added.length > 0) onDeliveries();
  }

  /** What the routes send now that did not depend on the report alone. */
  async #added({ reader, report }: SecondReadingWork, finding: Finding) {
    const { readings, series, settings } = this.#parts;
    const { routing } = settings();
    if (!asksSecondReaders(routing)) return [];
    const before = await routeStudy(routing, report, series);
    const secondReadings = [
      ...readings.readings(report.analysisId),
      { reader, readAt: Date.now(), finding },
    ];
    return deliveriesBeyond(
      await routeStudy(routing, { ...report, secondReadings }, series),
      before,
    );
  }

  /** The notification of the report, written, where it is asked for and there was none. */
  async #notification(
    { report }: SecondReadingWork,
    added: readonly RoutedObject[],
  ): Promise<WrittenObject[]> {
    const { objects, results, notification } = this.#parts;
    if (added.every(({ kind }) => kind !== 'notification')) return [];
    const object = await notification(report, objects.of(report.analysisId));
    if (objects.has(object.sopInstanceUid)) return [];
    return [await results.write(report.studyInstanceUid, object)];
  }
}
