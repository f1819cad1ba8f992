import { type BackoffLimits, backoff } from '../domain/backoff.js';
import type { DeliverySettlement } from '../domain/delivery-state.js';
import type { Log } from '../log.js';
import type { Peer } from './association.js';
import { type OutgoingObject, type SendResult, sendObjects } from './store-scu.js';

/** One object that is due at one destination; `attempts` counts the one that begins. */
export interface ClaimedDelivery extends OutgoingObject {
  readonly attempts: number;
  /** Whether an equal object of another SOP class can go in its place. */
  readonly hasFallback: boolean;
}

/** What an attempt left behind. */
export type SettledAs = 'delivered' | 'replaced' | 'dead' | 'retry';

/** What the stage needs from the catalog. Times are milliseconds since the epoch. */
export interface Outbox<Claimed extends ClaimedDelivery> {
  /** Takes due deliveries of a destination, those of one report in the order in which they should arrive. */
  claim(destination: string, limit: number, now: number): readonly Claimed[];
  settle(delivery: Claimed, settlement: DeliverySettlement): void;
  nextDueAt(destination: string): number | undefined;
}

export interface RetryPolicy extends BackoffLimits {
  /** Attempts before a delivery is given up and shown to a person. */
  readonly attempts: number;
}

/** Three days and more of a destination that does not answer. */
export const DEFAULT_RETRY: RetryPolicy = { baseMs: 2000, capMs: 10 * 60_000, attempts: 1000 };

/** A destination of the configuration: its name there, where it is and how long to try. */
export interface Destination extends Peer {
  readonly name: string;
  readonly retry?: RetryPolicy | undefined;
}

/** Sends what is due at one destination; each destination has its own, so that a dead one holds up no other. */
export class Deliverer<Claimed extends ClaimedDelivery = ClaimedDelivery> {
  readonly #destination: () => Destination;
  readonly #outbox: Outbox<Claimed>;
  readonly #onSettled: ((delivery: Claimed, result: SettledAs) => void) | undefined;
  readonly #log: Log;
  /** Results that the catalog has yet to take, by delivery: of the pass that runs, or of one that it failed. */
  readonly #unsettled = new Map<Claimed, SendResult>();
  #fruitlessPasses = 0;

  constructor(options: {
    /** Asked before each pass, so that a reloaded configuration counts at once. */
    destination: () => Destination;
    outbox: Outbox<Claimed>;
    onSettled?: (delivery: Claimed, result: SettledAs) => void;
    log: Log;
  }) {
    this.#destination = options.destination;
    this.#outbox = options.outbox;
    this.#onSettled = options.onSettled;
    this.#log = options.log;
  }

  /**
   * One pass, for a worker loop: claims, sends and settles each object as soon as its response is there. Resolves to
   * the milliseconds until something is due, or undefined. A destination that takes nothing is not tried with the
   * next deliveries at once: it is left alone for the back-off.
   */
  async run(signal: AbortSignal): Promise<number | undefined> {
    const destination = this.#destination();
    const retry = destination.retry ?? DEFAULT_RETRY;
    // One draw for the pass: what failed together comes back together, and so in its order.
    const random = Math.random();
    this.#settleAll(destination, random);
    const claimed = this.#outbox.claim(destination.name, CLAIM_LIMIT, Date.now());
    if (claimed.length === 0) {
      const dueAt = this.#outbox.nextDueAt(destination.name);
      return dueAt === undefined ? undefined : Math.max(0, dueAt - Date.now());
    }
    for (const delivery of claimed) this.#unsettled.set(delivery, INTERRUPTED);
    let fruitful = false;
    try {
      await sendObjects(destination, claimed, {
        signal,
        onResult: (index, result) => {
          const delivery = claimed[index] as Claimed;
          this.#unsettled.set(delivery, result);
          try {
            fruitful = this.#settle(destination, delivery, result, random) || fruitful;
          } catch {
            // Tried once more below, where a catalog that still refuses fails the pass instead of the association.
          }
        },
      });
    } finally {
      this.#settleAll(destination, random);
    }
    this.#fruitlessPasses = fruitful ? 0 : this.#fruitlessPasses + 1;
    return fruitful ? 0 : backoff(this.#fruitlessPasses, retry, random);
  }

  #settleAll(destination: Destination, random: number): void {
    for (const [delivery, result] of this.#unsettled) {
      this.#settle(destination, delivery, result, random);
    }
  }

  /** Whether the delivery is settled for good. */
  #settle(
    destination: Destination,
    delivery: Claimed,
    result: SendResult,
    random: number,
  ): boolean {
    const retry = destination.retry ?? DEFAULT_RETRY;
    const settlement = settlementFor(delivery, result, retry, Date.now(), random);
    this.#outbox.settle(delivery, settlement);
    this.#unsettled.delete(delivery);
    this.#report(destination, delivery, settlement);
    return settlement.type !== 'failed' || settlement.retryAt === undefined;
  }

  #report(destination: Destination, delivery: Claimed, settlement: DeliverySettlement): void {
    const { sopInstanceUid, sopClassUid, attempts } = delivery;
    const fields = { destination: destination.name, sopInstanceUid, sopClassUid, attempts };
    if (settlement.type === 'delivered') {
      this.#log.info({ ...fields, status: settlement.status }, 'delivered');
      this.#onSettled?.(delivery, 'delivered');
      return;
    }
    const { code } = settlement;
    if (settlement.type === 'refused-with-fallback') {
      this.#log.info({ ...fields, code }, 'refused: its fallback goes instead');
      this.#onSettled?.(delivery, 'replaced');
    } else if (settlement.retryAt === undefined) {
      this.#log.error({ ...fields, code, status: settlement.status }, 'delivery given up');
      this.#onSettled?.(delivery, 'dead');
    } else {
      const retryInMs = settlement.retryAt - Date.now();
      this.#log.warn({ ...fields, code, status: settlement.status, retryInMs }, 'not delivered');
      this.#onSettled?.(delivery, 'retry');
    }
  }
}

/** Some reports at a time: few enough that a stop comes between them soon. */
const CLAIM_LIMIT = 32;

/** Only where sending itself failed unforeseen: the object may have gone out. */
const INTERRUPTED: SendResult = {
  type: 'failed',
  failureClass: 'ambiguous',
  code: 'interrupted',
  text: 'Sending was interrupted',
};

/** The refusal after which the same content may go as an object of another SOP class. */
const CLASS_REFUSAL = 'sop-class-not-accepted';

/** A rejection is about the peer's configuration, not about the object: once mended there, the object goes through. */
const PEER_REFUSAL = 'association-rejected';

/** Times in milliseconds since the epoch; `random` in [0, 1) draws the back-off. */
export function settlementFor(
  delivery: ClaimedDelivery,
  result: SendResult,
  retry: RetryPolicy,
  now: number,
  random: number,
): DeliverySettlement {
  if (result.type === 'stored') {
    return { type: 'delivered', status: result.status, comment: result.comment };
  }
  const { code, status, comment } = result;
  if (delivery.hasFallback && code === CLASS_REFUSAL) {
    return { type: 'refused-with-fallback', code, comment };
  }
  const failureClass = code === PEER_REFUSAL ? 'transient' : result.failureClass;
  if (failureClass === 'permanent' || delivery.attempts >= retry.attempts) {
    return { type: 'failed', failureClass, code, status, comment };
  }
  // Our own stop is no reason to wait: the next start sends at once.
  const wait = code === 'cancelled' ? 0 : backoff(delivery.attempts, retry, random);
  return { type: 'failed', failureClass, code, status, comment, retryAt: now + wait };
}
