import { readFile } from 'node:fs/promises';
import type { Metrics } from './admin/metrics.js';
import { CompletenessWorker } from './complete/completeness-worker.js';
import type { Settings } from './config/settings.js';
import { Delivering } from './delivering.js';
import type { CommitmentReport } from './domain/commitment.js';
import { isBadFile } from './domain/failure.js';
import type { StoredInstance } from './domain/instance.js';
import type { MadeObjectRow, NotificationObject } from './domain/result-object.js';
import type { InferStage } from './infer/analyse.js';
import { analysisPass } from './infer/analysis-stage.js';
import { selectionPass } from './infer/selection-stage.js';
import { WorkerLoop } from './jobs/worker-loop.js';
import type { Log } from './log.js';
import { composeNotification } from './notification-work.js';
import { composeAnswer, composeIllustrations, composeReport } from './report/compose-report.js';
import { ResultMender } from './report/mend-results.js';
import type { ReportInput } from './report/report-input.js';
import { reportPass } from './report/report-stage.js';
import { routeStudy } from './routing-facts.js';
import { type SecondReaderState, SecondReaders } from './second-readers.js';
import { type AnalysisStore, PICTURES_FAILED } from './store/analysis-store.js';
import type { ReportWork } from './store/analysis-work.js';
import { type DamagedReportStore, REPORT_LOST } from './store/damaged-report-store.js';
import type { DeliveryStore } from './store/delivery-store.js';
import type { ProofStore } from './store/proof-store.js';
import type { ReceivingStore } from './store/receiving-store.js';
import type { WrittenObject } from './store/report-objects.js';
import type { ResultFiles } from './store/result-files.js';
import type { SecondReadingStore } from './store/second-reading-store.js';
import type { SelectionStore } from './store/selection-store.js';
import type { SeriesStore } from './store/series-store.js';
import type { StatusStore } from './store/status-store.js';
import type { Credentials } from './tls/credentials.js';
import { VERSION } from './version.js';

/** Why a report is made that says what the one before it said. */
const STATED_ANEW: ReadonlySet<string> = new Set([REPORT_LOST.code, PICTURES_FAILED.code]);

export interface PipelineParts {
  readonly series: SeriesStore;
  readonly receiving: ReceivingStore;
  readonly selections: SelectionStore;
  readonly analyses: AnalysisStore;
  readonly secondReadings: SecondReadingStore;
  readonly deliveries: DeliveryStore;
  readonly proofs: ProofStore;
  readonly status: StatusStore;
  readonly results: ResultFiles;
  readonly damagedReports: DamagedReportStore;
  readonly infer: InferStage;
  readonly metrics: Metrics;
  /** A stage could not read a file of the study. */
  readonly onBadFile: (studyInstanceUid: string) => void;
  /** Asked whenever work is done, so that a changed configuration counts at once. */
  readonly settings: () => Settings;
  /** What to speak TLS with a destination with. @throws CredentialsError */
  readonly credentials: (destination: string) => Credentials;
  readonly log: Log;
}

/**
 * The stages from complete to deliver, each with its worker. Their work waits in rows; what is wired here is only who
 * wakes whom.
 */
export class Pipeline implements AsyncDisposable {
  readonly #parts: PipelineParts;
  readonly #completeness: CompletenessWorker;
  readonly #selecting: WorkerLoop;
  readonly #analysing: WorkerLoop;
  readonly #reporting: WorkerLoop;
  readonly #mending: WorkerLoop;
  readonly #delivering: Delivering;
  readonly #secondReaders: SecondReaders;

  constructor(parts: PipelineParts) {
    this.#parts = parts;
    const log = parts.log.child({ stage: 'complete' });
    this.#completeness = new CompletenessWorker({
      series: parts.receiving,
      waits: () => parts.settings().completeness,
      onComplete: (seriesInstanceUid, { confidence, reason }) => {
        parts.metrics.seriesCompleted(confidence, reason.code);
        log.info({ seriesInstanceUid, confidence, code: reason.code }, 'series is whole');
        this.#selecting.notify();
      },
      log,
    });
    this.#selecting = this.#loop('infer', 'selection', async () => this.#select());
    this.#analysing = this.#loop('infer', 'analysis', () => this.#analyse());
    this.#reporting = this.#loop('report', 'report', () => this.#report());
    const mender = new ResultMender<ReportWork>({
      reports: parts.damagedReports,
      compose: async (work) => {
        const objects = await composeReport(this.#reportInput(work));
        // What no route wanted was not made then either.
        const made = objects.filter((one) => parts.analyses.objects.has(one.sopInstanceUid));
        return [...objects, await this.#notification(work, made)];
      },
      write: (studyInstanceUid, object) => parts.results.write(studyInstanceUid, object),
      discard: (studyInstanceUid, uid) => parts.results.discard(studyInstanceUid, uid),
      log: parts.log.child({ stage: 'report' }),
    });
    this.#mending = this.#loop('report', 'mending of results', async () => {
      if (await mender.run()) {
        this.#reporting.notify();
        this.#delivering.notify();
      }
      return undefined;
    });
    this.#delivering = new Delivering(parts);
    this.#secondReaders = new SecondReaders({
      ...parts,
      objects: parts.analyses.objects,
      readings: parts.secondReadings,
      notification: (work, objects) => this.#notification(work, objects),
      onDeliveries: () => this.#delivering.notify(),
    });
  }

  start(): void {
    const { infer, metrics, analyses } = this.#parts;
    infer.observe({
      onLost: ({ code }) => metrics.inferenceLost(code),
      onLostWith: (seriesInstanceUid, reason) => analyses.loseTry(seriesInstanceUid, reason),
      onReady: () => this.#analysing.notify(),
    });
    this.#completeness.start();
    this.#selecting.start();
    this.#analysing.start();
    this.#reporting.start();
    this.#mending.start();
    this.#delivering.start();
    this.#secondReaders.start();
  }

  /** Stops each stage after the one that feeds it; work that is under way comes to its end. */
  async stop(): Promise<void> {
    this.#completeness.stop();
    await this.#selecting.stop();
    await this.#analysing.stop();
    await this.#reporting.stop();
    await this.#mending.stop();
    await this.#secondReaders.stop();
    await this.#delivering.stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** These series have new slices, or an association that carried them has ended. */
  touched(seriesInstanceUids: ReadonlySet<string>): void {
    this.#completeness.look(seriesInstanceUids);
    for (const uid of seriesInstanceUids) {
      try {
        // Slices that the inference process was lost with are not risked before their turn.
        if (this.#parts.analyses.lostTries(uid).losses > 0) continue;
        this.#parts.infer.prefetch(this.#parts.receiving.receivingInstances(uid));
      } catch (error) {
        // Only time is lost: the analysis meets the same series again and says what is wrong with it.
        this.#parts.log.warn(
          { err: error, seriesInstanceUid: uid },
          'slices could not be prefetched',
        );
      }
    }
  }

  /** Images contradict others: what is known of their studies may not stand. */
  doubted(): void {
    this.#selecting.notify();
  }

  /** The workers whose last pass failed: the catalog or the disk does, or an error of the software. */
  get failing(): string[] {
    const loops = [
      this.#completeness,
      this.#selecting,
      this.#analysing,
      this.#reporting,
      this.#mending,
      ...this.#delivering.loops,
    ];
    return loops.filter(({ isFailing }) => isFailing).map(({ name }) => name);
  }

  /** How the models beside the one that decides are. */
  get secondReaders(): SecondReaderState[] {
    return this.#secondReaders.states;
  }

  /** A destination reports on storage commitment; false where it was never asked so. */
  takeReport(report: CommitmentReport): boolean {
    return this.#delivering.takeReport(report);
  }

  /** Somebody else has written rows: every worker looks. */
  wakeAll(): void {
    this.#selecting.notify();
    this.#analysing.notify();
    this.#reporting.notify();
    this.#mending.notify();
    this.#delivering.notify();
    this.#secondReaders.notify();
  }

  /** The configuration's destinations may have changed. */
  syncDestinations(): void {
    this.#delivering.follow();
  }

  #loop(
    stage: string,
    name: string,
    run: (signal: AbortSignal) => Promise<number | undefined>,
  ): WorkerLoop {
    return new WorkerLoop({ name, run, log: this.#parts.log.child({ stage }) });
  }

  #select(): number | undefined {
    const { selections, settings } = this.#parts;
    const log = this.#parts.log.child({ stage: 'infer' });
    const pass = selectionPass(selections, settings().completeness, log);
    if ('dueInMs' in pass) return pass.dueInMs;
    if (pass.selection.type === 'analyse') this.#analysing.notify();
    // Late slices may be forwarded that lead to no new report.
    if (pass.selection.type === 'keep') this.#delivering.notify();
    return 0;
  }

  async #analyse(): Promise<number | undefined> {
    const { analyses, series, infer, metrics } = this.#parts;
    const log = this.#parts.log.child({ stage: 'infer' });
    const began = performance.now();
    const pass = await analysisPass(analyses, series, infer, log);
    if ('dueInMs' in pass) return pass.dueInMs;
    const { work, finding } = pass;
    if (finding === undefined) {
      this.#selecting.notify();
      return 0;
    }
    if (finding.reason !== undefined && isBadFile(finding.reason.code)) {
      this.#parts.onBadFile(work.studyInstanceUid);
    }
    const ms = Math.round(performance.now() - began);
    metrics.analysed(finding.outcome, ms / 1000);
    log.info(
      {
        studyInstanceUid: work.studyInstanceUid,
        revision: work.revision,
        outcome: finding.outcome,
        code: finding.reason?.code,
        slices: finding.slices.length,
        ms,
      },
      'study analysed',
    );
    this.#reporting.notify();
    return 0;
  }

  async #report(): Promise<number | undefined> {
    const { analyses, series, results, settings, log } = this.#parts;
    const pass = await reportPass<ReportWork, WrittenObject>({
      queue: analyses,
      composeAnswer: (work) => composeAnswer(this.#reportInput(work)),
      composeIllustrations: (work) => composeIllustrations(this.#reportInput(work)),
      notify: (work, objects) => this.#notification(work, objects),
      write: (studyInstanceUid, object) => results.write(studyInstanceUid, object),
      route: (work) => routeStudy(settings().routing, work, series),
      onAdvanced: () => this.#delivering.notify(),
      log: log.child({ stage: 'report' }),
    });
    if ('dueInMs' in pass) return pass.dueInMs;
    this.#delivering.notify();
    this.#secondReaders.notify();
    return 0;
  }

  #notification(work: ReportWork, objects: readonly MadeObjectRow[]): Promise<NotificationObject> {
    const { researchText } = this.#parts.settings().report;
    return composeNotification(work, this.#sources(work), objects, researchText);
  }

  /** The images that a finding is about; some of the study's where no series was read. */
  #sources({ finding, studyInstanceUid }: ReportWork): readonly StoredInstance[] {
    const { series } = this.#parts;
    return finding.seriesInstanceUid === undefined
      ? series.anyInstances(studyInstanceUid)
      : series.instances(finding.seriesInstanceUid);
  }

  #reportInput(work: ReportWork): ReportInput {
    const { analyses, settings } = this.#parts;
    const { report, node } = settings();
    const { finding, revision, analysedAt } = work;
    const predecessor = analyses.objects.predecessor(work);
    return {
      finding,
      revision,
      createdAt: new Date(analysedAt),
      sourceInstances: this.#sources(work),
      readFile,
      options: { ...report, softwareVersion: VERSION, deviceSerialNumber: node.aeTitle },
      ...(predecessor && { predecessor, isRemade: STATED_ANEW.has(work.triggerCode) }),
    };
  }
}
