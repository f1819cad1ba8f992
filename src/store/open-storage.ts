import { join } from 'node:path';
import Database from 'better-sqlite3';
import { CATALOG_FILE, type Catalog, openCatalog } from './database.js';
import { makeDurableFolder } from './durable-folder.js';
import { FolderLock, FolderUnusableError } from './folder-lock.js';
import { withReserve } from './reserve.js';

/** Longer than any command writes; whoever holds the lock longer is waited for between the passes of the workers. */
const LOCK_WAIT_MS = 200;

/** What SQLite says of a disk that is full, read-only or failing. */
const DISK_CODES = /^SQLITE_(FULL|IOERR|CANTOPEN|READONLY)/;

export interface OpenStorage {
  readonly lock: FolderLock;
  readonly catalog: Catalog;
}

/**
 * Takes the storage folder for this process and opens its catalog, also on a full disk.
 * @throws FolderInUseError, FolderUnusableError, CatalogDamagedError, CatalogVersionError; nothing is left open then
 */
export function openStorage(folder: string): OpenStorage {
  makeDurableFolder(folder);
  return withReserve(folder, () => {
    const lock = FolderLock.take(folder);
    try {
      return { lock, catalog: openCatalog(join(folder, CATALOG_FILE), LOCK_WAIT_MS) };
    } catch (error) {
      lock.release();
      const isOfDisk = error instanceof Database.SqliteError && DISK_CODES.test(error.code);
      throw isOfDisk ? new FolderUnusableError(folder, error) : error;
    }
  });
}
