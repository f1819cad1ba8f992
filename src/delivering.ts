import type { Metrics } from './admin/metrics.js';
import type { Settings } from './config/settings.js';
import { Deliverer, type Destination } from './deliver/deliver.js';
import { Verifier } from './deliver/verify.js';
import type { CommitmentReport } from './domain/commitment.js';
import { isBadFile } from './domain/failure.js';
import { routeNames } from './domain/routing.js';
import { WorkerLoop } from './jobs/worker-loop.js';
import type { Log } from './log.js';
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

/** The workers of one destination. */
interface Workers {
  readonly verifier: Verifier<StoredDelivery>;
  readonly sending: WorkerLoop;
  readonly verifying: WorkerLoop;
}

/** Two workers for each destination of the configuration: one sends, one asks for what was sent. */
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
    return [...this.#workers.values()].flatMap(({ sending, verifying }) => [sending, verifying]);
  }

  /** There are new rows: every worker looks. */
  notify(): void {
    for (const { sending, verifying } of this.#workers.values()) {
      sending.notify();
      verifying.notify();
    }
  }

  /** Takes a report on storage commitment that a destination was asked for; false where none was asked so. */
  takeReport(report: CommitmentReport): boolean {
    return [...this.#workers.values()].some(({ verifier }) => verifier.take(report));
  }

  /** Follows the configuration, and says what it leaves open: that stays in its rows. */
  follow(): void {
    this.#sync();
    const { status, settings, log } = this.#parts;
    const destinations = settings().destinations.map(({ name }) => name);
    const routes = routeNames(settings().routing);
    for (const { route, destination, deliveries } of status.openRoutes()) {
      const line = { route, destination, deliveries };
      if (!destinations.includes(destination)) {
        log.error(line, 'deliveries wait for a destination that the configuration does not name');
      } else if (!routes.includes(route)) {
        log.warn(line, 'a route is gone from the configuration: what it asked for still goes out');
      }
    }
  }

  #sync(): void {
    if (!this.#running) return;
    const names = new Set(this.#parts.settings().destinations.map(({ name }) => name));
    for (const [name, workers] of this.#workers) {
      if (names.has(name)) continue;
      this.#workers.delete(name);
      const left = stop(workers).then(() => {
        this.#leaving.delete(name);
        // It may have come back in the meantime.
        this.#sync();
      });
      this.#leaving.set(name, left);
    }
    for (const name of names) {
      // Two workers for one destination would send the same rows twice.
      if (this.#workers.has(name) || this.#leaving.has(name)) continue;
      const workers = this.#build(name);
      this.#workers.set(name, workers);
      workers.sending.start();
      workers.verifying.start();
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
    return { verifier, sending, verifying };
  }
}

async function stop({ sending, verifying }: Workers): Promise<void> {
  await Promise.all([sending.stop(), verifying.stop()]);
}
