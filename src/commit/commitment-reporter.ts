import { Status } from '../dicom/status.js';
import { type BackoffLimits, backoff } from '../domain/backoff.js';
import type {
  CheckedReference,
  CommitmentReport,
  DueCommitment,
  InstanceReference,
  ReportSettlement,
} from '../domain/commitment.js';
import type { Log } from '../log.js';

/** What the stage needs from the catalog and the archive. */
export interface Commitments {
  /** Of each requestor the transaction that is due first. */
  due(): readonly DueCommitment[];
  instances(transactionUid: string): readonly InstanceReference[];
  check(reference: InstanceReference): Promise<CheckedReference>;
  settle(
    due: DueCommitment,
    checked: readonly CheckedReference[],
    settlement: ReportSettlement,
  ): void;
}

/** The response to an event report, or why there was none. */
export type ReportAnswer = { readonly status: number } | { readonly code: string };

/** The ways to a requestor. */
export interface Requestors {
  /** Whether the association of the request still lasts. */
  isOpen(associationId: number): boolean;
  /** Undefined where it did not go or no response came. */
  onAssociation(associationId: number, report: CommitmentReport): Promise<number | undefined>;
  /** Undefined where nobody of that AE title is configured. */
  onNewAssociation(
    due: DueCommitment,
    report: CommitmentReport,
    signal: AbortSignal,
  ): Promise<ReportAnswer> | undefined;
  retry(callingAeTitle: string): RetryLimits;
}

export interface RetryLimits extends BackoffLimits {
  /** Attempts before a report is given up and shown to a person. */
  readonly attempts: number;
}

/** A requestor that is in the middle of something else is asked again so soon. */
const BUSY_MS = 1000;

/**
 * Reports what became of each request for storage commitment (PS3.4 J.3.3): looks at every instance's row and bytes
 * anew, then reports on the association of the request or on one of Vigil's own. Each requestor is reported to one
 * transaction at a time, and holds up no other.
 */
export class CommitmentReporter {
  readonly #commitments: Commitments;
  readonly #requestors: Requestors;
  readonly #onIdle: () => void;
  readonly #log: Log;
  /** By calling AE title. */
  readonly #underWay = new Map<string, Promise<void>>();

  constructor(options: {
    commitments: Commitments;
    requestors: Requestors;
    /** A requestor is free for its next transaction. */
    onIdle: () => void;
    log: Log;
  }) {
    this.#commitments = options.commitments;
    this.#requestors = options.requestors;
    this.#onIdle = options.onIdle;
    this.#log = options.log;
  }

  /** One pass, for a worker loop: begins what is due; resolves to the milliseconds until the next is. */
  async run(signal: AbortSignal): Promise<number | undefined> {
    const now = Date.now();
    let next: number | undefined;
    for (const due of this.#commitments.due()) {
      if (this.#underWay.has(due.callingAeTitle)) continue;
      if (due.dueAt > now) next = Math.min(next ?? due.dueAt, due.dueAt);
      else this.#begin(due, signal);
    }
    return next === undefined ? undefined : next - now;
  }

  /** Resolves when nothing is under way any more. */
  async idle(): Promise<void> {
    await Promise.all(this.#underWay.values());
  }

  #begin(due: DueCommitment, signal: AbortSignal): void {
    const { callingAeTitle, transactionUid } = due;
    const work = this.#report(due, signal).catch(async (error: unknown) => {
      this.#log.error({ err: error, transactionUid }, 'a commitment could not be reported');
      await pause(BUSY_MS, signal);
    });
    const ended = work.then(() => {
      this.#underWay.delete(callingAeTitle);
      this.#onIdle();
    });
    this.#underWay.set(callingAeTitle, ended);
  }

  async #report(due: DueCommitment, signal: AbortSignal): Promise<void> {
    const { transactionUid } = due;
    const checked: CheckedReference[] = [];
    for (const reference of this.#commitments.instances(transactionUid)) {
      if (signal.aborted) return;
      checked.push(await this.#commitments.check(reference));
    }
    const answer = await this.#send(due, { transactionUid, instances: checked }, signal);
    // What our own stop cut off is reported again after the next start.
    if (signal.aborted && !('status' in answer)) return;
    const settlement = this.#settlement(due, answer);
    this.#commitments.settle(due, checked, settlement);
    this.#say(due, checked, settlement);
  }

  async #send(
    due: DueCommitment,
    report: CommitmentReport,
    signal: AbortSignal,
  ): Promise<ReportAnswer> {
    const { associationId } = due;
    const status = await this.#requestors.onAssociation(associationId, report);
    if (status !== undefined) return { status };
    const attempt = this.#requestors.onNewAssociation(due, report, signal);
    if (attempt !== undefined) return attempt;
    return { code: this.#requestors.isOpen(associationId) ? BUSY : UNKNOWN };
  }

  #settlement(due: DueCommitment, answer: ReportAnswer): ReportSettlement {
    if ('status' in answer && answer.status === Status.Success) return { type: 'reported' };
    const code = 'status' in answer ? `refused-${hex(answer.status)}` : answer.code;
    const retry = this.#requestors.retry(due.callingAeTitle);
    const attempt = due.attempts + 1;
    if (code === BUSY) return { type: 'failed', code, retryAt: Date.now() + BUSY_MS };
    if (code === UNKNOWN || attempt >= retry.attempts) return { type: 'failed', code };
    const wait = backoff(attempt, retry, Math.random());
    return { type: 'failed', code, retryAt: Date.now() + wait };
  }

  #say(
    due: DueCommitment,
    checked: readonly CheckedReference[],
    settlement: ReportSettlement,
  ): void {
    const { transactionUid, callingAeTitle } = due;
    const failed = checked.filter(({ failureReason }) => failureReason !== undefined).length;
    const fields = { transactionUid, callingAeTitle, instances: checked.length, failed };
    if (settlement.type === 'reported') {
      if (failed === 0) this.#log.info(fields, 'storage commitment reported');
      else this.#log.warn(fields, 'storage commitment reported, with failures');
      return;
    }
    const { code, retryAt } = settlement;
    if (code === UNKNOWN) {
      const text =
        'storage commitment not reported: the association is over, and no scanner of that AE title is configured under "scanners"';
      this.#log.error({ ...fields, code }, text);
    } else if (retryAt === undefined) {
      this.#log.error({ ...fields, code }, 'storage commitment report given up');
    } else if (code !== BUSY) {
      const retryInMs = retryAt - Date.now();
      this.#log.warn({ ...fields, code, retryInMs }, 'storage commitment not reported');
    }
  }
}

const BUSY = 'association-busy';
const UNKNOWN = 'requestor-unknown';

function hex(status: number): string {
  return status.toString(16).padStart(4, '0').toUpperCase();
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end);
  });
}
