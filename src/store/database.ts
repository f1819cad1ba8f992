import { basename } from 'node:path';
import Database from 'better-sqlite3';
import { StageError } from '../domain/failure.js';
import { MIGRATIONS } from './migrations.js';

/** The catalog's file in the storage folder. */
export const CATALOG_FILE = 'catalog.db';

export type Catalog = Database.Database;

/** A database was written by a newer Vigil: an older one would misread it. */
export class CatalogVersionError extends Error {
  readonly code = 'catalog-too-new';

  constructor(file: string, found: number, known: number) {
    super(
      `${basename(file)} has schema ${found}, this version knows ${known}: start the newer version, or restore a backup`,
    );
    this.name = 'CatalogVersionError';
  }
}

/** The bytes of `catalog.db` are not what SQLite wrote. */
export class CatalogDamagedError extends Error {
  readonly code = 'catalog-damaged';

  constructor(file: string, cause: unknown) {
    super(
      `${file} is damaged: stop the node, look after the disk, then run "vigil rebuild-catalog" (docs/operations.md)`,
      { cause },
    );
    this.name = 'CatalogDamagedError';
  }
}

const DAMAGE_CODES = /^SQLITE_(CORRUPT|NOTADB)/;

/** Whether an error says that the catalog is damaged for good, and not that it cannot be had at the moment. */
export function isCatalogDamage(error: unknown): boolean {
  if (error instanceof CatalogDamagedError) return true;
  return error instanceof Database.SqliteError && DAMAGE_CODES.test(error.code);
}

/** Whether an error says that the disk has no room for the catalog's next page. */
export function isCatalogFull(error: unknown): boolean {
  return error instanceof Database.SqliteError && error.code === 'SQLITE_FULL';
}

/**
 * Reads the rows of one study.
 * @throws StageError where they are damaged, so that the study can fail and hold up no other
 */
export function readingRows<T>(read: () => T): T {
  try {
    return read();
  } catch (cause) {
    // What a damaged page holds in place of JSON is a SyntaxError.
    if (!isCatalogDamage(cause) && !(cause instanceof SyntaxError)) throw cause;
    const text = 'The catalog is damaged where the study is written down';
    throw new StageError('catalog-damaged', 'permanent', text, { cause });
  }
}

/**
 * Opens the catalog and brings it to the newest schema.
 * @throws CatalogVersionError, CatalogDamagedError
 */
export function openCatalog(file: string, lockWaitMs = 5000): Catalog {
  try {
    return openDatabase(file, MIGRATIONS, lockWaitMs);
  } catch (error) {
    throw isCatalogDamage(error) ? new CatalogDamagedError(file, error) : error;
  }
}

/**
 * Opens a database and brings it to the newest of its schemas. WAL with synchronous FULL: a committed transaction
 * survives a power cut. Another process may hold the write lock for a moment: it is waited for up to `lockWaitMs`,
 * during which the event loop stands still.
 *
 * @throws CatalogVersionError
 */
export function openDatabase(
  file: string,
  migrations: readonly string[],
  lockWaitMs: number,
): Database.Database {
  const database = new Database(file, { timeout: lockWaitMs });
  try {
    database.pragma('journal_mode = WAL');
    database.pragma('synchronous = FULL');
    database.pragma('foreign_keys = ON');
    migrate(database, migrations);
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** A database that is up to date is not written to: each command opens it, beside a node that writes. */
function migrate(database: Database.Database, migrations: readonly string[]): void {
  const missing = () => {
    const version = database.pragma('user_version', { simple: true }) as number;
    if (version > migrations.length) {
      throw new CatalogVersionError(database.name, version, migrations.length);
    }
    return migrations.slice(version);
  };
  if (missing().length === 0) return;
  database
    .transaction(() => {
      // Another process may have been quicker.
      for (const sql of missing()) database.exec(sql);
      database.pragma(`user_version = ${migrations.length}`);
    })
    .immediate();
}

/** Upkeep for a quiet hour: fresh statistics for the query planner, and the write-ahead log folded back. */
export function maintainCatalog(catalog: Catalog): void {
  catalog.pragma('optimize');
  catalog.pragma('wal_checkpoint(TRUNCATE)');
}

/** What SQLite finds wrong with the catalog, or undefined. Reads all of it, and the event loop stands still meanwhile. */
export function findCatalogDamage(catalog: Catalog): string | undefined {
  try {
    const found = catalog.pragma('quick_check(1)', { simple: true }) as string;
    return found === 'ok' ? undefined : found.split('\n')[0];
  } catch (error) {
    if (!isCatalogDamage(error)) throw error;
    return (error as Error).message;
  }
}
