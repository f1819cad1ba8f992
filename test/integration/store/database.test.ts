import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openCatalog } from '../../../src/store/database.js';
import { StoreRig } from './rig.js';

describe('opening a catalog that has the newest schema', () => {
  it('writes nothing, and waits for nobody who does', async () => {
    await using rig = await StoreRig.open();
    const version = () => rig.catalog.pragma('data_version', { simple: true });
    const before = version();
    rig.catalog.exec('BEGIN IMMEDIATE');
    openCatalog(join(rig.folder, 'catalog.db'), 0).close();
    rig.catalog.exec('ROLLBACK');
    expect(version()).toBe(before);
  });
});
