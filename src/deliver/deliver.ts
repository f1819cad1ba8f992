import { type BackoffLimits, backoff } from '../domain/backoff.js';
import type { DeliverySettlement } from '../domain/delivery-state.js';
import type { SendOptions, SendResult } from '../domain/send-result.js';
import type { Log } from '../log.js';
import type { Peer } from './association.js';
import { CANCELLED } from './association-failure.js';
import type { OutgoingObject } from './store-scu.js';

/** One object that is due at one destination; `attempts` counts the one that begins. */
export interface ClaimedDelivery extends OutgoingObject {
  readonly attempts: number;
  /** How often the destination has said that it has not what it had taken. */
  readonly looks: number;
  /** Whether an equal object of another SOP class can go in its place. */
  readonly hasFallback: boolean;
}

/** What an attempt left behind. */
export type SettledAs = 'stored' | 'delivered' | 'replaced' | 'dead' | 'retry';

/** `code` says why an attempt failed. */
type OnSettled<Claimed> = (delivery: Claimed, result: SettledAs, code?: string) => void;

/** What the stage needs from the catalog. Times are milliseconds since the epoch. */
export interface Outbox<Claimed extends ClaimedDelivery> {
  /**
   * Takes the most urgent due deliveries; with `suspectsLast` those behind that an association broke on, and of them
   * first what waited longest: by urgency alone the same few would come up each time.
   */
  claim(destination: string, limit: number, now: number, suspectsLast: boolean): readonly Claimed[];
  /** Makes due at once what only waited for the destination to take objects again. */
  hasten(destination: string, now: number): void;
  settle(delivery: Claimed, settlement: DeliverySettlement): void;
  nextDueAt(destination: string): number | undefined;
}

export interface RetryPolicy extends BackoffLimits {
  /** Attempts before a delivery is given up and shown to a person. */
  readonly attempts: number;
}

/** Three days and more of a destination that does not answer. */
export const DEFAULT_RETRY: RetryPolicy = { baseMs: 2000, capMs: 10 * 60_000, attempts: 1000 };

/** What a destination is asked for beyond its answer to C-STORE before an object counts as delivered. */
export interface VerifyPolicy {
  /** From the answer until the destination is asked for the object, in ms; doubled each time that it has it not. */
  readonly afterMs: number;
  /** How often it may have it not, sent again in between, or not report. */
  readonly attempts: number;
  /** Present where it is asked by storage commitment, absent where it is by C-FIND. */
  readonly commitment?: CommitmentPolicy | undefined;
}

export interface CommitmentPolicy {
  /** How long its report may take, in ms; then it is asked anew. */
  readonly reportMs: number;
}

/** Where deliveries go: its name in the configuration, and how long to try. */
export interface DeliveryTarget {
  readonly name: string;
  readonly retry?: RetryPolicy | undefined;
  /** Absent where the answer is taken for proof. */
  readonly verify?: VerifyPolicy | undefined;
}

/** A destination of the configuration, which takes DICOM objects. */
export interface Destination extends Peer, DeliveryTarget {}

/** Sends objects in their order, and tells of each what became of it as soon as that is known. Never rejects. */
export type Send<Target, Claimed> = (
  target: Target,
  objects: readonly Claimed[],
  options: SendOptions,
) => Promise<unknown>;

/** Sends what is due at one destination; each destination has its own, so that a dead one holds up no other. */
export class Deliverer<
  Claimed extends ClaimedDelivery = ClaimedDelivery,
  Target extends DeliveryTarget = Destination,
> {
  readonly #destination: () => Target;
  readonly #send: Send<Target, Claimed>;
  readonly #outbox: Outbox<Claimed>;
  readonly #onSettled: OnSettled<Claimed> | undefined;
  readonly #log: Log;
  readonly #now: () => number;
  /** Results that the catalog has yet to take, by delivery: of the pass that runs, or of one that it failed. */
  readonly #unsettled = new Map<Claimed, SendResult>();
  #fruitlessPasses = 0;
  #restUntil = 0;

  constructor(options: {
    /** Asked before each pass, so that a reloaded configuration counts at once. */
    destination: () => Target;
    send: Send<Target, Claimed>;
    outbox: Outbox<Claimed>;
    onSettled?: OnSettled<Claimed>;
    log: Log;
    now?: () => number;
  }) {
    this.#destination = options.destination;
    this.#send = options.send;
    this.#outbox = options.outbox;
    this.#onSettled = options.onSettled;
    this.#log = options.log;
    this.#now = options.now ?? Date.now;
  }

  /**
   * One pass, for a worker loop: claims, sends and settles each object as soon as its response is there. Resolves to
   * the milliseconds until something is due, or undefined.
   *
   * A destination that takes nothing is left alone for a back-off of its own, and then tried with a few objects: first
   * those that no association has broken on, so that objects that the peer cannot bear hold up no others. Somebody who
   * wakes it sooner (a new report, `vigil resend`) gets a try that counts for nothing where the peer is still away.
   */
  async run(signal: AbortSignal): Promise<number | undefined> {
    const pass = this.#beginPass();
    this.#settleAll(pass);
    const { destination, failing } = pass;
    const limit = failing ? PROBE_LIMIT : CLAIM_LIMIT;
    const claimed = this.#outbox.claim(destination.name, limit, this.#now(), failing);
    if (claimed.length === 0) {
      const dueAt = this.#outbox.nextDueAt(destination.name);
      return dueAt === undefined ? undefined : Math.max(0, dueAt - this.#now());
    }
    for (const delivery of claimed) this.#unsettled.set(delivery, INTERRUPTED);
    let progress = false;
    try {
      await this.#send(destination, claimed, {
        signal,
        onResult: (index, result) => {
          const delivery = claimed[index] as Claimed;
          this.#unsettled.set(delivery, result);
          try {
            progress = this.#settle(pass, delivery, result) || progress;
          } catch {
            // Tried once more below, where a catalog that still refuses fails the pass instead of the association.
          }
        },
      });
    } finally {
      this.#settleAll(pass);
    }
    return this.#endPass(pass, progress);
  }

  #beginPass(): Pass<Target> {
    const destination = this.#destination();
    return {
      destination,
      retry: destination.retry ?? DEFAULT_RETRY,
      // One draw for the pass: what failed together comes back together, and so in its order.
      random: Math.random(),
      failing: this.#fruitlessPasses > 0,
      early: this.#now() < this.#restUntil,
    };
  }

  /** Milliseconds until the next pass. */
  #endPass(
    { destination, retry, random, failing, early }: Pass<Target>,
    progress: boolean,
  ): number {
    if (progress) {
      if (failing) this.#outbox.hasten(destination.name, this.#now());
      this.#fruitlessPasses = 0;
      this.#restUntil = 0;
      return 0;
    }
    if (!early) {
      this.#fruitlessPasses += 1;
      this.#restUntil = this.#now() + backoff(this.#fruitlessPasses, retry, random);
    }
    return Math.max(0, this.#restUntil - this.#now());
  }

  #settleAll(pass: Pass<Target>): void {
    for (const [delivery, result] of this.#unsettled) this.#settle(pass, delivery, result);
  }

  /** Whether that delivery has come to an end, so that the destination is worth the next pass. */
  #settle(pass: Pass<Target>, delivery: Claimed, result: SendResult): boolean {
    const settlement = settlementFor(delivery, result, pass, this.#now());
    this.#outbox.settle(delivery, settlement);
    this.#unsettled.delete(delivery);
    this.#report(pass.destination, delivery, settlement);
    return settlement.type !== 'failed' || settlement.failureClass === 'permanent';
  }

  #report(destination: Target, delivery: Claimed, settlement: DeliverySettlement): void {
    const { sopInstanceUid, sopClassUid, attempts } = delivery;
    const fields = { destination: destination.name, sopInstanceUid, sopClassUid, attempts };
    if (settlement.type === 'delivered') {
      const as = settlement.proofDueAt === undefined ? 'delivered' : 'stored';
      this.#log.info({ ...fields, status: settlement.status }, as);
      this.#onSettled?.(delivery, as);
      return;
    }
    const { code } = settlement;
    if (settlement.type === 'refused-with-fallback') {
      this.#log.info({ ...fields, code }, 'refused: its fallback goes instead');
      this.#onSettled?.(delivery, 'replaced', code);
    } else if (settlement.retryAt === undefined) {
      this.#log.error({ ...fields, code, status: settlement.status }, 'delivery given up');
      this.#onSettled?.(delivery, 'dead', code);
    } else {
      const retryInMs = settlement.retryAt - this.#now();
      this.#log.warn({ ...fields, code, status: settlement.status, retryInMs }, 'not delivered');
      this.#onSettled?.(delivery, 'retry', code);
    }
  }
}

/** What holds for one pass. */
interface Pass<Target extends DeliveryTarget> extends SettlementRules {
  readonly destination: Target;
  /** Whether the pass before got nowhere. */
  readonly failing: boolean;
}

/** Some reports at a time: few enough that a stop comes between them soon. */
const CLAIM_LIMIT = 32;

/** How many objects a destination is tried with that took nothing the last time. */
const PROBE_LIMIT = 4;

/** Only where sending itself failed unforeseen: the object may have gone out. */
const INTERRUPTED: SendResult = {
  type: 'failed',
  failureClass: 'ambiguous',
  code: 'interrupted',
  text: 'Sending was interrupted',
};

/** The refusal after which the same content may go as an object of another SOP class. */
const CLASS_REFUSAL = 'sop-class-not-accepted';

export interface SettlementRules {
  readonly destination?: { readonly verify?: VerifyPolicy | undefined };
  readonly retry: RetryPolicy;
  /** In [0, 1), draws the back-off. */
  readonly random: number;
  /** Whether the destination is tried before its back-off is over. */
  readonly early: boolean;
}

/** `now` and the settlement's times in milliseconds since the epoch. */
export function settlementFor(
  delivery: ClaimedDelivery,
  result: SendResult,
  rules: SettlementRules,
  now: number,
): DeliverySettlement {
  const { retry, random, early } = rules;
  if (result.type === 'stored') {
    const { status, comment } = result;
    const verify = rules.destination?.verify;
    const proofDueAt = verify && now + lookDelay(verify, delivery.looks);
    return { type: 'delivered', status, comment, ...(proofDueAt !== undefined && { proofDueAt }) };
  }
  const { code, status, comment } = result;
  if (delivery.hasFallback && code === CLASS_REFUSAL) {
    return { type: 'refused-with-fallback', code, comment };
  }
  const failure = { type: 'failed', code, status, comment } as const;
  if (result.untried) {
    // It is about the destination, even a rejection for good: once that is mended the object goes through. The object
    // stays due, so that all is sent in the order of urgency as soon as the destination's own back-off ends.
    const uncounted = early || code === CANCELLED.code;
    if (!uncounted && delivery.attempts >= retry.attempts) {
      return { ...failure, failureClass: 'transient' };
    }
    return { ...failure, failureClass: 'transient', retryAt: now, uncounted };
  }
  const { failureClass } = result;
  if (failureClass === 'permanent' || delivery.attempts >= retry.attempts) {
    return { ...failure, failureClass };
  }
  return { ...failure, failureClass, retryAt: now + backoff(delivery.attempts, retry, random) };
}

/** Milliseconds from a destination's success to asking it for the object. */
export function lookDelay(verify: VerifyPolicy, looks: number): number {
  return Math.min(LONGEST_LOOK_DELAY_MS, verify.afterMs * 2 ** looks);
}

const LONGEST_LOOK_DELAY_MS = 60 * 60_000;
