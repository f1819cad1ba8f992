import Database from 'better-sqlite3';
import { MIGRATIONS } from './migrations.js';

/** The catalog's file in the storage folder. */
export const CATALOG_FILE = 'catalog.db';

export type Catalog = Database.Database;

/** The catalog was written by a newer Vigil: an older one would misread it. */
export class CatalogVersionError extends Error {
  readonly code = 'catalog-too-new';

  constructor(found: number) {
    super(
      `The catalog has schema ${found}, this version knows ${MIGRATIONS.length}: start the newer version, or restore a backup`,
    );
    this.name = 'CatalogVersionError';
  }
}

/**
 * Opens the catalog and brings it to the newest schema. WAL with synchronous FULL: a committed transaction survives a
 * power cut.
 */
export function openCatalog(file: string): Catalog {
  const catalog = new Database(file);
  try {
    catalog.pragma('journal_mode = WAL');
    catalog.pragma('synchronous = FULL');
    catalog.pragma('foreign_keys = ON');
    // Another process (the CLI) may be reading or asking for a resend.
    catalog.pragma('busy_timeout = 5000');
    migrate(catalog);
    return catalog;
  } catch (error) {
    catalog.close();
    throw error;
  }
}

function migrate(catalog: Catalog): void {
  const version = catalog.pragma('user_version', { simple: true }) as number;
  if (version > MIGRATIONS.length) throw new CatalogVersionError(version);
  catalog
    .transaction(() => {
      for (const sql of MIGRATIONS.slice(version)) catalog.exec(sql);
      catalog.pragma(`user_version = ${MIGRATIONS.length}`);
    })
    .immediate();
}

/** Upkeep for a quiet hour: fresh statistics for the query planner, and the write-ahead log folded back. */
export function maintainCatalog(catalog: Catalog): void {
  catalog.pragma('optimize');
  catalog.pragma('wal_checkpoint(TRUNCATE)');
}
