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

/**
 * Holds a storage folder for one process. Node has no file locks of its own; SQLite's are the operating system's, which
 * lets go of them when the process ends, however it ends.
 */
export class FolderLock {
  readonly #database: Database.Database;

  private constructor(database: Database.Database) {
    this.#database = database;
  }

  /** @throws FolderInUseError */
  static take(folder: string): FolderLock {
    const database = new Database(join(folder, 'lock.db'), { timeout: 0 });
    try {
      database.exec('BEGIN EXCLUSIVE');
      return new FolderLock(database);
    } catch (cause) {
      database.close();
      throw new FolderInUseError(folder, cause);
    }
  }

  release(): void {
    this.#database.close();
  }
}
