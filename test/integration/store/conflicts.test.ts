import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import { ConflictStore } from '../../../src/store/conflict-store.js';
import { CATALOG_FILE, openCatalog } from '../../../src/store/database.js';
import { MIGRATIONS } from '../../../src/store/migrations.js';
import { Retention } from '../../../src/store/retention.js';
import { StatusStore } from '../../../src/store/status-store.js';
import { StoreRig, silent } from './rig.js';

type Slice = Parameters<StoreRig['received']>[0];

const A: Slice = { study: '1.1', series: '1.1.1', sop: '1.1.1.1', patient: 'a' };

/** What contradicts the slice A, by kind, and the study that is touched beside its own. */
const CASES: readonly (readonly [kind: string, slice: Slice, content: string])[] = [
  ['study-patient', { ...A, sop: '1.1.1.2', patient: 'b' }, 'x'],
  ['study-patient', { ...A, series: '1.1.2', sop: '1.1.2.1', patient: 'b' }, 'x'],
  ['series-study', { ...A, study: '1.2', sop: '1.1.1.2' }, 'x'],
  ['instance-patient', { ...A, patient: 'b' }, 'x'],
  ['instance-patient', { ...A, study: '1.2', patient: 'b' }, 'x'],
  ['instance-study', { ...A, study: '1.2', series: '1.2.1' }, 'x'],
  ['instance-series', { ...A, series: '1.1.2' }, 'x'],
  ['instance-bytes', A, 'x'],
  ['instance-header', A, 'other|a'],
];

function take(rig: StoreRig, slice: Slice, content?: string) {
  const received = rig.received(slice, content);
  const verdict = rig.ingest.accept(received);
  return { received, verdict };
}

describe('an image that contradicts what came before it', () => {
  it.each(CASES)('is kept apart and not read: %s %o', async (kind, slice, content) => {
    await using rig = await StoreRig.open();
    take(rig, A);
    rig.ingest.flush();
    take(rig, slice, content);
    rig.ingest.flush();

    const file = `conflicts/${slice.sop}.${content}.dcm`;
    expect(rig.rows('SELECT kind, file FROM conflict')).toEqual([{ kind, file }]);
    expect(readFileSync(join(rig.folder, file), 'utf8')).toBe(content);
    expect(rig.series.instances('1.1.1').map(({ sha256 }) => sha256)).toEqual(['a']);
    expect(rig.rows('SELECT series_instance_uid AS uid, instances FROM series')).toEqual([
      { uid: '1.1.1', instances: 1 },
    ]);
    const raises = kind !== 'instance-header';
    for (const uid of new Set(['1.1', slice.study ?? ''])) {
      const study = rig.series.conflicts(uid);
      expect(study.kinds).toEqual(raises ? [kind] : []);
      const status = new StatusStore(rig.catalog).study(uid);
      expect(status?.conflicts).toMatchObject([{ kind, studyInstanceUid: slice.study }]);
      expect(status?.events.filter((event) => event.kind === 'conflict')).toHaveLength(1);
    }
    expect(new StatusStore(rig.catalog).counts().conflicts).toBe(raises ? 1 : 0);
  });

  it.each(CASES)('is so within one group, too, and once: %s %o', async (kind, slice, content) => {
    await using rig = await StoreRig.open();
    take(rig, A);
    take(rig, slice, content);
    const again = take(rig, slice, content).received;
    rig.ingest.flush();
    const later = take(rig, slice, content);
    rig.ingest.flush();
    expect(rig.rows('SELECT kind FROM conflict')).toEqual([{ kind }]);
    expect(later.verdict).toBe('duplicate');
    expect([again, later.received].map(({ file }) => existsSync(file))).toEqual([false, false]);
    expect(rig.rows('SELECT count(*) AS n FROM instance')).toEqual([{ n: 1 }]);
  });

  it('does not open a complete series again', async () => {
    await using rig = await StoreRig.open();
    take(rig, A);
    rig.ingest.flush();
    rig.receiving.completeSeries('1.1.1', {
      confidence: 'likely',
      reason: { code: 'released', text: 'test' },
    });
    take(rig, { ...A, sop: '1.1.1.2', patient: 'b' });
    rig.ingest.flush();
    expect(rig.rows('SELECT state FROM series')).toEqual([{ state: 'complete' }]);
  });

  it('gives a study that has nothing else an instance to report on', async () => {
    await using rig = await StoreRig.open();
    take(rig, A);
    take(rig, { ...A, study: '1.2', sop: '1.1.1.2' }, 'x');
    take(rig, { ...A, study: '1.2', sop: '1.1.1.3', patient: 'b' }, 'y');
    rig.ingest.flush();
    expect(rig.series.anyInstances('1.2').map(({ sha256 }) => sha256)).toEqual(['x']);
    expect(rig.series.conflicts('1.2').series).toMatchObject([
      { seriesInstanceUid: '1.1.1', instances: 1, reason: { code: 'series-study' } },
      { seriesInstanceUid: '1.1.1', instances: 1, reason: { code: 'study-patient' } },
    ]);
    expect(rig.rows('SELECT study_instance_uid AS uid FROM study WHERE selection_due_at')).toEqual([
      { uid: '1.1' },
      { uid: '1.2' },
    ]);
  });

  it('is compared with what any image of the study has stated', async () => {
    await using rig = await StoreRig.open();
    const stating = (sop: string, patient: object) => {
      const received = rig.received({ ...A, sop }, sop);
      const header = { ...received.header, patient: { id: 'a', ...patient } };
      rig.ingest.accept({ ...received, header });
    };
    stating('1.1.1.1', {});
    stating('1.1.1.2', { birthDate: '1' });
    stating('1.1.1.3', { birthDate: '2', sex: 'F' });
    stating('1.1.1.4', { sex: 'M' });
    rig.ingest.flush();
    expect(rig.rows('SELECT sop_instance_uid AS uid, kind FROM conflict')).toEqual([
      { uid: '1.1.1.3', kind: 'study-patient' },
    ]);
  });

  it('that is one of our own reports says nothing of the images', async () => {
    await using rig = await StoreRig.open();
    take(rig, A);
    rig.ingest.flush();
    rig.catalog.exec(`
      INSERT INTO analysis (analysis_id, study_instance_uid, revision, input_hash, trigger_code, trigger_text, state,
                            due_at, created_at) VALUES (1, '1.1', 1, '', '', '', 'reported', 0, 0);
      INSERT INTO result_object VALUES ('2.25.1', 1, 'sr', '1', '2.25.9', '1', 'f', 1, 'x', NULL, 0);`);
    take(rig, { study: '1.1', series: '2.25.9', sop: '2.25.1', patient: 'b' }, 'x');
    take(rig, { study: '1.7', series: '2.25.9', sop: '2.25.1', patient: 'b' }, 'y');
    rig.ingest.flush();
    expect(
      rig.rows('SELECT DISTINCT kind, study_instance_uid AS uid FROM conflict'),
    ).toContainEqual({ kind: 'report-refiled', uid: '1.1' });
    expect(rig.series.conflicts('1.1').kinds).toEqual([]);
  });

  it('is settled by a person, and removed with its study then', async () => {
    await using rig = await StoreRig.open();
    take(rig, A);
    take(rig, { ...A, sop: '1.1.1.2', patient: 'b' }, 'x');
    rig.ingest.flush();
    rig.catalog.exec(
      `UPDATE series SET state = 'complete'; UPDATE study SET selection_due_at = NULL`,
    );
    const conflicts = new ConflictStore(rig.catalog, rig.folder);
    const status = new StatusStore(rig.catalog);
    const retention = new Retention({
      catalog: rig.catalog,
      folder: rig.folder,
      freeBytes: async () => 1e12,
      log: silent,
    });
    await retention.recover();
    const limits = { maxAgeMs: 1_000, minFreeBytes: 0 };
    const later = Date.now() + 10_000;
    expect(conflicts.open(10)).toMatchObject([
      { studyInstanceUid: '1.1', kind: 'study-patient', images: 1 },
    ]);
    expect(status.recentStudies(1)).toMatchObject([{ conflict: true }]);
    expect(await retention.run(limits, later)).toBe(0);

    expect(conflicts.settle('1.1')).toBe(1);
    expect(conflicts.settle('1.1')).toBe(0);
    expect(conflicts.open(10)).toEqual([]);
    expect(status.counts().conflicts).toBe(0);
    expect(status.recentStudies(1)).toMatchObject([{ conflict: false }]);
    expect(rig.series.conflicts('1.1').kinds).toEqual(['study-patient']);
    expect(await retention.run(limits, later)).toBe(1);
    expect(existsSync(join(rig.folder, 'conflicts/1.1.1.2.x.dcm'))).toBe(false);
  });
});

describe('a catalog of before', () => {
  it('has the images that it read with another patient taken out of their series', async () => {
    await using rig = await StoreRig.open();
    const file = join(rig.folder, `old-${CATALOG_FILE}`);
    const old = new Database(file);
    const before = MIGRATIONS.findIndex((migration) => migration.includes('conflict_new'));
    for (const migration of MIGRATIONS.slice(0, before)) old.exec(migration);
    old.pragma(`user_version = ${before}`);
    const header = (sop: string) =>
      JSON.stringify({ patientKey: 'b', sopInstanceUid: sop, seriesInstanceUid: '1.1.1' });
    old.exec(`
      INSERT INTO study (study_instance_uid, patient_key, calling_ae_title, called_ae_title, created_at,
                         last_instance_at) VALUES ('1.1', 'a', 'CT', 'VIGIL', 0, 7);
      INSERT INTO series (series_instance_uid, study_instance_uid, state, instances, first_instance_at,
                          last_instance_at) VALUES ('1.1.1', '1.1', 'complete', 2, 0, 0);
      INSERT INTO instance VALUES ('1', '1.1.1', '1', '1', 'x', 1, 'instances/1.dcm', 1, 0, '${header('1')}');
      INSERT INTO instance VALUES ('2', '1.1.1', '1', '1', 'y', 1, 'instances/2.dcm', 1, 0, '${header('2')}');
      INSERT INTO conflict VALUES (1, '2', '1.1', 'study-patient', 'y', NULL, 1, 0);`);
    old.close();
    const catalog = openCatalog(file);
    const rows = (query: string) => catalog.prepare(query).all();
    expect(rows('SELECT sop_instance_uid AS uid FROM instance')).toEqual([{ uid: '1' }]);
    expect(rows('SELECT instances FROM series')).toEqual([{ instances: 1 }]);
    expect(rows('SELECT kind, file, first_study_instance_uid AS first FROM conflict')).toEqual([
      { kind: 'study-patient', file: 'instances/2.dcm', first: '1.1' },
    ]);
    expect(rows('SELECT selection_due_at AS due FROM study')).toEqual([{ due: 7 }]);
    catalog.close();
  });
});
