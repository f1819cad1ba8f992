import { join } from 'node:path';
import { Deliverer, type Destination } from '../../../src/deliver/deliver.js';
import { sendObjects } from '../../../src/deliver/store-scu.js';
import { Verifier } from '../../../src/deliver/verify.js';
import { type PacsOptions, SimulatedPacs } from '../../../src/simulate/pacs.js';
import { type ClaimedDelivery, DeliveryStore } from '../../../src/store/delivery-store.js';
import { ProofStore, type StoredDelivery } from '../../../src/store/proof-store.js';
import { StoreRig, silent } from '../store/rig.js';

const { signal } = new AbortController();

/**
 * Delivery to one destination, `main-pacs`, on a real catalog and real connections, with a clock that goes on as far as
 * a pass says to wait.
 */
export class Stage implements AsyncDisposable {
  readonly rig: StoreRig;
  readonly deliverer: Deliverer<ClaimedDelivery>;
  readonly verifier: Verifier<StoredDelivery>;
  #destination: Destination;
  clock = Date.now();
  passes = 0;

  private constructor(rig: StoreRig, destination: Destination) {
    this.rig = rig;
    this.#destination = destination;
    const common = { destination: () => this.#destination, log: silent, now: () => this.clock };
    this.deliverer = new Deliverer({
      send: sendObjects,
      ...common,
      outbox: new DeliveryStore(rig.catalog, rig.folder),
    });
    this.verifier = new Verifier({ ...common, ledger: new ProofStore(rig.catalog) });
  }

  static async open(port: number, more: Partial<Destination> = {}): Promise<Stage> {
    return new Stage(await StoreRig.open(), {
      name: 'main-pacs',
      aeTitle: 'PACS',
      callingAeTitle: 'VIGIL',
      host: '127.0.0.1',
      port,
      ...more,
    });
  }

  /** The same catalog in new workers, as after a restart. */
  restart(): Stage {
    const next = new Stage(this.rig, this.#destination);
    next.clock = this.clock;
    return next;
  }

  reconfigure(changed: Partial<Destination>): void {
    this.#destination = { ...this.#destination, ...changed };
  }

  /** Runs pass after pass until nothing waits, or for that long on the clock. */
  async run(duration = Infinity): Promise<void> {
    const end = this.clock + duration;
    while (this.clock < end) {
      this.passes += 1;
      const waits = [await this.deliverer.run(signal), await this.verifier.run(signal)];
      const wait = Math.min(...waits.map((ms) => ms ?? Infinity));
      if (wait === Infinity) return;
      this.clock += wait;
    }
  }

  /** How many deliveries are in each state. */
  states(): Record<string, number> {
    const rows = this.rig.rows('SELECT state, count(*) AS n FROM delivery GROUP BY state');
    return Object.fromEntries((rows as { state: string; n: number }[]).map((r) => [r.state, r.n]));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.rig[Symbol.asyncDispose]();
  }
}

let folders = 0;

export async function startPacs(
  folder: string,
  options: Partial<PacsOptions> = {},
): Promise<SimulatedPacs> {
  folders += 1;
  const pacs = new SimulatedPacs({ folder: join(folder, `pacs-${folders}`), ...options });
  await pacs.start();
  return pacs;
}

export const uidsAt = (pacs: SimulatedPacs) => pacs.received.map((r) => r.sopInstanceUid);
