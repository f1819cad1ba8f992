import type {
  AssociationEnd,
  OpenedAssociation,
  ReceivedInstance,
  Verdict,
} from '../domain/received-instance.js';
import type { Log } from '../log.js';
import { SELECT_CONFLICT_FILE } from './conflict-queries.js';
import { DamageStore } from './damage-store.js';
import type { Catalog } from './database.js';
import * as sql from './ingest-queries.js';
import {
  type CommittedChange,
  type GroupFiles,
  groupCommitter,
  type Pending,
  type Placed,
} from './ingest-rows.js';

/** Where the archive's files go. */
export interface Placement extends GroupFiles {
  /** Makes the folder of such a path. @throws Error of the disk */
  makeRoom(path: string): void;
  /** Renames a file out of the incoming folder; does nothing where that has happened already. */
  place(incomingFile: string, path: string): void;
  isPlaced(path: string): boolean;
  /** As `place`, over a file that is known to be damaged. */
  replace(incomingFile: string, path: string): void;
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

interface KnownInstance {
  readonly sha256: string;
  readonly file: string;
  /** 1 where the file is known to be missing or not as it was received. */
  readonly damaged: 0 | 1;
  /** 1 where an association that carried it was released; of instances that are read alone. */
  readonly released?: 0 | 1;
}

/**
 * Rows wait for company until none has come for so long, or the first has waited for the longest: one FULL commit costs
 * as much as several images and holds up those that arrive meanwhile, so a burst is committed a few times a second,
 * and the last slice of a series at once.
 */
const QUIET_MS = 20;
const LONGEST_MS = 250;
const RETRY_MS = 1000;

/**
 * Takes received instances into the catalog in groups. The bytes are durable before `accept`, so a row that a crash
 * cuts off is made again from its file; until its row is committed the file stays in the incoming folder.
 */
export class Ingest {
  readonly #files: Placement;
  readonly #onCommit: (change: CommittedChange) => void;
  readonly #onRestored: (() => void) | undefined;
  readonly #damage: DamageStore;
  readonly #log: Log;
  readonly #commitGroup: ReturnType<typeof groupCommitter>;
  readonly #selectInstance;
  readonly #selectConflict;
  readonly #loseOpenAssociations;
  #waiting: Pending[] = [];
  /** When the first of those that wait came, by the clock of `performance`. */
  #waitingSince = 0;
  /** SHA-256 of instances that wait for their row, by SOP Instance UID. */
  readonly #uncommitted = new Map<string, string>();
  #timer: NodeJS.Timeout | undefined;
  #failure: unknown;
  #lastAssociationId: number;

  constructor(options: {
    catalog: Catalog;
    files: Placement;
    onCommit: (change: CommittedChange) => void;
    /** A damaged file was sent again, and its study is to be read again. */
    onRestored?: () => void;
    log: Log;
  }) {
    this.#files = options.files;
    this.#onCommit = options.onCommit;
    this.#log = options.log;
    this.#onRestored = options.onRestored;
    this.#damage = new DamageStore(options.catalog);
    this.#selectInstance = options.catalog.prepare<[string], KnownInstance>(sql.SELECT_INSTANCE);
    this.#selectConflict = options.catalog.prepare<object, KnownInstance>(SELECT_CONFLICT_FILE);
    this.#loseOpenAssociations = options.catalog.prepare(sql.LOSE_OPEN_ASSOCIATIONS);
    this.#commitGroup = groupCommitter(options.catalog, options.files);
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
    const { header, sha256, file } = received;
    const waiting = this.#uncommitted.get(header.sopInstanceUid);
    if (waiting === sha256) {
      this.#files.discard(file);
      this.#repeated(received);
      return 'duplicate';
    }
    const { instance, same } = this.#known(received);
    if (same !== undefined) {
      this.#settleKnown(file, same);
      if (same.released === 0) this.#repeated(received);
      return 'duplicate';
    }
    const isNew = waiting === undefined && instance === undefined;
    if (isNew) {
      // A full disk is told to the sender, who keeps the instance: once acknowledged, placing it takes a rename alone.
      this.#files.makeRoom(this.#files.instancePath(header));
      this.#uncommitted.set(header.sopInstanceUid, sha256);
    }
    // Whether it contradicts what came before is known in the transaction that makes it a row.
    this.#enqueue({ type: 'instance', received });
    return isNew ? 'stored' : 'conflict';
  }

  /** Takes a whole file that a crash left in the incoming folder: with or without its row, it ends in its place. */
  recover(received: ReceivedInstance): void {
    this.#lastAssociationId = Math.max(this.#lastAssociationId, received.associationId);
    const { same } = this.#known(received);
    if (same !== undefined) {
      this.#settleKnown(received.file, same);
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
    let change: ReturnType<ReturnType<typeof groupCommitter>>;
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
    for (const entry of change.placed) {
      this.#uncommitted.delete(entry.received.header.sopInstanceUid);
      this.#place(entry);
    }
    this.#onCommit(change);
  }

  #place(entry: Placed): void {
    try {
      if (entry.verdict === 'duplicate') this.#files.discard(entry.received.file);
      else this.#files.place(entry.received.file, entry.path);
    } catch (error) {
      this.#log.error(
        { err: error },
        'a stored file could not be moved to its place; trying again',
      );
      setTimeout(() => this.#place(entry), RETRY_MS).unref();
    }
  }

  /** Counts for an instance of which it is in doubt whether its first association had told all. */
  #repeated({ header, associationId }: ReceivedInstance): void {
    const { sopInstanceUid, seriesInstanceUid } = header;
    this.#enqueue({ type: 'repetition', sopInstanceUid, seriesInstanceUid, associationId });
  }

  /** The same bytes as a row's: they take the place of its file where that is gone or damaged. */
  #settleKnown(file: string, { file: path, damaged }: KnownInstance): void {
    if (damaged === 0 && this.#files.isPlaced(path)) {
      this.#files.discard(file);
      return;
    }
    this.#files.replace(file, path);
    if (damaged === 1 && this.#damage.whole(path)) this.#onRestored?.();
  }

  /** The image that is read under the same SOP Instance UID, and whatever is kept with the same bytes. */
  #known({ header, sha256 }: ReceivedInstance): {
    instance: KnownInstance | undefined;
    same: KnownInstance | undefined;
  } {
    const { sopInstanceUid } = header;
    try {
      const instance = this.#selectInstance.get(sopInstanceUid);
      if (instance?.sha256 === sha256) return { instance, same: instance };
      return { instance, same: this.#selectConflict.get({ sopInstanceUid, sha256 }) };
    } catch (error) {
      throw new CatalogUnavailableError(error);
    }
  }

  #enqueue(entry: Pending): void {
    this.#waiting.push(entry);
    if (this.#timer === undefined) {
      this.#waitingSince = performance.now();
      this.#timer = setTimeout(() => this.flush(), QUIET_MS);
    } else if (
      this.#failure === undefined &&
      performance.now() - this.#waitingSince < LONGEST_MS - QUIET_MS
    ) {
      this.#timer.refresh();
    }
  }
}
