import { chownSync, existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { makeDurableFolder } from './durable-folder.js';

/** Beside the catalog, not in it: rebuilding the catalog must not lose who changed what. */
export const CONFIG_HISTORY_FILE = 'config-history.db';

/** How a version came to be: found at a start or in the file, by `vigil config`, or through the API. */
export type AppliedBy = 'start' | 'file' | 'command' | 'api';

/** A configuration that has been applied, without its text. Times are milliseconds since the epoch. */
export interface ConfigVersion {
  /** From 1; each one is written once and never changed. */
  readonly version: number;
  /** Hex SHA-256 of the text. */
  readonly hash: string;
  readonly appliedAt: number;
  /** The operating system's user or the account; `file` for an edit that was noticed in the file. */
  readonly who: string;
  readonly how: AppliedBy;
  readonly reason: string;
  /** The version whose text it has again. */
  readonly rollbackTo?: number;
  /** When the node has taken it; absent while it has not. */
  readonly inForceAt?: number;
}

export interface ConfigVersionText extends ConfigVersion {
  readonly text: string;
}

export type NewConfigVersion = Pick<
  ConfigVersionText,
  'hash' | 'text' | 'who' | 'how' | 'reason' | 'rollbackTo'
>;

const SCHEMA = `
  CREATE TABLE IF NOT EXISTS version (
    version INTEGER PRIMARY KEY,
    hash TEXT NOT NULL,
    text TEXT NOT NULL,
    applied_at INTEGER NOT NULL,
    who TEXT NOT NULL,
    how TEXT NOT NULL CHECK (how IN ('start', 'file', 'command', 'api')),
    reason TEXT NOT NULL,
    rollback_to INTEGER REFERENCES version,
    in_force_at INTEGER
  ) STRICT`;

const COLUMNS = `version, hash, applied_at AS appliedAt, who, how, reason, rollback_to AS rollbackTo,
  in_force_at AS inForceAt`;

/** Whoever holds the lock writes one small file meanwhile. Milliseconds. */
const LOCK_WAIT_MS = 2000;

/**
 * The configurations that have been applied, in a small database of their own that is open only while it is used. Its
 * write lock is also what two who apply at once wait for.
 */
export class ConfigHistory implements Disposable {
  readonly #database: Database.Database;

  private constructor(database: Database.Database) {
    this.#database = database;
  }

  /** Makes it where there is none yet. */
  static open(folder: string): ConfigHistory {
    makeDurableFolder(folder);
    const file = join(folder, CONFIG_HISTORY_FILE);
    const isNew = !existsSync(file);
    const database = new Database(file, { timeout: LOCK_WAIT_MS });
    try {
      database.pragma('synchronous = EXTRA');
      database.exec(SCHEMA);
      if (isNew) giveToOwner(file, folder);
      return new ConfigHistory(database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  /** Nobody else writes while `work` runs; all of it is kept, or nothing where it throws. */
  exclusively<T>(work: () => T): T {
    return this.#database.transaction(work).immediate();
  }

  newest(): ConfigVersion | undefined {
    return this.#one(`SELECT ${COLUMNS} FROM version ORDER BY version DESC LIMIT 1`);
  }

  /** Newest first. */
  list(limit: number, before = Number.MAX_SAFE_INTEGER): ConfigVersion[] {
    const query = `SELECT ${COLUMNS} FROM version WHERE version < ? ORDER BY version DESC LIMIT ?`;
    const rows = this.#database.prepare(query).all(before, limit);
    return (rows as VersionRow[]).map(versionOf);
  }

  /** A version by its number, or the newest one whose hash begins so. */
  find(reference: string): ConfigVersionText | undefined {
    const isNumber = /^\d{1,5}$/.test(reference);
    const where = isNumber ? 'version = ?' : "hash LIKE ? || '%'";
    const query = `SELECT ${COLUMNS}, text FROM version WHERE ${where} ORDER BY version DESC LIMIT 1`;
    const row = this.#database.prepare(query).get(isNumber ? Number(reference) : reference);
    return row === undefined
      ? undefined
      : { ...versionOf(row as VersionRow), text: (row as { text: string }).text };
  }

  add({ hash, text, who, how, reason, rollbackTo }: NewConfigVersion, now: number): ConfigVersion {
    const insert = `
      INSERT INTO version (hash, text, applied_at, who, how, reason, rollback_to)
      VALUES (:hash, :text, :now, :who, :how, :reason, :rollbackTo) RETURNING ${COLUMNS}`;
    const row = this.#database
      .prepare(insert)
      .get({ hash, text, who, how, reason, now, rollbackTo: rollbackTo ?? null });
    return versionOf(row as VersionRow);
  }

  /** The node works by this version from now on. */
  markInForce(version: number, now: number): void {
    this.#database
      .prepare('UPDATE version SET in_force_at = ? WHERE version = ? AND in_force_at IS NULL')
      .run(now, version);
  }

  #one(query: string): ConfigVersion | undefined {
    const row = this.#database.prepare(query).get();
    return row === undefined ? undefined : versionOf(row as VersionRow);
  }
}

interface VersionRow extends Omit<ConfigVersion, 'rollbackTo' | 'inForceAt'> {
  readonly rollbackTo: number | null;
  readonly inForceAt: number | null;
}

function versionOf(row: VersionRow): ConfigVersion {
  const { version, hash, appliedAt, who, how, reason, rollbackTo, inForceAt } = row;
  return {
    ...{ version, hash, appliedAt, who, how, reason },
    ...(rollbackTo !== null && { rollbackTo }),
    ...(inForceAt !== null && { inForceAt }),
  };
}

/** Root may be the first to write here, and the node must be able to. */
function giveToOwner(file: string, folder: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, gid } = statSync(folder);
  chownSync(file, uid, gid);
}
