import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AnalysisStore } from '../../../src/store/analysis-store.js';
import { StoreRig } from './rig.js';

const MINUTE = 60_000;
const NOW = 100 * MINUTE;

let rig: StoreRig;
let analyses: AnalysisStore;

beforeEach(async () => {
  rig = await StoreRig.open();
  analyses = new AnalysisStore(rig.catalog);
});

afterEach(() => rig[Symbol.asyncDispose]());

/** A study whose analysis is due since `dueAt`, or has `outcome` and waits for its report. */
function waiting(name: string, dueAt: number, outcome: string | null = null): void {
  rig.catalog
    .prepare(
      `INSERT INTO study (study_instance_uid, patient_key, calling_ae_title, called_ae_title, created_at, last_instance_at)
       VALUES (?, '', 'CT', 'VIGIL', 0, 0)`,
    )
    .run(name);
  rig.catalog
    .prepare(
      `INSERT INTO analysis (study_instance_uid, revision, series_instance_uid, input_hash, trigger_code, trigger_text,
         state, due_at, created_at, outcome, finding)
       VALUES (:name, 1, :series, '', '', '', :state, :dueAt, 0, :outcome, '{}')`,
    )
    .run({
      name,
      series: `${name}.1`,
      state: outcome === null ? 'due' : 'analysed',
      dueAt,
      outcome,
    });
}

/** The studies in the order in which they are claimed, each until it is out of the way. */
function order(claim: () => { analysisId: number; studyInstanceUid: string } | undefined) {
  const claimed: string[] = [];
  for (let work = claim(); work !== undefined; work = claim()) {
    claimed.push(work.studyInstanceUid);
    rig.catalog
      .prepare(`UPDATE analysis SET state = 'reported' WHERE analysis_id = ?`)
      .run(work.analysisId);
  }
  return claimed;
}

describe('what waits', () => {
  it('is read by suspicion, then by arrival', () => {
    waiting('1', NOW - 4);
    waiting('2', NOW - 3);
    waiting('3', NOW - 2);
    waiting('4', NOW - 1);
    waiting('5', NOW + 1);
    const suspicion = { '2.1': -5, '3.1': 2.5, '9.1': 9 };
    expect(order(() => analyses.claimAnalysis(NOW, suspicion))).toEqual(['3', '2', '1', '4']);
  });

  it('yields to the more suspicious for ten minutes at most', () => {
    waiting('1', NOW - 11 * MINUTE);
    waiting('2', NOW - 9 * MINUTE);
    waiting('3', NOW);
    expect(order(() => analyses.claimAnalysis(NOW, { '3.1': 9 }))).toEqual(['1', '3', '2']);
  });

  it('is reported by outcome, then by arrival', () => {
    waiting('1', NOW - 5, 'negative');
    waiting('2', NOW - 4, 'failed');
    waiting('3', NOW - 3, 'undetermined');
    waiting('4', NOW - 2, 'positive');
    waiting('5', NOW - 1, 'positive');
    expect(order(() => analyses.claimReport(NOW))).toEqual(['4', '5', '3', '2', '1']);
  });
});
