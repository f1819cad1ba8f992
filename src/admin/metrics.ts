import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { ConflictKind } from '../domain/conflict.js';
import type { DestinationBacklog } from '../domain/delivery-backlog.js';
import type { Outcome } from '../domain/finding.js';
import { AeTitleLabels } from './ae-title-labels.js';

/** What is counted when the metrics are asked for, not when it happens. */
export interface Levels {
  /** Work that waits, by queue. */
  readonly queues: Readonly<Record<string, number>>;
  /** What is open at each destination. */
  readonly destinations: readonly DestinationBacklog[];
  readonly diskFreeBytes: number;
}

/**
 * How an association ended: by release or abort, because the connection was lost, or never accepted.
 */
export type AssociationEnd = 'released' | 'aborted' | 'lost' | 'rejected';

/** What became of one attempt to deliver one object. */
export type DeliveryResult = 'stored' | 'delivered' | 'retry' | 'replaced' | 'dead';

const SECONDS = {
  cStore: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5],
  analysis: [0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 120],
  toReport: [1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 900, 3600],
};

/** Vigil's Prometheus metrics, in a registry of its own. Labels have few values and never hold patient data. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #aeTitles = new AeTitleLabels();
  readonly #associationsOpen: Gauge;
  readonly #associations: Counter<'end'>;
  readonly #instances: Counter<'calling_ae_title'>;
  readonly #bytes: Counter;
  readonly #refused: Counter<'status'>;
  readonly #connectionsRefused: Counter<'reason'>;
  readonly #certificates: Gauge<'use'>;
  readonly #certificateProblems: Gauge<'use'>;
  readonly #cStore: Histogram;
  readonly #series: Counter<'confidence' | 'reason'>;
  readonly #conflicts: Counter<'kind'>;
  readonly #analyses: Counter<'outcome'>;
  readonly #analysis: Histogram;
  readonly #toReport: Histogram;
  readonly #deliveries: Counter<'destination' | 'result'>;
  readonly #inferenceLosses: Counter<'reason'>;
  readonly #secondReadings: Counter<'reader' | 'outcome' | 'deciding'>;
  readonly #model: Gauge<'name' | 'version' | 'hash'>;
  readonly #reloads: Counter<'result'>;
  readonly #queues: Gauge<'queue'>;
  readonly #destinations: Gauge<'destination' | 'state'>;
  readonly #oldest: Gauge<'destination'>;
  readonly #diskFree: Gauge;
  readonly #levels: () => Levels | Promise<Levels>;

  constructor(levels: () => Levels | Promise<Levels>) {
    this.#levels = levels;
    const registers = [this.#registry];
    const counter = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
      new Counter({ name: `vigil_${name}_total`, help, labelNames, registers });
    const gauge = <L extends string>(name: string, help: string, labelNames: L[] = []) =>
      new Gauge({ name: `vigil_${name}`, help, labelNames, registers });
    const seconds = (name: string, help: string, buckets: number[]) =>
      new Histogram({ name: `vigil_${name}_seconds`, help, buckets, registers });

    this.#associationsOpen = gauge('associations_open', 'Associations that are open');
    this.#associations = counter('associations', 'Associations that ended, by how', ['end']);
    this.#instances = counter('instances_received', 'Instances answered with success', [
      'calling_ae_title',
    ]);
    this.#bytes = counter('received_bytes', 'Bytes of the datasets answered with success');
    this.#refused = counter('instances_refused', 'Instances answered with a failure status', [
      'status',
    ]);
    this.#connectionsRefused = counter(
      'connections_refused',
      'Connections closed because their TLS, or its lack, does not fit the port',
      ['reason'],
    );
    this.#certificates = gauge(
      'tls_certificate_expires_timestamp_seconds',
      'When the certificates in force expire, by where the configuration names them',
      ['use'],
    );
    this.#certificateProblems = gauge(
      'tls_certificate_refused',
      '1 where the TLS files as they are now cannot be used',
      ['use'],
    );
    this.#cStore = seconds('c_store', 'From the request to the response sent', SECONDS.cStore);
    this.#series = counter('series_completed', 'Series judged whole, by how sure and why', [
      'confidence',
      'reason',
    ]);
    this.#conflicts = counter('conflicts', 'Images that contradict others, by how', ['kind']);
    this.#analyses = counter('analyses', 'Analyses of studies, by outcome', ['outcome']);
    this.#analysis = seconds('analysis', 'Time that an analysis took', SECONDS.analysis);
    this.#toReport = seconds(
      'last_instance_to_report',
      'From the last instance of the study to its report delivered',
      SECONDS.toReport,
    );
    this.#deliveries = counter('deliveries', 'Attempts to deliver an object, by result', [
      'destination',
      'result',
    ]);
    this.#inferenceLosses = counter(
      'inference_process_losses',
      'Ends of the inference process that nobody wanted',
      ['reason'],
    );
    this.#secondReadings = counter(
      'second_readings',
      'Series read by a second reader, by its outcome and that of the deciding model',
      ['reader', 'outcome', 'deciding'],
    );
    this.#model = gauge('model_info', 'The model package in use', ['name', 'version', 'hash']);
    this.#reloads = counter('config_reloads', 'Changed configurations, by result', ['result']);
    this.#queues = gauge('queue_depth', 'Work that waits, by queue', ['queue']);
    this.#destinations = gauge('destination_deliveries', 'Open deliveries of a destination', [
      'destination',
      'state',
    ]);
    this.#oldest = gauge(
      'destination_oldest_seconds',
      'Age of the oldest delivery that waits for a destination',
      ['destination'],
    );
    this.#diskFree = gauge('disk_free_bytes', 'Free space of the storage folder');
    collectDefaultMetrics({ register: this.#registry, prefix: 'vigil_' });
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All metrics in Prometheus' text format. */
  async text(): Promise<string> {
    for (const levels of [this.#queues, this.#destinations, this.#oldest]) levels.reset();
    try {
      const { queues, destinations, diskFreeBytes } = await this.#levels();
      for (const line of destinations) this.#destinationLevels(line);
      for (const [queue, depth] of Object.entries(queues)) this.#queues.set({ queue }, depth);
      this.#diskFree.set(diskFreeBytes);
    } catch {
      // Health says why; a catalog that cannot be read must not hide the other metrics.
      this.#diskFree.set(Number.NaN);
    }
    return this.#registry.metrics();
  }

  #destinationLevels({ destination, due, stored, dead, oldestAt }: DestinationBacklog): void {
    for (const [state, n] of Object.entries({ due, stored, dead })) {
      this.#destinations.set({ destination, state }, n);
    }
    const age = oldestAt === null ? 0 : Math.max(0, Date.now() - oldestAt) / 1000;
    this.#oldest.set({ destination }, age);
  }

  associationOpened(): void {
    this.#associationsOpen.inc();
  }

  /** `rejected` was never opened. */
  associationClosed(end: AssociationEnd): void {
    if (end !== 'rejected') this.#associationsOpen.dec();
    this.#associations.inc({ end });
  }

  instanceReceived(callingAeTitle: string, bytes: number): void {
    this.#instances.inc({ calling_ae_title: this.#aeTitles.label(callingAeTitle) });
    this.#bytes.inc(bytes);
  }

  /** `seconds` from the C-STORE request to its response. */
  cStoreAnswered(seconds: number): void {
    this.#cStore.observe(seconds);
  }

  /** `status` as in PS3.4 Table B.2-1, such as 0xA700. */
  instanceRefused(status: number): void {
    this.#refused.inc({ status: `0x${status.toString(16).toUpperCase().padStart(4, '0')}` });
  }

  /** `reason` is the code of a TLS problem. */
  connectionRefused(reason: string): void {
    this.#connectionsRefused.inc({ reason });
  }

  /** What stands with every use of TLS; `expiresAt` in ms since the epoch. */
  certificates(
    states: readonly {
      readonly use: string;
      readonly expiresAt: number | undefined;
      readonly problem: string | undefined;
    }[],
  ): void {
    this.#certificates.reset();
    this.#certificateProblems.reset();
    for (const { use, expiresAt, problem } of states) {
      if (expiresAt !== undefined) this.#certificates.set({ use }, expiresAt / 1000);
      this.#certificateProblems.set({ use }, problem === undefined ? 0 : 1);
    }
  }

  seriesCompleted(confidence: string, reasonCode: string): void {
    this.#series.inc({ confidence, reason: reasonCode });
  }

  conflict(kind: ConflictKind): void {
    this.#conflicts.inc({ kind });
  }

  /** `reason` is a code such as `inference-crashed`. */
  inferenceLost(reason: string): void {
    this.#inferenceLosses.inc({ reason });
  }

  secondReading(reader: string, outcomes: { outcome: Outcome; deciding: Outcome }): void {
    this.#secondReadings.inc({ reader, ...outcomes });
  }

  analysed(outcome: Outcome, seconds: number): void {
    this.#analyses.inc({ outcome });
    this.#analysis.observe(seconds);
  }

  /** `seconds` from the study's last instance until the first destination had taken its report. */
  reportDelivered(seconds: number): void {
    this.#toReport.observe(seconds);
  }

  delivered(destination: string, result: DeliveryResult): void {
    this.#deliveries.inc({ destination, result });
  }

  model(identity: {
    readonly name: string;
    readonly version: string;
    readonly hash: string;
  }): void {
    const { name, version, hash } = identity;
    this.#model.set({ name, version, hash }, 1);
  }

  configReloaded(result: 'applied' | 'refused'): void {
    this.#reloads.inc({ result });
  }
}
