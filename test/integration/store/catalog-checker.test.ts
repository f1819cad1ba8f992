import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CatalogChecker } from '../../../src/store/catalog-checker.js';
import { CATALOG_FILE, CatalogDamagedError } from '../../../src/store/database.js';
import { StoreRig, silent } from './rig.js';

let rig: StoreRig;
let file: string;
let checker: CatalogChecker;

beforeEach(async () => {
  rig = await StoreRig.open();
  file = join(rig.folder, CATALOG_FILE);
  checker = new CatalogChecker(file, silent);
});

afterEach(async () => {
  await checker[Symbol.asyncDispose]();
  await rig[Symbol.asyncDispose]();
});

/** Makes the catalog larger than what is looked through before a start, then overwrites one of its last pages. */
function grow(): void {
  rig.catalog.exec(`
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000)
    INSERT INTO event (at, kind, detail) SELECT i, 'conflict', hex(zeroblob(4000)) FROM n`);
  rig.catalog.pragma('wal_checkpoint(TRUNCATE)');
}

function overwriteLastPages(): void {
  const pages = rig.catalog.pragma('page_count', { simple: true }) as number;
  const bytes = rig.catalog.pragma('page_size', { simple: true }) as number;
  const handle = openSync(file, 'r+');
  writeSync(handle, Buffer.alloc(8 * bytes, 0xa5), 0, 8 * bytes, (pages - 8) * bytes);
  closeSync(handle);
}

describe('the catalog checker', () => {
  it('looks through a small catalog at once', () => {
    expect(checker.isSmall).toBe(true);
    checker.checkNow(rig.catalog);
    expect(checker.damage).toBeUndefined();
  });

  it('looks through a large one in its own thread, while rows are written', async () => {
    grow();
    expect(checker.isSmall).toBe(false);
    const checking = checker.check();
    rig.catalog.exec(`INSERT INTO event (at, kind) VALUES (1, 'conflict')`);
    await checking;
    expect(checker.damage).toBeUndefined();
  });

  it('names the damage of a large one', async () => {
    grow();
    overwriteLastPages();
    await checker.check();
    expect(checker.damage).toBeTruthy();
    expect(() => checker.checkNow(rig.catalog)).toThrow(CatalogDamagedError);
  });

  it('stops in the middle', async () => {
    grow();
    const checking = checker.check();
    await checker[Symbol.asyncDispose]();
    await checking;
    expect(checker.damage).toBeUndefined();
  });
});
