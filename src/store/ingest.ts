import type { InstanceHeader } from '../domain/instance.js';
import type { Log } from '../log.js';
import type { Catalog } from './database.js';
import { eventWriter } from './events.js';
import * as sql from './queries.js';

/** An instance whose bytes are durable in the incoming folder, as the receiver or the recovery hands it over. */
export interface ReceivedInstance {
  readonly header: InstanceHeader;
  /** Absolute path in the incoming folder. */
  readonly file: string;
  /** Hex SHA-256 of the dataset's bytes. */
  readonly sha256: string;
  readonly bytes: number;
  readonly associationId: number;
  readonly callingAeTitle: string;
  readonly calledAeTitle: string;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
}

export interface OpenedAssociation {
  readonly associationId: number;
  readonly callingAeTitle: string;
  readonly calledAeTitle: string;
  readonly remoteAddress: string;
  readonly openedAt: number;
}

export type AssociationEnd = 'released' | 'aborted' | 'lost';

/** What an instance is to the catalog: new, the same bytes again, or other bytes under a known SOP Instance UID. */
export type Verdict = 'stored' | 'duplicate' | 'conflict';

/** Where the archive's files go. */
export interface Placement {
  /** Path of an instance, relative to the storage folder. */
  instancePath(header: InstanceHeader): string;
  conflictPath(header: InstanceHeader, sha256: string): string;
  /** Renames a file out of the incoming folder; does nothing where that has happened already. */
  place(incomingFile: string, path: string): void;
  isPlaced(path: string): boolean;
  /** Removes a file of the incoming folder. */
  discard(incomingFile: string): void;
}

/** The catalog cannot take rows at the moment; what it has acknowledged is safe in the incoming folder. */
export class CatalogUnavailableError extends Error {
  readonly code = 'catalog-unavailable';

  constructor(cause: unknown) {
    super('The catalog cannot take new rows', { cause });
    this.name = 'CatalogUnavailableError';
  }
}

interface Placed {
  readonly received: ReceivedInstance;
  readonly verdict: 'stored' | 'conflict';
  readonly path: string;
}

type Pending =
  | ({ readonly type: 'instance' } & Placed)
  | { readonly type: 'opened'; readonly association: OpenedAssociation }
  | {
      readonly type: 'closed';
      readonly associationId: number;
      readonly ended: AssociationEnd;
      readonly closedAt: number;
    };

/** Rows wait this long for company: one FULL commit costs as much as several images. */
const GROUP_MS = 5;
const RETRY_MS = 1000;

/**
 * Takes received instances into the catalog in groups. The bytes are durable before `accept`, so a row that a crash
 * cuts off is made again from its file; until its row is committed the file stays in the incoming folder.
 */
export class Ingest {
  readonly #files: Placement;
  readonly #onCommit: (change: CommittedChange) => void;
  readonly #log: Log;
  readonly #commitGroup: (group: readonly Pending[]) => CommittedChange;
  readonly #selectInstance;
  readonly #loseOpenAssociations;
  #waiting: Pending[] = [];
  /** SHA-256 of instances that wait for their row, by SOP Instance UID. */
  readonly #uncommitted = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #failure: unknown;
  #lastAssociationId: number;

  constructor(options: {
    catalog: Catalog;
    files: Placement;
    onCommit: (change: CommittedChange) => void;
    log: Log;
  }) {
    this.#files = options.files;
    this.#onCommit = options.onCommit;
    this.#log = options.log;
    this.#selectInstance = options.catalog.prepare<[string], { sha256: string; file: string }>(
      sql.SELECT_INSTANCE,
    );
    this.#loseOpenAssociations = options.catalog.prepare(sql.LOSE_OPEN_ASSOCIATIONS);
    this.#commitGroup = groupCommitter(options.catalog);
    const last = options.catalog.prepare(sql.LAST_ASSOCIATION_ID).get() as { id: number };
    this.#lastAssociationId = last.id;
  }

  /** Associations that a process which is gone had open ended with it. */
  loseOpenAssociations(): void {
    this.#loseOpenAssociations.run({ at: Date.now() });
  }

  nextAssociationId(): number {
    this.#lastAssociationId += 1;
    return this.#lastAssociationId;
  }

  associationOpened(association: OpenedAssociation): void {
    this.#enqueue({ type: 'opened', association });
  }

  associationClosed(associationId: number, ended: AssociationEnd, closedAt: number): void {
    this.#enqueue({ type: 'closed', associationId, ended, closedAt });
  }

  /**
   * Takes an instance and the care for its file. Throws CatalogUnavailableError, with the file untouched, while rows
   * cannot be committed.
   */
  accept(received: ReceivedInstance): Verdict {
    if (this.#failure !== undefined) throw new CatalogUnavailableError(this.#failure);
    const { sopInstanceUid } = received.header;
    const known = this.#knownSha256(sopInstanceUid);
    if (known === undefined) {
      const path = this.#files.instancePath(received.header);
      this.#uncommitted.set(sopInstanceUid, received.sha256);
      this.#enqueue({ type: 'instance', received, verdict: 'stored', path });
      return 'stored';
    }
    if (known === received.sha256) {
      this.#files.discard(received.file);
      return 'duplicate';
    }
    const path = this.#files.conflictPath(received.header, received.sha256);
    if (this.#files.isPlaced(path)) {
      this.#files.discard(received.file);
      return 'conflict';
    }
    this.#enqueue({ type: 'instance', received, verdict: 'conflict', path });
    return 'conflict';
  }

  /** Takes a whole file that a crash left in the incoming folder: with or without its row, it ends in its place. */
  recover(received: ReceivedInstance): void {
    this.#lastAssociationId = Math.max(this.#lastAssociationId, received.associationId);
    const row = this.#selectInstance.get(received.header.sopInstanceUid);
    if (row?.sha256 === received.sha256) {
      if (this.#files.isPlaced(row.file)) this.#files.discard(received.file);
      else this.#files.place(received.file, row.file);
      return;
    }
    this.associationOpened({
      associationId: received.associationId,
      callingAeTitle: received.callingAeTitle,
      calledAeTitle: received.calledAeTitle,
      remoteAddress: '',
      openedAt: received.receivedAt,
    });
    this.associationClosed(received.associationId, 'lost', received.receivedAt);
    this.accept(received);
  }

  /** Why the catalog takes no rows, or undefined while it does. */
  get failure(): unknown {
    return this.#failure;
  }

  /** Commits what waits, now. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.length === 0) return;
    const group = this.#waiting;
    let change: CommittedChange;
    try {
      change = this.#commitGroup(group);
    } catch (error) {
      this.#failure = error;
      this.#log.error(
        { err: error, waiting: group.length },
        'the catalog takes no rows; trying again',
      );
      this.#timer = setTimeout(() => this.flush(), RETRY_MS);
      return;
    }
    this.#waiting = [];
    this.#failure = undefined;
    for (const entry of group) {
      if (entry.type !== 'instance') continue;
      if (entry.verdict === 'stored') {
        this.#uncommitted.delete(entry.received.header.sopInstanceUid);
      }
      this.#place(entry);
    }
    this.#onCommit(change);
  }

  #place(entry: Placed): void {
    try {
      this.#files.place(entry.received.file, entry.path);
    } catch (error) {
      this.#log.error(
        { err: error },
        'a stored file could not be moved to its place; trying again',
      );
      setTimeout(() => this.#place(entry), RETRY_MS).unref();
    }
  }

  #knownSha256(sopInstanceUid: string): string | undefined {
    const waiting = this.#uncommitted.get(sopInstanceUid);
    if (waiting !== undefined) return waiting;
    try {
      return this.#selectInstance.get(sopInstanceUid)?.sha256;
    } catch (error) {
      throw new CatalogUnavailableError(error);
    }
  }

  #enqueue(entry: Pending): void {
    this.#waiting.push(entry);
    this.#timer ??= setTimeout(() => this.flush(), GROUP_MS);
  }
}

/** What a group brought: the series with new instances, and the associations that ended. */
export interface CommittedChange {
  readonly instances: readonly ReceivedInstance[];
  readonly conflicts: readonly ReceivedInstance[];
  readonly closedAssociations: readonly number[];
}

function groupCommitter(catalog: Catalog): (group: readonly Pending[]) => CommittedChange {
  const event = eventWriter(catalog);
  const openAssociation = catalog.prepare(sql.INSERT_ASSOCIATION);
  const closeAssociation = catalog.prepare(sql.CLOSE_ASSOCIATION);
  const upsertStudy = catalog.prepare(sql.UPSERT_STUDY);
  const selectSeries = catalog.prepare(sql.SELECT_SERIES_STATE);
  const insertSeries = catalog.prepare(sql.INSERT_SERIES);
  const reopenSeries = catalog.prepare(sql.REOPEN_SERIES);
  const countInstance = catalog.prepare(sql.COUNT_INSTANCE_IN_SERIES);
  const insertInstance = catalog.prepare(sql.INSERT_INSTANCE);
  const insertConflict = catalog.prepare(sql.INSERT_CONFLICT);

  const raiseConflict = (kind: string, { received, path }: Placed, ownFile: boolean) => {
    const { header, sha256, associationId, receivedAt } = received;
    const { sopInstanceUid, studyInstanceUid, seriesInstanceUid } = header;
    const file = ownFile ? path : null;
    const row = { sopInstanceUid, studyInstanceUid, kind, sha256, file, associationId, receivedAt };
    if (insertConflict.run(row).changes === 0) return;
    event({
      at: receivedAt,
      kind: 'conflict',
      studyInstanceUid,
      seriesInstanceUid,
      associationId,
      detail: { conflict: kind, sopInstanceUid },
    });
  };

  const store = (placed: Placed) => {
    const { header, receivedAt, associationId } = placed.received;
    const { studyInstanceUid, seriesInstanceUid } = header;
    const study = upsertStudy.get({
      studyInstanceUid,
      patientKey: header.patientKey,
      callingAeTitle: placed.received.callingAeTitle,
      calledAeTitle: placed.received.calledAeTitle,
      receivedAt,
    }) as { patientKey: string };
    if (study.patientKey !== header.patientKey) raiseConflict('study-patient', placed, false);
    const series = selectSeries.get(seriesInstanceUid) as
      | { state: string; studyInstanceUid: string }
      | undefined;
    if (series === undefined) {
      insertSeries.run({
        seriesInstanceUid,
        studyInstanceUid,
        modality: header.modality ?? null,
        seriesNumber: header.seriesNumber ?? null,
        receivedAt,
      });
    } else {
      if (series.studyInstanceUid !== studyInstanceUid)
        raiseConflict('series-study', placed, false);
      if (reopenSeries.run({ seriesInstanceUid, receivedAt }).changes > 0) {
        event({
          at: receivedAt,
          kind: 'series-reopened',
          studyInstanceUid,
          seriesInstanceUid,
          associationId,
        });
      }
    }
    countInstance.run({ seriesInstanceUid, receivedAt });
    insertInstance.run({
      sopInstanceUid: header.sopInstanceUid,
      seriesInstanceUid,
      sopClassUid: header.sopClassUid,
      transferSyntaxUid: header.transferSyntaxUid,
      sha256: placed.received.sha256,
      bytes: placed.received.bytes,
      file: placed.path,
      associationId,
      receivedAt,
      header: JSON.stringify(header),
    });
  };

  return catalog.transaction((group: readonly Pending[]): CommittedChange => {
    const instances: ReceivedInstance[] = [];
    const conflicts: ReceivedInstance[] = [];
    const closedAssociations: number[] = [];
    for (const entry of group) {
      if (entry.type === 'opened') {
        openAssociation.run(entry.association);
      } else if (entry.type === 'closed') {
        const { associationId, ended, closedAt } = entry;
        closeAssociation.run({ associationId, ended, closedAt });
        closedAssociations.push(associationId);
        if (ended !== 'released') {
          event({ at: closedAt, kind: 'association-closed', associationId, detail: { ended } });
        }
      } else if (entry.verdict === 'stored') {
        store(entry);
        instances.push(entry.received);
      } else {
        raiseConflict('instance-bytes', entry, true);
        conflicts.push(entry.received);
      }
    }
    return { instances, conflicts, closedAssociations };
  }).immediate;
}
