import type { Metrics } from './admin/metrics.js';
import { type Settings, targetNames } from './config/settings.js';
import { Deliverer, type Destination } from './deliver/deliver.js';
import { sendObjects } from './deliver/store-scu.js';
import { Verifier } from './deliver/verify.js';
import type { CommitmentReport } from './domain/commitment.js';
import { isBadFile } from './domain/failure.js';
import { routeNames } from './domain/routing.js';
import { WorkerLoop } from './jobs/worker-loop.js';
import type { Log } from './log.js';
import { sendNotifications } from './notify/send.js';
import { tellerFor } from './notify/tell.js';
import type { DeliveryStore } from './store/delivery-store.js';
import type { ProofStore, StoredDelivery } from './store/proof-store.js';
import type { StatusStore } from './store/status-store.js';
import type { Credentials } from './tls/credentials.js';
import { withCredentials } from './with-credentials.js';

export interface DeliveringParts {
  readonly deliveries: DeliveryStore;
  readonly proofs: ProofStore;
  readonly status: StatusStore;
  readonly metrics: Metrics;
  /** A result's file could not be sent as it was made. */
  readonly onBadFile: (studyInstanceUid: string) => void;
  /** Asked before each pass, so that a changed configuration counts at once. */
  readonly settings: () => Settings;
  /** What to speak TLS with a destination with. @throws CredentialsError */
  readonly credentials: (destination: string) => Credentials;
  readonly log: Log;
}

/** The workers of one destination or channel. */
interface Workers {
  readonly loops: readonly WorkerLoop[];
  /** A channel's answer is all the proof there is. */
  readonly verifier?: Verifier<StoredDelivery>;
}

/**
 * Two workers for each destination of the configuration: one sends, one asks for what was sent. One for each channel:
 * it tells.
 */
export class Delivering implements AsyncDisposable {
  readonly #parts: DeliveringParts;
  readonly #workers = new Map<string, Workers>();
  /** Workers of destinations that were configured no more, on their way to an end. */
  readonly #leaving = new Map<string, Promise<void>>();
  #running = false;

  constructor(parts: DeliveringParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#running = true;
    this.follow();
  }

  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all([...[...this.#workers.values()].map(stop), ...this.#leaving.values()]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  get loops(): WorkerLoop[] {
    return [...this.#workers.values()].flatMap(({ loops }) => loops);
  }

  /** There are new rows: every worker looks. */
  notify(): void {
    for (const loop of this.loops) loop.notify();
  }

  /** Takes a report on storage commitment that a destination was asked for; false where none was asked so. */
  takeReport(report: CommitmentReport): boolean {
    return [...this.#workers.values()].some(({ verifier }) => verifier?.take(report));
  }

  /** Follows the configuration, and says what it leaves open: that stays in its rows. */
  follow(): void {
    this.#sync();
    const { status, settings, log } = this.#parts;
    const targets = targetNames(settings());
    const routes = routeNames(settings().routing);
    for (const { route, destination, deliveries } of status.openRoutes()) {
      const line = { route, destination, deliveries };
      if (!targets.includes(destination)) {
        log.error(line, 'deliveries wait for a destination that the configuration does not name');
      } else if (!routes.includes(route)) {
        log.warn(line, 'a route is gone from the configuration: what it asked for still goes out');
      }
    }
  }

  #sync(): void {
    if (!this.#running) return;
    const { destinations, channels } = this.#parts.settings();
    // By protocol too: a name may have gone from one to the other.
    const wanted = new Map<string, () => Workers>([
      ...destinations.map(({ name }) => [`DICOM ${name}`, () => this.#build(name)] as const),
      ...channels.map(
        ({ name, protocol }) =>
          [`${protocol.type} ${name}`, () => this.#buildChannel(name)] as const,
      ),
    ]);
    for (const [key, workers] of this.#workers) {
      if (wanted.has(key)) continue;
      this.#workers.delete(key);
      const left = stop(workers).then(() => {
        this.#leaving.delete(key);
        // It may have come back in the meantime.
        this.#sync();
      });
      this.#leaving.set(key, left);
    }
    for (const [key, build] of wanted) {
      // Two workers for one destination would send the same rows twice.
      if (this.#workers.has(key) || this.#leaving.has(key)) continue;
      const workers = build();
      this.#workers.set(key, workers);
      for (const loop of workers.loops) loop.start();
    }
  }

  #build(name: string): Workers {
    const { deliveries, proofs, metrics, settings, credentials } = this.#parts;
    const log = this.#parts.log.child({ stage: 'deliver' });
    const destination = (): Destination => {
      const found = settings().destinations.find((one) => one.name === name);
      if (found === undefined) throw new Error(`Destination ${name} is configured no more`);
      return withCredentials(found, credentials);
    };
    const delivered = (sopInstanceUid: string): void => {
      const ms = deliveries.reportLatency(sopInstanceUid);
      if (ms !== undefined) metrics.reportDelivered(ms / 1000);
    };
    const deliverer = new Deliverer({
      destination,
      send: sendObjects,
      outbox: deliveries,
      onSettled: ({ sopInstanceUid, studyInstanceUid }, result, code) => {
        metrics.delivered(name, result);
        if (code !== undefined && isBadFile(code)) this.#parts.onBadFile(studyInstanceUid);
        if (result === 'stored') verifying.notify();
        if (result === 'delivered') delivered(sopInstanceUid);
      },
      log,
    });
    const verifier = new Verifier({
      destination,
      ledger: proofs,
      onSettled: ({ sopInstanceUid }, settlement) => {
        if (settlement.type === 'put-off') return;
        if (settlement.type === 'proven') {
          metrics.delivered(name, 'delivered');
          if (settlement.refiled) metrics.conflict('report-refiled');
          delivered(sopInstanceUid);
        } else {
          metrics.delivered(name, settlement.retryAt === undefined ? 'dead' : 'retry');
          sending.notify();
        }
      },
      log,
    });
    const sending = new WorkerLoop({ name, run: (signal) => deliverer.run(signal), log });
    const verifying = new WorkerLoop({
      name: `${name} verification`,
      run: (signal) => verifier.run(signal),
      log,
    });
    return { verifier, loops: [sending, verifying] };
  }

  #buildChannel(name: string): Workers {
    const { deliveries, metrics, settings } = this.#parts;
    const log = this.#parts.log.child({ stage: 'notify' });
    const deliverer = new Deliverer({
      destination: () => {
        const found = settings().channels.find((one) => one.name === name);
        if (found === undefined) throw new Error(`Channel ${name} is configured no more`);
        const { retry, protocol } = found;
        return { name, retry, tell: tellerFor(protocol) };
      },
      send: sendNotifications,
      outbox: deliveries,
      onSettled: ({ studyInstanceUid }, result, code) => {
        metrics.delivered(name, result);
        if (code !== undefined && isBadFile(code)) this.#parts.onBadFile(studyInstanceUid);
      },
      log,
    });
    const run = (signal: AbortSignal) => {
      deliveries.replaceOutdatedNotifications(name);
      return deliverer.run(signal);
    };
    return { loops: [new WorkerLoop({ name, run, log })] };
  }
}

async function stop({ loops }: Workers): Promise<void> {
  await Promise.all(loops.map((loop) => loop.stop()));
}
