import { existsSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CLAIM_ANALYSIS, LATEST_ANALYSIS } from '../../../src/store/analysis-queries.js';
import { openCatalog } from '../../../src/store/database.js';
import { CLAIM_DELIVERIES, NEXT_DELIVERY } from '../../../src/store/delivery-queries.js';
import { CatalogUnavailableError } from '../../../src/store/ingest.js';
import { SELECT_INSTANCE } from '../../../src/store/ingest-queries.js';
import * as sql from '../../../src/store/series-queries.js';
import { instancePath, StoreRig } from './rig.js';

describe('Ingest', () => {
  it('commits a group at once and moves its files to their places', async () => {
    await using rig = await StoreRig.open();
    const first = rig.received({ sop: '1.1.1.1' });
    const second = rig.received({ sop: '1.1.1.2' }, 'b');
    expect(rig.ingest.accept(first)).toBe('stored');
    expect(rig.ingest.accept(second)).toBe('stored');
    expect(existsSync(first.file)).toBe(true);
    rig.ingest.flush();
    expect(rig.changes).toHaveLength(1);
    expect(existsSync(first.file)).toBe(false);
    expect(readFileSync(join(rig.folder, instancePath(second.header)), 'utf8')).toBe('b');
    expect(rig.rows('SELECT instances, state FROM series')).toEqual([
      { instances: 2, state: 'receiving' },
    ]);
  });

  it('changes nothing for the same bytes again, before and after the commit', async () => {
    await using rig = await StoreRig.open();
    rig.ingest.accept(rig.received({ sop: '1.1.1.1' }));
    const early = rig.received({ sop: '1.1.1.1' });
    expect(rig.ingest.accept(early)).toBe('duplicate');
    rig.ingest.flush();
    const late = rig.received({ sop: '1.1.1.1' });
    expect(rig.ingest.accept(late)).toBe('duplicate');
    rig.ingest.flush();
    expect([existsSync(early.file), existsSync(late.file)]).toEqual([false, false]);
    expect(rig.rows('SELECT instances FROM series')).toEqual([{ instances: 1 }]);
  });

  it('takes the same bytes again where the stored file has gone', async () => {
    await using rig = await StoreRig.open();
    const first = rig.received({ sop: '1.1.1.1' });
    rig.ingest.accept(first);
    rig.ingest.flush();
    const stored = join(rig.folder, instancePath(first.header));
    rmSync(stored);
    rig.ingest.accept(rig.received({ sop: '1.1.1.1' }));
    expect(readFileSync(stored, 'utf8')).toBe('a');
  });

  it('keeps other bytes under the same SOP Instance UID apart and raises a conflict', async () => {
    await using rig = await StoreRig.open();
    const original = rig.received({ sop: '1.1.1.1' });
    rig.ingest.accept(original);
    expect(rig.ingest.accept(rig.received({ sop: '1.1.1.1' }, 'other'))).toBe('conflict');
    rig.ingest.flush();
    expect(readFileSync(join(rig.folder, instancePath(original.header)), 'utf8')).toBe('a');
    expect(readFileSync(join(rig.folder, 'conflicts/1.1.1.1.other.dcm'), 'utf8')).toBe('other');
    expect(rig.rows('SELECT kind, file FROM conflict')).toEqual([
      { kind: 'instance-bytes', file: 'conflicts/1.1.1.1.other.dcm' },
    ]);
  });

  it('opens a complete series again for a late slice', async () => {
    await using rig = await StoreRig.open();
    rig.ingest.accept(rig.received({ sop: '1.1.1.1' }));
    rig.ingest.flush();
    const reason = { code: 'released', text: 'test' };
    rig.receiving.completeSeries('1.1.1', { confidence: 'likely', reason });
    rig.ingest.accept(rig.received({ sop: '1.1.1.2' }));
    rig.ingest.flush();
    expect(rig.rows('SELECT state, revision FROM series')).toEqual([
      { state: 'receiving', revision: 2 },
    ]);
    expect(rig.receiving.evidence('1.1.1')?.instances).toHaveLength(2);
  });

  it('takes up files that a crash left in the incoming folder, with and without their row', async () => {
    await using rig = await StoreRig.open();
    const withRow = rig.received({ sop: '1.1.1.1' });
    rig.ingest.accept(withRow);
    rig.ingest.flush();
    const again = { ...rig.received({ sop: '1.1.1.1' }), associationId: 7 };
    const withoutRow = { ...rig.received({ sop: '1.1.1.2' }, 'b'), associationId: 8 };
    rig.ingest.recover(again);
    rig.ingest.recover(withoutRow);
    rig.ingest.flush();
    expect([existsSync(again.file), existsSync(withoutRow.file)]).toEqual([false, false]);
    expect(rig.rows('SELECT association_id AS id, ended FROM association')).toEqual([
      { id: 8, ended: 'lost' },
    ]);
    expect(rig.ingest.nextAssociationId()).toBe(9);
  });

  it('refuses while the catalog is locked, keeps what it has, and goes on when it is free', async () => {
    await using rig = await StoreRig.open();
    rig.catalog.pragma('busy_timeout = 0');
    const other = openCatalog(join(rig.folder, 'catalog.db'));
    other.exec('BEGIN IMMEDIATE');
    const waiting = rig.received({ sop: '1.1.1.1' });
    expect(rig.ingest.accept(waiting)).toBe('stored');
    rig.ingest.flush();
    const refused = rig.received({ sop: '1.1.1.2' });
    expect(() => rig.ingest.accept(refused)).toThrow(CatalogUnavailableError);
    expect([existsSync(waiting.file), existsSync(refused.file)]).toEqual([true, true]);
    other.exec('ROLLBACK');
    other.close();
    rig.ingest.flush();
    expect(rig.ingest.accept(refused)).toBe('stored');
    rig.ingest.flush();
    expect(rig.rows('SELECT count(*) AS n FROM instance')).toEqual([{ n: 2 }]);
  });
});

describe('queries on the hot path', () => {
  const hot = {
    SELECT_INSTANCE: SELECT_INSTANCE,
    SERIES_INSTANCES: sql.SERIES_INSTANCES,
    STUDY_SERIES: sql.STUDY_SERIES,
    SELECTION_DUE: sql.SELECTION_DUE,
    NEXT_SELECTION: sql.NEXT_SELECTION,
    RECEIVING_SERIES: sql.RECEIVING_SERIES,
    LATEST_ANALYSIS: LATEST_ANALYSIS,
    CLAIM_ANALYSIS: CLAIM_ANALYSIS,
    CLAIM_DELIVERIES: CLAIM_DELIVERIES,
    NEXT_DELIVERY: NEXT_DELIVERY,
  };

  it.each(Object.entries(hot))('%s scans no table', async (_, statement) => {
    await using rig = await StoreRig.open();
    const parameters = Object.fromEntries(
      [...statement.matchAll(/:(\w+)/g)].map(([, name]) => [name, 0]),
    );
    const plan = rig.catalog.prepare(`EXPLAIN QUERY PLAN ${statement}`);
    const steps = (statement.includes('?') ? plan.all(0) : plan.all(parameters)) as {
      detail: string;
    }[];
    // json_each is a list that is handed in.
    const scans = steps.filter(({ detail }) => /^SCAN (?!.* USING |json_each )/.test(detail));
    expect(scans).toEqual([]);
  });
});
