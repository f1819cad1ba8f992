import { existsSync, renameSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, relative } from 'node:path';
import Database from 'better-sqlite3';
import { HAS_INSTANCE_FILE } from './damage-queries.js';
import { CATALOG_FILE, type Catalog, isCatalogDamage, openCatalog } from './database.js';
import { filesUnder } from './files-under.js';
import { readWhole } from './instance-files.js';
import * as sql from './rebuild-queries.js';

export interface RebuiltCatalog {
  /** Name of the old catalog in the storage folder; null where there was none. */
  readonly kept: string | null;
  /** Rows taken over from the old catalog. */
  readonly rows: number;
  /** Tables of which rows were lost, as far as SQLite can tell. */
  readonly lostTables: readonly string[];
  /** Instances without a row, put into the incoming folder. */
  readonly instances: number;
  /** Files without a row that are not whole, relative to the storage folder. They stay where they are. */
  readonly damaged: readonly string[];
}

/** In the order of their references: what a row refers to comes before it. */
const TABLES = [
  'association',
  'study',
  'series',
  'instance',
  'conflict',
  'analysis',
  'second_reading',
  'result_object',
  'delivery',
  'event',
] as const;

/**
 * Makes a new catalog beside the old one, which is kept: with every row of the old one that can still be read, and with
 * the instances that have lost theirs back in the incoming folder, where the next start takes them in as after a crash.
 * Each of their files says itself what it is (`incoming-mark.ts`). No node may run on the folder.
 */
export async function rebuildCatalog(folder: string): Promise<RebuiltCatalog> {
  const file = join(folder, CATALOG_FILE);
  const kept = existsSync(file) ? `${CATALOG_FILE}.damaged-${Date.now()}` : null;
  if (kept !== null) {
    for (const suffix of ['', '-wal', '-shm']) {
      if (existsSync(file + suffix)) renameSync(file + suffix, join(folder, kept + suffix));
    }
  }
  const catalog = openCatalog(file);
  try {
    const { rows, lostTables } =
      kept === null ? { rows: 0, lostTables: [] } : salvage(join(folder, kept), catalog);
    return { kept, rows, lostTables, ...(await returnToIncoming(folder, catalog)) };
  } finally {
    catalog.close();
  }
}

function salvage(from: string, catalog: Catalog): Pick<RebuiltCatalog, 'rows' | 'lostTables'> {
  const old = new Database(from);
  const lostTables: string[] = [];
  let rows = 0;
  // A row whose parent is lost is left out below, with everything that hangs on it.
  catalog.pragma('foreign_keys = OFF');
  try {
    for (const table of TABLES) {
      const copied = catalog.transaction(() => copyTable(old, catalog, table)).immediate();
      rows += copied.rows;
      if (!copied.whole) lostTables.push(table);
    }
    catalog.transaction(() => {
      for (const statement of sql.DELETE_ROWS_WITHOUT_PARENT) {
        rows -= catalog.prepare(statement).run().changes;
      }
      catalog.prepare(sql.RECOUNT_INSTANCES).run();
      catalog.prepare(sql.LOOK_AT_STUDIES_AGAIN).run({ at: Date.now() });
    })();
  } finally {
    catalog.pragma('foreign_keys = ON');
    old.close();
  }
  return { rows, lostTables };
}

/** Reads a table from both ends, so that a damaged page in the middle costs the rows of that page alone. */
function copyTable(old: Database.Database, catalog: Catalog, table: string) {
  const columns = columnsOf(catalog, table);
  let rows = 0;
  let whole = true;
  for (const order of ['ASC', 'DESC']) {
    const key = columns.find(({ pk }) => pk === 1)?.name ?? 'rowid';
    const query = `SELECT * FROM ${table} ORDER BY ${key} ${order}`;
    const isNew = insertInto(catalog, table, columns);
    whole = true;
    for (const row of readable(old, query, () => {
      whole = false;
    })) {
      if (isNew(row)) rows += 1;
    }
    // Read to its end: the other way would bring nothing new.
    if (whole && order === 'ASC') return { rows, whole };
  }
  return { rows, whole: false };
}

/** Rows up to the first damaged page. */
function* readable(
  old: Database.Database,
  query: string,
  onDamage: () => void,
): Generator<Record<string, unknown>> {
  try {
    yield* old.prepare(query).iterate() as IterableIterator<Record<string, unknown>>;
  } catch (error) {
    // SQLITE_ERROR: a table that the damaged schema does not name.
    const isLost = error instanceof Database.SqliteError && error.code === 'SQLITE_ERROR';
    if (!isCatalogDamage(error) && !isLost) throw error;
    onDamage();
  }
}

interface Column {
  readonly name: string;
  readonly pk: number;
}

function columnsOf(catalog: Catalog, table: string): Column[] {
  return catalog.pragma(`table_info(${table})`) as Column[];
}

/** Returns what inserts a row and says whether it is new; what the schema refuses is no row that Vigil wrote. */
function insertInto(catalog: Catalog, table: string, columns: readonly Column[]) {
  const names = columns.map(({ name }) => name);
  const values = names.map((name) => `:${name}`).join(', ');
  const insert = catalog.prepare(
    `INSERT OR IGNORE INTO ${table} (${names.join(', ')}) VALUES (${values})`,
  );
  return (row: Record<string, unknown>): boolean => {
    try {
      return insert.run(row).changes > 0;
    } catch (error) {
      if (
        !(error instanceof Database.SqliteError) ||
        !/^SQLITE_(CONSTRAINT|MISMATCH)/.test(error.code)
      ) {
        throw error;
      }
      return false;
    }
  };
}

/** Images that are read, and those that were kept apart: what contradicts what is found anew in the order of arrival. */
async function* imagesUnder(folder: string): AsyncGenerator<string> {
  yield* filesUnder(join(folder, 'instances'));
  yield* filesUnder(join(folder, 'conflicts'));
}

async function returnToIncoming(
  folder: string,
  catalog: Catalog,
): Promise<Pick<RebuiltCatalog, 'instances' | 'damaged'>> {
  const incoming = join(folder, 'incoming');
  await mkdir(incoming, { recursive: true, mode: 0o750 });
  const hasRow = catalog.prepare(HAS_INSTANCE_FILE);
  const damaged: string[] = [];
  let instances = 0;
  for await (const path of imagesUnder(folder)) {
    const file = relative(folder, path);
    const name = file.slice(file.lastIndexOf('/') + 1);
    const sopInstanceUid = name.replace(
      file.startsWith('conflicts/') ? /\.[^.]*\.dcm$/ : /\.dcm$/,
      '',
    );
    if (hasRow.get({ sopInstanceUid, file }) !== undefined) continue;
    const found = await readWhole(path).catch(() => undefined);
    if (found === undefined) {
      damaged.push(file);
      continue;
    }
    instances += 1;
    // The name sorts them in the order in which they came.
    renameSync(path, join(incoming, `${found.receivedAt}-${instances}.dcm`));
  }
  return { instances, damaged };
}
