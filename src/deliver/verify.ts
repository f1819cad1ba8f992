import { randomUid } from '../dicom/uid.js';
import { backoff } from '../domain/backoff.js';
import type { CommitmentReport } from '../domain/commitment.js';
import type { ProofSettlement } from '../domain/delivery-state.js';
import type { Log } from '../log.js';
import { proofOf, requestCommitment } from './commitment-scu.js';
import {
  type CommitmentPolicy,
  DEFAULT_RETRY,
  type Destination,
  type VerifyPolicy,
} from './deliver.js';
import { findInstances } from './find-scu.js';
import {
  overdueProof,
  type ProofLedger,
  type ProofResult,
  proofFor,
  type StoredDelivery,
} from './proof.js';

/** What is asked for together: identifiers on one association, or instances of one request. */
const LOOK_LIMIT = 64;

/**
 * Asks one destination for what it says it has stored: only what it finds, or commits to, counts as delivered. What it
 * has not is sent again, and becomes a dead letter when that has not helped. Beside the sending, so that neither waits
 * for the other.
 */
export class Verifier<Stored extends StoredDelivery = StoredDelivery> {
  readonly #destination: () => Destination;
  readonly #ledger: ProofLedger<Stored>;
  readonly #onSettled: ((delivery: Stored, settlement: ProofSettlement) => void) | undefined;
  readonly #log: Log;
  readonly #now: () => number;
  #fruitlessPasses = 0;
  #restUntil = 0;
  /** The request whose association is held open for its report. */
  #held: { readonly transactionUid: string; readonly reported: AbortController } | undefined;

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
    const { commitment } = verify;
    return commitment === undefined
      ? this.#find(destination, verify, due, signal)
      : this.#commit(destination, verify, commitment, due, signal);
  }

  /**
   * Takes what the destination reports of a request for storage commitment, on whichever association it came; false
   * where it was never asked so.
   */
  take({ transactionUid, instances }: CommitmentReport): boolean {
    const destination = this.#destination();
    const waiting = this.#ledger.awaiting(destination.name, transactionUid);
    if (waiting === undefined) return false;
    const { verify } = destination;
    const said = new Map(instances.map((one) => [one.sopInstanceUid, proofOf(one.failureReason)]));
    for (const delivery of waiting) {
      const result = said.get(delivery.sopInstanceUid);
      if (verify === undefined || result === undefined) continue;
      // It may have been sent again since it failed in an earlier transaction.
      if (result.type !== 'found' && delivery.transactionUid !== transactionUid) continue;
      this.#conclude(destination, verify, delivery, result);
    }
    if (this.#held?.transactionUid === transactionUid) this.#held.reported.abort();
    return true;
  }

  async #find(
    destination: Destination,
    verify: VerifyPolicy,
    due: readonly Stored[],
    signal: AbortSignal,
  ): Promise<number> {
    const early = this.#now() < this.#restUntil;
    const results = await findInstances(destination, due, signal);
    const asked = results.some(({ type }) => type !== 'failed');
    const rest = this.#restAfter(destination, asked);
    for (const [i, delivery] of due.entries()) {
      this.#conclude(destination, verify, delivery, results[i] as ProofResult, { rest, early });
    }
    return rest;
  }

  async #commit(
    destination: Destination,
    verify: VerifyPolicy,
    { reportMs }: CommitmentPolicy,
    due: readonly Stored[],
    signal: AbortSignal,
  ): Promise<number> {
    const { name } = destination;
    for (const delivery of due.filter((one) => one.transactionUid !== null)) {
      this.#settle(name, delivery, overdueProof(delivery, verify, this.#now()));
    }
    const instances = due.filter((one) => one.transactionUid === null);
    if (instances.length === 0) return 0;
    const early = this.#now() < this.#restUntil;
    const transactionUid = randomUid();
    // Before it is sent: a report may come sooner than the response, or after a crash.
    this.#ledger.beginCommitment(transactionUid, instances, this.#now() + reportMs);
    const reported = new AbortController();
    this.#held = { transactionUid, reported };
    const failure = await requestCommitment(
      destination,
      { transactionUid, instances },
      { onReport: (report) => this.take(report), reported: reported.signal, signal },
    );
    this.#held = undefined;
    const rest = this.#restAfter(destination, failure === undefined);
    if (failure === undefined) return rest;
    for (const delivery of this.#ledger.awaiting(name, transactionUid) ?? []) {
      this.#conclude(destination, verify, delivery, failure, { rest, early });
    }
    return rest;
  }

  /** Milliseconds for which the destination is left alone, which could be asked for something or not. */
  #restAfter({ retry = DEFAULT_RETRY }: Destination, asked: boolean): number {
    this.#fruitlessPasses = asked ? 0 : this.#fruitlessPasses + 1;
    const rest = asked ? 0 : backoff(this.#fruitlessPasses, retry, Math.random());
    this.#restUntil = this.#now() + rest;
    return rest;
  }

  #conclude(
    { name, retry = DEFAULT_RETRY }: Destination,
    verify: VerifyPolicy,
    delivery: Stored,
    result: ProofResult,
    { rest, early } = { rest: 0, early: false },
  ): void {
    const rules = {
      verify,
      attempts: retry.attempts,
      early,
      now: this.#now(),
      resendIn: backoff(delivery.looks + 1, retry, Math.random()),
      lookIn: backoff(1, retry, 1) + rest,
    };
    this.#settle(name, delivery, proofFor(delivery, result, rules));
  }

  #settle(destination: string, delivery: Stored, settlement: ProofSettlement): void {
    this.#ledger.settleProof(delivery, settlement);
    const { sopInstanceUid, looks } = delivery;
    const fields = { destination, sopInstanceUid, looks };
    if (settlement.type === 'proven') {
      this.#log.info(fields, 'delivered: the destination has it');
      if (settlement.refiled) {
        this.#log.warn(fields, 'conflict: filed under another patient, see vigil show');
      }
    } else {
      const { type, code } = settlement;
      if (type === 'put-off') this.#log.warn({ ...fields, code }, 'not proven yet');
      else if (settlement.retryAt === undefined) {
        this.#log.error({ ...fields, code }, 'delivery given up: stored, but not proven');
      } else this.#log.warn({ ...fields, code }, 'answered with success, but not there');
    }
    this.#onSettled?.(delivery, settlement);
  }
}
