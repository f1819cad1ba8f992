import Database from 'better-sqlite3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Catalog, openCatalog } from '../../../src/store/database.js';
import * as sql from '../../../src/store/worklist-queries.js';
import { WorklistStore } from '../../../src/store/worklist-store.js';
import { temporaryFolder } from '../node/node-rig.js';

const STUDIES = 100_000;
const OUTCOMES = ['negative', 'positive', 'undetermined', 'not-eligible', 'failed'] as const;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let catalog: Catalog;

/** A month of a large hospital: one study in a hundred is positive, one in a thousand failed. */
beforeAll(async () => {
  folder = await temporaryFolder();
  catalog = openCatalog(`${folder.path}/catalog.db`);
  catalog.pragma('synchronous = OFF');
  const insertStudy = catalog.prepare(
    `INSERT INTO study (study_instance_uid, patient_key, calling_ae_title, called_ae_title, created_at, last_instance_at)
     VALUES (?, 'k', 'CT1', 'VIGIL', ?, ?)`,
  );
  const insertAnalysis = catalog.prepare(
    `INSERT INTO analysis (study_instance_uid, revision, input_hash, trigger_code, trigger_text, state, due_at,
                           created_at, outcome, finding)
     VALUES (?, 1, 'h', 'released', 'r', 'reported', 0, 0, ?, ?)`,
  );
  const label = catalog.prepare(sql.LABEL_STUDY);
  catalog.transaction(() => {
    for (let i = 1; i <= STUDIES; i += 1) {
      const uid = `1.2.${i}`;
      const outcome = OUTCOMES[i % 1000 === 0 ? 4 : i % 100 === 0 ? 1 : 0] ?? 'negative';
      const classes = [{ name: 'any', probability: 0.5, presence: 'absent' }];
      insertStudy.run(uid, i * 1000, i * 1000);
      insertAnalysis.run(uid, outcome, JSON.stringify({ outcome, classes }));
      label.run({
        number: i,
        patientName: `Family${i}^Given`,
        patientId: `PID-${i}`,
        birthDate: null,
        sex: null,
        accessionNumber: null,
        studyDescription: 'CT HEAD',
      });
    }
  })();
}, 240_000);
afterAll(async () => {
  catalog.close();
  await folder[Symbol.asyncDispose]();
});

function planOf(filter: sql.PageFilter): string {
  const parameters = {
    before: 1e9,
    from: 0,
    since: 0,
    until: 1e15,
    limit: 51,
    text: '"family"*',
    outcome: 'positive',
    states: '[]',
  };
  const query = `EXPLAIN QUERY PLAN ${sql.pageQuery(filter)}`;
  const named = Object.fromEntries(
    Object.entries(parameters).filter(([name]) => query.includes(`:${name}`)),
  );
  const rows = catalog.prepare(query).all(named) as { detail: string }[];
  return rows.map(({ detail }) => detail).join('\n');
}

describe('with 100 000 studies', () => {
  for (const text of [false, true]) {
    for (const outcome of [false, true]) {
      for (const states of ['all', 'under-way', 'some'] as const) {
        it(`a page is found by indexes: ${JSON.stringify({ text, outcome, states })}`, () => {
          const plan = planOf({ text, outcome, states });
          expect(plan).not.toMatch(/SCAN (w|s|a|b|r|study|series|analysis|worklist)\b(?! USING)/);
          // The few that are under way may be sorted; a whole list never is.
          if (states !== 'under-way') expect(plan).not.toContain('TEMP B-TREE FOR ORDER BY');
          if (outcome && !text && states !== 'under-way')
            expect(plan).toContain('worklist_outcome');
          if (text) expect(plan).toContain('worklist_text VIRTUAL TABLE INDEX');
        });
      }
    }
  }

  it('finds what is rare and what is one of many', () => {
    const worklist = new WorklistStore(catalog);
    const failed = worklist.search({ outcome: ['failed'], limit: 50 });
    expect(failed.studies[0]?.studyInstanceUid).toBe(`1.2.${STUDIES}`);
    expect(failed.studies).toHaveLength(50);
    const mixed = worklist.search({ outcome: ['failed', 'positive'], limit: 3 });
    expect(mixed.studies.map(({ studyInstanceUid }) => studyInstanceUid)).toEqual([
      '1.2.100000',
      '1.2.99900',
      '1.2.99800',
    ]);
    expect(worklist.search({ text: 'family77777', limit: 50 }).studies).toMatchObject([
      { patient: { name: 'Family77777, Given', id: 'PID-77777' } },
    ]);
    expect(worklist.search({ since: 99_999_000, limit: 50 }).studies).toHaveLength(2);
    let { studies, next } = worklist.search({ text: 'given', limit: 200 });
    const seen = new Set(studies.map(({ studyInstanceUid }) => studyInstanceUid));
    ({ studies, next } = worklist.search({ text: 'given', limit: 200, cursor: String(next) }));
    for (const { studyInstanceUid } of studies) seen.add(studyInstanceUid);
    expect(seen.size).toBe(400);
    expect(next).not.toBeNull();
  });

  it('forgets what is removed', () => {
    catalog.prepare('DELETE FROM analysis WHERE study_instance_uid = ?').run('1.2.5');
    catalog.prepare('DELETE FROM study WHERE study_instance_uid = ?').run('1.2.5');
    expect(new WorklistStore(catalog).search({ text: 'family5', limit: 1 }).studies).not.toEqual(
      [],
    );
    const hits = catalog
      .prepare(`SELECT rowid FROM worklist_text WHERE worklist_text MATCH '"family5"'`)
      .all();
    expect(hits).toEqual([]);
    catalog.exec(`INSERT INTO worklist_text (worklist_text) VALUES ('integrity-check')`);
  });
});

it('lists the studies of a catalog of an older version', async () => {
  const { MIGRATIONS } = await import('../../../src/store/migrations.js');
  const file = `${folder.path}/old.db`;
  const worklistAt = MIGRATIONS.findIndex((migration) => migration.includes('TABLE worklist'));
  const old = new Database(file);
  for (const migration of MIGRATIONS.slice(0, worklistAt)) old.exec(migration);
  old.pragma(`user_version = ${worklistAt}`);
  old.exec(`
    INSERT INTO study (study_instance_uid, patient_key, calling_ae_title, called_ae_title, created_at, last_instance_at)
      VALUES ('1.2.3', 'k', 'CT1', 'VIGIL', 5, 6);
    INSERT INTO analysis (study_instance_uid, revision, input_hash, trigger_code, trigger_text, state, due_at, created_at,
                          outcome, finding)
      VALUES ('1.2.3', 1, 'h', 'released', 'r', 'reported', 0, 0, 'positive',
        '{"classes":[{"name":"subdural","probability":0.8},{"name":"epidural","probability":0.1},{"name":"any","probability":0.9}]}');
  `);
  old.close();
  const upgraded = openCatalog(file);
  expect(new WorklistStore(upgraded).search({ limit: 9 }).studies).toMatchObject([
    { studyInstanceUid: '1.2.3', outcome: 'positive', probability: 0.9, leadingClass: 'subdural' },
  ]);
  upgraded.close();
});
