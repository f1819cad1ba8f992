import { join } from 'node:path';
import { Status } from '../dicom/status.js';
import type {
  CheckedReference,
  CommitmentRequest,
  DueCommitment,
  InstanceReference,
  ReportSettlement,
} from '../domain/commitment.js';
import * as sql from './commitment-queries.js';
import type { Catalog } from './database.js';
import { eventWriter } from './events.js';
import { checkFile, Pace } from './file-check.js';

/** Beyond it no request is taken before others are reported: they are rows, and a disk has an end. */
const MAXIMUM_PENDING_INSTANCES = 500_000;

/**
 * A requestor that only wanted to ask releases its association at once; an event report that crosses the release
 * confuses many.
 */
const GRACE_MS = 1000;

/** The requests for storage commitment, one row for each transaction and for each instance that it names. */
export class CommitmentStore {
  readonly #catalog: Catalog;
  readonly #folder: string;
  readonly #onListed: (seriesInstanceUids: readonly string[]) => void;
  readonly #onBadFile: (studyInstanceUid: string) => void;
  readonly #event: ReturnType<typeof eventWriter>;

  constructor(options: {
    catalog: Catalog;
    folder: string;
    /** Writes down, in the same transaction, what a new request's list says of its series. */
    onListed?: (seriesInstanceUids: readonly string[]) => void;
    /** A file of the study is not as it was received. */
    onBadFile?: (studyInstanceUid: string) => void;
  }) {
    const { catalog } = options;
    this.#catalog = catalog;
    this.#folder = options.folder;
    this.#onListed = options.onListed ?? (() => {});
    this.#onBadFile = options.onBadFile ?? (() => {});
    this.#event = eventWriter(catalog);
  }

  accept(request: CommitmentRequest): 'accepted' | 'duplicate-transaction' | 'too-many-pending' {
    const { transactionUid, associationId, callingAeTitle, instances, requestedAt } = request;
    const dueAt = requestedAt + GRACE_MS;
    return this.#catalog
      .transaction(() => {
        const { pending } = this.#catalog.prepare(sql.PENDING_INSTANCES).get() as {
          pending: number;
        };
        if (pending + instances.length > MAXIMUM_PENDING_INSTANCES) return 'too-many-pending';
        const row = { ...request, instances: instances.length, dueAt };
        if (this.#catalog.prepare(sql.INSERT_COMMITMENT).run(row).changes === 0) {
          if (!this.#isSame(request)) return 'duplicate-transaction';
          const repeat = { transactionUid, associationId, callingAeTitle, dueAt };
          const { changes } = this.#catalog.prepare(sql.REPEAT_COMMITMENT).run(repeat);
          return changes > 0 ? 'accepted' : 'duplicate-transaction';
        }
        const insert = this.#catalog.prepare(sql.INSERT_COMMITMENT_INSTANCE);
        for (const instance of instances) insert.run({ transactionUid, ...instance });
        this.#onListed(this.series(transactionUid));
        this.#eventOfStudies(transactionUid, requestedAt, 'commitment-requested', {
          from: callingAeTitle,
          instances: instances.length,
        });
        return 'accepted';
      })
      .immediate();
  }

  due(): DueCommitment[] {
    return this.#catalog.prepare(sql.DUE_COMMITMENTS).all() as DueCommitment[];
  }

  instances(transactionUid: string): InstanceReference[] {
    return this.#catalog
      .prepare(sql.COMMITMENT_INSTANCES)
      .all(transactionUid) as InstanceReference[];
  }

  /** The series that hold instances of a transaction: its list says something of each. */
  series(transactionUid: string): string[] {
    const rows = this.#catalog.prepare(sql.COMMITMENT_SERIES).all(transactionUid);
    return (rows as { seriesInstanceUid: string }[]).map((row) => row.seriesInstanceUid);
  }

  /** Whether the archive holds an instance: its row says so, and the file's bytes have the row's checksum. */
  async check(reference: InstanceReference): Promise<CheckedReference> {
    const row = this.#catalog.prepare(sql.STORED_INSTANCE).get(reference.sopInstanceUid) as
      | {
          sopClassUid: string;
          sha256: string;
          bytes: number;
          file: string;
          studyInstanceUid: string;
        }
      | undefined;
    if (row === undefined) return { ...reference, failureReason: Status.NoSuchObjectInstance };
    if (row.sopClassUid !== reference.sopClassUid) {
      return { ...reference, failureReason: Status.ClassInstanceConflict };
    }
    const path = join(this.#folder, row.file);
    const problem = await checkFile({ ...row, path, of: 'dataset' }, UNPACED);
    if (problem === undefined) return reference;
    this.#onBadFile(row.studyInstanceUid);
    const failureReason =
      problem === 'missing' ? Status.NoSuchObjectInstance : Status.ProcessingFailure;
    return { ...reference, failureReason };
  }

  /** Writes down what was found, and what the requestor said to it. */
  settle(
    due: DueCommitment,
    checked: readonly CheckedReference[],
    settlement: ReportSettlement,
  ): void {
    const at = Date.now();
    const { transactionUid, callingAeTitle } = due;
    const failed = checked.filter(({ failureReason }) => failureReason !== undefined).length;
    const retryAt = settlement.type === 'failed' ? settlement.retryAt : undefined;
    const state =
      settlement.type === 'reported' ? 'reported' : retryAt === undefined ? 'dead' : 'due';
    const failureCode = settlement.type === 'failed' ? settlement.code : null;
    this.#catalog
      .transaction(() => {
        const { changes } = this.#catalog.prepare(sql.SETTLE_COMMITMENT).run({
          transactionUid,
          state,
          dueAt: retryAt ?? null,
          settledAt: state === 'due' ? null : at,
          failureCode,
          failed,
        });
        if (changes === 0) return;
        const setReason = this.#catalog.prepare(sql.SET_FAILURE_REASON);
        for (const { sopInstanceUid, failureReason = Status.Success } of checked) {
          setReason.run({ transactionUid, sopInstanceUid, failureReason });
        }
        if (state === 'due') return;
        this.#eventOfStudies(transactionUid, at, KINDS[state], {
          from: callingAeTitle,
          committed: checked.length - failed,
          failed,
          ...(failureCode === null ? {} : { code: failureCode }),
        });
      })
      .immediate();
  }

  #isSame(request: CommitmentRequest): boolean {
    const known = new Map(
      this.instances(request.transactionUid).map((one) => [one.sopInstanceUid, one.sopClassUid]),
    );
    return (
      known.size === request.instances.length &&
      request.instances.every((one) => known.get(one.sopInstanceUid) === one.sopClassUid)
    );
  }

  #eventOfStudies(
    transactionUid: string,
    at: number,
    kind: 'commitment-requested' | 'commitment-reported' | 'commitment-dead',
    detail: Readonly<Record<string, unknown>>,
  ): void {
    const rows = this.#catalog.prepare(sql.COMMITMENT_STUDIES).all(transactionUid);
    for (const { studyInstanceUid } of rows as { studyInstanceUid: string }[]) {
      this.#event({ at, kind, studyInstanceUid, detail: { transactionUid, ...detail } });
    }
  }
}

/** A requestor waits for the answer. */
const UNPACED = new Pace(Number.POSITIVE_INFINITY);

const KINDS = { reported: 'commitment-reported', dead: 'commitment-dead' } as const;
