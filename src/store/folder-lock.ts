import { join } from 'node:path';
import Database from 'better-sqlite3';

/** Another node runs on this storage folder; two would remove each other's incoming files. */
export class FolderInUseError extends Error {
  readonly code = 'folder-in-use';

  constructor(folder: string, cause: unknown) {
    super(
      `Another Vigil runs on ${folder}: stop it, or give this one a storage.folder of its own`,
      {
        cause,
      },
    );
    this.name = 'FolderInUseError';
  }
}

/** The storage folder takes no lock: it is read-only, full, or its disk fails; `cause` says which. */
export class FolderUnusableError extends Error {
  readonly code = 'folder-unusable';

  constructor(folder: string, cause: unknown) {
    const { message } = cause as Error;
    super(
      `${folder} cannot be used: ${message}. Is it full, read-only, or not writable for Vigil?`,
      {
        cause,
      },
    );
    this.name = 'FolderUnusableError';
  }
}

/**
 * Holds a storage folder for one process. Node has no file locks of its own; SQLite's are the operating system's, which
 * lets go of them when the process ends, however it ends.
 */
export class FolderLock {
  readonly #database: Database.Database;

  private constructor(database: Database.Database) {
    this.#database = database;
  }

  /** @throws FolderInUseError, FolderUnusableError */
  static take(folder: string): FolderLock {
    let database: Database.Database | undefined;
    try {
      database = new Database(join(folder, 'lock.db'), { timeout: 0 });
      database.exec('BEGIN EXCLUSIVE');
      return new FolderLock(database);
    } catch (cause) {
      database?.close();
      const isTaken = cause instanceof Database.SqliteError && cause.code.startsWith('SQLITE_BUSY');
      throw isTaken ? new FolderInUseError(folder, cause) : new FolderUnusableError(folder, cause);
    }
  }

  release(): void {
    this.#database.close();
  }
}
