import { join } from 'node:path';
import type { HealthReport } from './admin/health.js';
import { Metrics } from './admin/metrics.js';
import { Administering } from './administering.js';
import { Certificates } from './certificates.js';
import { Committing } from './committing.js';
import { type Settings, targetNames } from './config/settings.js';
import { ConfigDesk, type ConfigFileParts } from './config-desk.js';
import { withoutDestination } from './domain/delivery-backlog.js';
import { InferStage } from './infer/analyse.js';
import type { Log } from './log.js';
import { askNodeHealth } from './node-health.js';
import { Pipeline } from './pipeline.js';
import type { StoreScp } from './receive/store-scp.js';
import { buildStoreScp } from './receiving.js';
import type { SecondReaderState } from './second-readers.js';
import { AnalysisStore } from './store/analysis-store.js';
import { CatalogChecker } from './store/catalog-checker.js';
import { CommitmentStore } from './store/commitment-store.js';
import { DamageStore } from './store/damage-store.js';
import { DamagedReportStore } from './store/damaged-report-store.js';
import { CATALOG_FILE, type Catalog } from './store/database.js';
import { DeliveryStore } from './store/delivery-store.js';
import type { FolderLock } from './store/folder-lock.js';
import { Ingest } from './store/ingest.js';
import type { CommittedChange } from './store/ingest-rows.js';
import { InstanceFiles } from './store/instance-files.js';
import { openStorage } from './store/open-storage.js';
import { PerformedStepStore } from './store/performed-step-store.js';
import { ProofStore } from './store/proof-store.js';
import { ReceivingStore } from './store/receiving-store.js';
import { ResultFiles } from './store/result-files.js';
import { Retention } from './store/retention.js';
import { SecondReadingStore } from './store/second-reading-store.js';
import { SelectionStore } from './store/selection-store.js';
import { SeriesStore } from './store/series-store.js';
import { StatusStore } from './store/status-store.js';
import { Verifier } from './store/verifier.js';
import { Upkeep } from './upkeep.js';

/** Another process (`vigil resend`) may write rows: the catalog's version is looked at this often. */
const FOREIGN_WRITES_MS = 500;

/**
 * The composition root: builds every part once, joins receiving to the catalog and the catalog to the pipeline, and
 * starts and stops them in order. Nothing here decides anything about a study.
 */
export class App implements AsyncDisposable {
  readonly status: StatusStore;
  readonly #log: Log;
  readonly #lock: FolderLock;
  readonly #catalog: Catalog;
  readonly #checker: CatalogChecker;
  readonly #files: InstanceFiles;
  readonly #infer: InferStage;
  readonly #ingest: Ingest;
  readonly #receiving: ReceivingStore;
  readonly #analyses: AnalysisStore;
  readonly #deliveries: DeliveryStore;
  readonly #committing: Committing;
  readonly #retention: Retention;
  readonly #upkeep: Upkeep;
  readonly #metrics: Metrics;
  readonly #certificates: Certificates;
  readonly #pipeline: Pipeline;
  readonly #scp: StoreScp;
  readonly #admin: Administering;
  #settings: Settings;
  #configRefused = false;
  /** What has been started and how it is stopped, in the order of starting. */
  readonly #running: { readonly name: string; readonly stop: () => unknown }[] = [];
  #stopping: Promise<void> | undefined;

  private constructor(opened: {
    settings: Settings;
    log: Log;
    lock: FolderLock;
    catalog: Catalog;
    checker: CatalogChecker;
    files: InstanceFiles;
    infer: InferStage;
    configFile: ConfigFileParts | undefined;
  }) {
    const { settings, log, catalog, files, infer, configFile } = opened;
    const { folder } = settings.storage;
    this.#settings = settings;
    this.#log = log;
    this.#lock = opened.lock;
    this.#catalog = catalog;
    this.#checker = opened.checker;
    this.#files = files;
    this.#infer = infer;
    const series = new SeriesStore(catalog, folder);
    this.#receiving = new ReceivingStore(catalog, folder, series);
    this.#analyses = new AnalysisStore(catalog);
    this.#deliveries = new DeliveryStore(catalog, folder);
    this.status = new StatusStore(catalog);
    const freeBytes = () => files.freeBytes();
    this.#metrics = new Metrics(async () => ({
      ...this.#deliveryLevels(),
      diskFreeBytes: await freeBytes(),
    }));
    this.#certificates = new Certificates({
      log: log.child({ stage: 'tls' }),
      onState: (states) => this.#metrics.certificates(states),
    });
    this.#pipeline = new Pipeline({
      series,
      receiving: this.#receiving,
      selections: new SelectionStore(catalog, series),
      analyses: this.#analyses,
      secondReadings: new SecondReadingStore(catalog, this.#analyses.objects),
      deliveries: this.#deliveries,
      proofs: new ProofStore(catalog),
      status: this.status,
      results: new ResultFiles(folder),
      damagedReports: new DamagedReportStore(catalog),
      infer,
      metrics: this.#metrics,
      onBadFile: (studyInstanceUid) => this.#upkeep.suspect(studyInstanceUid),
      settings: () => this.#settings,
      credentials: (destination) => this.#certificates.forPeer('destinations', destination),
      log,
    });
    this.#ingest = new Ingest({
      catalog,
      files,
      onCommit: (change) => this.#committed(change),
      onRestored: () => this.#pipeline.wakeAll(),
      log: log.child({ stage: 'store' }),
    });
    this.#retention = new Retention({
      catalog,
      folder,
      freeBytes,
      log: log.child({ stage: 'retention' }),
    });
    const verifier = new Verifier({
      catalog,
      folder,
      damage: new DamageStore(catalog),
      onChange: () => this.#pipeline.wakeAll(),
      log: log.child({ stage: 'verify' }),
    });
    this.#upkeep = new Upkeep({
      catalog,
      checker: opened.checker,
      retention: this.#retention,
      verifier,
      settings: () => this.#settings,
      log: log.child({ stage: 'upkeep' }),
    });
    const doubt = (seriesInstanceUids: readonly string[]) =>
      this.#receiving.doubt(seriesInstanceUids);
    const commitments = new CommitmentStore({
      catalog,
      folder,
      onListed: doubt,
      onBadFile: (studyInstanceUid) => this.#upkeep.suspect(studyInstanceUid),
    });
    this.#scp = buildStoreScp({
      settings,
      files,
      ingest: this.#ingest,
      commitments,
      onCommitmentRequested: ({ transactionUid }) => {
        this.#committing.notify();
        this.#pipeline.touched(new Set(commitments.series(transactionUid)));
      },
      onCommitmentReport: (report) => this.#pipeline.takeReport(report),
      steps: new PerformedStepStore(catalog, doubt),
      onStepEnded: (seriesInstanceUids) => this.#pipeline.touched(new Set(seriesInstanceUids)),
      metrics: this.#metrics,
      certificates: this.#certificates,
      log: log.child({ stage: 'receive' }),
    });
    this.#committing = new Committing({
      commitments,
      scp: this.#scp,
      settings: () => this.#settings,
      credentials: (section, name) => this.#certificates.forPeer(section, name),
      log: log.child({ stage: 'commit' }),
    });
    this.#admin = new Administering({
      settings: () => this.#settings,
      health: () => this.health(),
      metrics: this.#metrics,
      certificates: this.#certificates,
      ...(configFile && {
        desk: new ConfigDesk({
          ...configFile,
          settings: () => this.#settings,
          status: this.status,
          series,
        }),
      }),
      catalog,
      status: this.status,
      model: infer.model,
      secondReaders: () => this.secondReaders,
      wake: () => this.#pipeline.wakeAll(),
      log: log.child({ stage: 'admin' }),
    });
  }

  /**
   * Takes the storage folder, opens catalog, archive and model. With `configFile` the configuration can be looked at
   * and changed over the API.
   * @throws where one of them cannot be had; nothing is left open then
   */
  static async open(settings: Settings, log: Log, configFile?: ConfigFileParts): Promise<App> {
    const { folder, minFreeBytes } = settings.storage;
    const { model, maxKeySlices, secondReaders: _, ...process } = settings.inference;
    const { lock, catalog } = openStorage(folder);
    const opened: (() => unknown)[] = [() => lock.release(), () => catalog.close()];
    try {
      const checker = new CatalogChecker(join(folder, CATALOG_FILE), log.child({ stage: 'store' }));
      if (checker.isSmall) checker.checkNow(catalog);
      const files = await InstanceFiles.open(folder, {
        minimumFreeBytes: minFreeBytes,
        log: log.child({ stage: 'store' }),
      });
      opened.push(() => files[Symbol.asyncDispose]());
      const infer = await InferStage.open({
        packageFolder: model,
        ...process,
        keySlices: maxKeySlices,
        log: log.child({ stage: 'infer' }),
      });
      return new App({ settings, log, lock, catalog, checker, files, infer, configFile });
    } catch (error) {
      for (const close of opened.reverse()) await close();
      throw error;
    }
  }

  /** Where the node listens; 0 while it does not. */
  get ports(): { readonly dicom: number; readonly dicomTls: number; readonly admin: number } {
    const { port: dicom, tlsPort: dicomTls } = this.#scp;
    return { dicom, dicomTls, admin: this.#admin.port };
  }

  /** Takes up what the last run left, then listens. Resolves when scanners may send; stops all where that fails. */
  async start(): Promise<void> {
    try {
      await this.#recover();
      this.#metrics.model(this.#infer.model);
      await this.#certificates.start(this.#settings);
      this.#began('certificates', () => this.#certificates.stop());
      this.#pipeline.start();
      this.#began('pipeline', () => this.#pipeline.stop());
      this.#committing.start();
      this.#began('committing', () => this.#committing.stop());
      this.#watchForeignWrites();
      this.#upkeep.start();
      this.#began('upkeep', () => this.#upkeep.stop());
      await this.#admin.start();
      this.#began('admin', () => this.#admin.stop());
      await this.#scp.start();
      this.#began('receive', async () => {
        await this.#scp.stop();
        this.#ingest.flush();
      });
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#log.info(this.ports, `ready: ${this.summary}`);
  }

  /** One line for whoever watches the service. */
  get summary(): string {
    const { name, version } = this.#infer.model;
    const { dicom, dicomTls } = this.ports;
    const ports = [dicom > 0 ? `port ${dicom}` : '', dicomTls > 0 ? `TLS port ${dicomTls}` : ''];
    return `DICOM ${ports.filter((port) => port !== '').join(', ')}, model ${name} ${version}`;
  }

  /** How the models beside the one that decides are. */
  get secondReaders(): SecondReaderState[] {
    return this.#pipeline.secondReaders;
  }

  /** A one-time link that makes the first account; undefined where there is one already, or no console. */
  newSetupLink(): string | undefined {
    return this.#admin.newSetupLink();
  }

  /** Takes a changed configuration into force; the keys that need a restart have their running values in it. */
  reconfigure(settings: Settings, restartNeeded: readonly string[]): void {
    this.#settings = settings;
    this.#configRefused = false;
    this.#log.level = settings.log.level;
    this.#certificates.sync(settings).catch((error: unknown) => {
      this.#log.error({ err: error }, 'TLS certificates were not read again');
    });
    this.#pipeline.syncDestinations();
    this.#upkeep.reschedule();
    this.#admin.reconfigured();
    this.#metrics.configReloaded('applied');
    if (restartNeeded.length === 0) this.#log.info('configuration applied');
    else this.#log.warn({ restartNeeded }, 'configuration applied; these keys need a restart');
  }

  /** A changed configuration is bad: the one before stays in force. */
  refuseConfiguration(error: Error): void {
    this.#configRefused = true;
    this.#metrics.configReloaded('refused');
    this.#log.error(
      { reason: error.message },
      'changed configuration refused, the old one is in force',
    );
  }

  health(): Promise<HealthReport> {
    return askNodeHealth({
      checker: this.#checker,
      files: this.#files,
      ingest: this.#ingest,
      status: this.status,
      pipeline: this.#pipeline,
      scp: this.#scp,
      infer: this.#infer,
      settings: this.#settings,
      certificates: this.#certificates,
      configRefused: this.#configRefused,
    });
  }

  /** Stops what listens first, then each stage after the one that feeds it. A part that fails to stop holds up none. */
  stop(): Promise<void> {
    this.#stopping ??= this.#drain();
    return this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  get #destinationNames(): string[] {
    return targetNames(this.#settings);
  }

  #deliveryLevels() {
    const destinations = this.status.backlog();
    const deliveriesWithoutDestination = withoutDestination(destinations, this.#destinationNames);
    return { queues: { ...this.status.counts(), deliveriesWithoutDestination }, destinations };
  }

  #began(name: string, stop: () => unknown): void {
    this.#running.push({ name, stop });
  }

  async #drain(): Promise<void> {
    const parts = [
      ...this.#running.splice(0).reverse(),
      { name: 'inference', stop: () => this.#infer[Symbol.asyncDispose]() },
      { name: 'files', stop: () => this.#files[Symbol.asyncDispose]() },
      { name: 'catalog', stop: () => this.#catalog.close() },
      { name: 'folder', stop: () => this.#lock.release() },
    ];
    for (const { name, stop } of parts) {
      try {
        await stop();
      } catch (error) {
        this.#log.error({ err: error, part: name }, 'a part did not stop cleanly');
      }
    }
    this.#log.info('stopped');
  }

  /** Gives back what a process that died had claimed, and catalogues what it had acknowledged. */
  async #recover(): Promise<void> {
    this.#ingest.loseOpenAssociations();
    this.#analyses.recover();
    this.#deliveries.releaseClaims();
    await this.#retention.recover();
    let recovered = 0;
    for await (const instance of this.#files.recover()) {
      this.#ingest.recover(instance);
      recovered += 1;
    }
    this.#ingest.flush();
    if (recovered > 0) this.#log.warn({ recovered }, 'took up instances that a crash had cut off');
  }

  #committed(change: CommittedChange): void {
    for (const { kind, studyInstanceUid, sopInstanceUid } of change.conflicts) {
      this.#metrics.conflict(kind);
      this.#log.warn(
        { kind, studyInstanceUid, sopInstanceUid },
        'conflict: kept apart, see vigil show',
      );
    }
    if (change.conflicts.length > 0) this.#pipeline.doubted();
    const touched = this.#receiving.committed(change, (header) => this.#files.instancePath(header));
    this.#pipeline.touched(touched);
    this.#admin.notify();
  }

  #watchForeignWrites(): void {
    const version = () => this.#catalog.pragma('data_version', { simple: true });
    let seen = version();
    const timer = setInterval(() => {
      try {
        const now = version();
        if (now === seen) return;
        seen = now;
        this.#pipeline.wakeAll();
      } catch (error) {
        this.#log.error({ err: error }, 'the catalog cannot be read');
      }
    }, FOREIGN_WRITES_MS);
    this.#began('watch for foreign writes', () => clearInterval(timer));
  }
}
