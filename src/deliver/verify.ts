import { backoff } from '../domain/backoff.js';
import type { ProofSettlement } from '../domain/delivery-state.js';
import type { Log } from '../log.js';
import { DEFAULT_RETRY, type Destination, type VerifyPolicy } from './deliver.js';
import { type FindResult, findInstances, type InstanceKeys } from './find-scu.js';

/** An object that its destination answered with success, and that has yet to be found there. */
export interface StoredDelivery extends InstanceKeys {
  /** How often the destination has said that it has it not. */
  readonly looks: number;
}

/** What the stage needs from the catalog. Times are milliseconds since the epoch. */
export interface ProofLedger<Stored extends StoredDelivery> {
  /** What the destination is to be asked for by now, what waits longest first. */
  storedDue(destination: string, limit: number, now: number): readonly Stored[];
  nextLookAt(destination: string): number | undefined;
  settleProof(delivery: Stored, settlement: ProofSettlement): void;
}

/**
 * Asks one destination for what it says it has stored: only what it finds counts as delivered. What it has not is sent
 * again, and becomes a dead letter when that has not helped. Beside the sending, so that neither waits for the other.
 */
export class Verifier<Stored extends StoredDelivery = StoredDelivery> {
  readonly #destination: () => Destination;
  readonly #ledger: ProofLedger<Stored>;
  readonly #onSettled: ((delivery: Stored, settlement: ProofSettlement) => void) | undefined;
  readonly #log: Log;
  readonly #now: () => number;
  #fruitlessPasses = 0;

  constructor(options: {
    /** Asked before each pass, so that a reloaded configuration counts at once. */
    destination: () => Destination;
    ledger: ProofLedger<Stored>;
    onSettled?: (delivery: Stored, settlement: ProofSettlement) => void;
    log: Log;
    now?: () => number;
  }) {
    this.#destination = options.destination;
    this.#ledger = options.ledger;
    this.#onSettled = options.onSettled;
    this.#log = options.log;
    this.#now = options.now ?? Date.now;
  }

  /** One pass, for a worker loop. Resolves to the milliseconds until something is to be asked for, or undefined. */
  async run(signal: AbortSignal): Promise<number | undefined> {
    const destination = this.#destination();
    const { name, verify } = destination;
    // Without the policy everything that waits is due: its success is proof enough now.
    const by = verify === undefined ? Number.MAX_SAFE_INTEGER : this.#now();
    const due = this.#ledger.storedDue(name, LOOK_LIMIT, by);
    if (due.length === 0) {
      const dueAt = this.#ledger.nextLookAt(name);
      return dueAt === undefined ? undefined : Math.max(0, dueAt - this.#now());
    }
    if (verify === undefined) {
      for (const delivery of due) this.#settle(name, delivery, { type: 'proven' });
      return 0;
    }
    const results = await findInstances(destination, due, signal);
    const asked = results.some(({ type }) => type !== 'failed');
    this.#fruitlessPasses = asked ? 0 : this.#fruitlessPasses + 1;
    const retry = destination.retry ?? DEFAULT_RETRY;
    const random = Math.random();
    const rest = asked ? 0 : backoff(this.#fruitlessPasses, retry, random);
    for (const [i, delivery] of due.entries()) {
      const result = results[i] as FindResult;
      const resendIn = backoff(delivery.looks + 1, retry, random);
      const waits = { now: this.#now(), resendIn, lookIn: backoff(1, retry, 1) + rest };
      this.#settle(name, delivery, proofFor(delivery, result, verify, waits));
    }
    return rest;
  }

  #settle(destination: string, delivery: Stored, settlement: ProofSettlement): void {
    this.#ledger.settleProof(delivery, settlement);
    const { sopInstanceUid, looks } = delivery;
    const fields = { destination, sopInstanceUid, looks };
    if (settlement.type === 'proven') {
      this.#log.info(fields, 'delivered: the destination has it');
    } else {
      const { type, code } = settlement;
      if (type === 'put-off') this.#log.warn({ ...fields, code }, 'cannot be asked for yet');
      else if (settlement.retryAt === undefined) {
        this.#log.error({ ...fields, code }, 'delivery given up: stored, but not proven');
      } else this.#log.warn({ ...fields, code }, 'answered with success, but not there');
    }
    this.#onSettled?.(delivery, settlement);
  }
}

/** Identifiers on one association. */
const LOOK_LIMIT = 64;

/** Times in milliseconds; `now` since the epoch, the others from then. */
export function proofFor(
  delivery: StoredDelivery,
  result: FindResult,
  verify: VerifyPolicy,
  waits: { readonly now: number; readonly resendIn: number; readonly lookIn: number },
): ProofSettlement {
  const { now, resendIn, lookIn } = waits;
  if (result.type === 'found') return { type: 'proven' };
  if (result.type === 'not-found') {
    const last = delivery.looks + 1 >= verify.attempts;
    return { type: 'not-there', code: 'not-found', ...(last ? {} : { retryAt: now + resendIn }) };
  }
  const { code, status, failureClass, untried } = result;
  // Sending again would not help a peer that cannot be asked at all: a person has to see it.
  if (failureClass === 'permanent' && !untried) return { type: 'not-there', code, status };
  // What was not asked for keeps its place, so that one question without an answer holds up no other.
  return { type: 'put-off', code, lookAt: untried ? now : now + lookIn };
}
