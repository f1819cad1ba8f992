import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runCalibrate } from '../../../src/commands/calibrate.js';
import { CLASSES, type Finding } from '../../../src/domain/finding.js';
import { openModelPackage } from '../../../src/infer/model-package.js';
import { withSiteCalibration } from '../../../src/infer/site-calibration.js';
import { AnalysisStore } from '../../../src/store/analysis-store.js';
import { StoreRig } from '../store/rig.js';

const MODEL = resolve('models/vigil-ich-small');
const trigger = { code: 'released', text: 'test' };

let rig: StoreRig;
let folder: string;
let model: Awaited<ReturnType<typeof openModelPackage>>;
beforeEach(async () => {
  rig = await StoreRig.open();
  folder = await mkdtemp(join(tmpdir(), 'vigil-calibrate-'));
  model = await openModelPackage(MODEL, 'any');
  const config = `storage: { folder: ${rig.folder} }\ninference: { model: ${MODEL}/ }\n`;
  await writeFile(join(folder, 'vigil.yaml'), config);
  vi.spyOn(console, 'log').mockReturnValue();
  vi.spyOn(console, 'error').mockReturnValue();
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rig[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

/** A study that was read, with this logit of every class. */
function read(study: string, logit: number, hash = model.identity.hash): void {
  const series = `${study}.1`;
  rig.ingest.accept(rig.received({ study, series, sop: `${series}.1` }));
  rig.ingest.flush();
  rig.receiving.completeSeries(series, { confidence: 'likely', reason: trigger });
  const work = rig.selections.nextSelection(Date.now());
  if (!('studyInstanceUid' in work)) throw new Error('no study to choose from');
  const decision = { seriesInstanceUid: series, inputHash: study, trigger, verdicts: [] };
  rig.selections.settleSelection(work, { type: 'analyse', ...decision });
  const analyses = new AnalysisStore(rig.catalog);
  const analysis = analyses.claimAnalysis(Date.now());
  if (analysis === undefined) throw new Error('no analysis');
  const classes = CLASSES.map((name) => ({
    name,
    logit,
    probability: 0.5,
    presence: 'undetermined' as const,
  }));
  const finding: Finding = {
    outcome: 'undetermined',
    model: { ...model.identity, hash },
    classes,
    slices: [],
    keySlices: [],
    series: [],
  };
  analyses.finishAnalysis(analysis, finding, study);
}

async function calibrate(csv: string, wishes = { missed: 0.2, falseAlarms: 0.2 }) {
  const labels = join(folder, 'labels.csv');
  await writeFile(labels, csv);
  const config = join(folder, 'vigil.yaml');
  const code = await runCalibrate({
    config,
    labels,
    out: join(folder, 'site.json'),
    json: true,
    ...wishes,
  });
  return { code, result: JSON.parse(vi.mocked(console.log).mock.lastCall?.[0]) };
}

describe('vigil calibrate', () => {
  it('fits what the model said of labelled studies, and the package takes it', async () => {
    const rows = [-4, -3, -2, -1, 2, 3, 1, 4, 5, 6].map((logit, i) => {
      read(`1.5.${i}`, logit);
      return `1.5.${i},${i < 6 ? 0 : 1}`;
    });
    read('1.5.90', 9, 'another package');
    const csv = ['StudyInstanceUID,any', ...rows, '1.5.90,1', '1.5.91,1'].join('\n');
    const { code, result } = await calibrate(csv);
    expect(code).toBe(0);
    expect(result).toMatchObject({
      studies: 10,
      unused: { unknown: 1, unread: 0, otherModel: 1 },
      classes: { any: { studiesWith: 4, studiesWithout: 6 } },
    });

    const file = join(folder, 'site.json');
    const site = await withSiteCalibration(model, file);
    const { decision } = site.manifest;
    expect(decision.calibration.any).toEqual(result.classes.any.calibration);
    expect(decision.thresholds.any).toEqual(result.classes.any.thresholds);
    expect(decision.thresholds.subdural).toEqual(model.manifest.decision.thresholds.subdural);
    expect(site.identity).toMatchObject({ hash: model.identity.hash });
    expect(site.identity.calibrationHash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('writes nothing with too few studies, and says how many it takes', async () => {
    read('1.5.1', 2);
    read('1.5.2', -2);
    const { code, result } = await calibrate('StudyInstanceUID,any\n1.5.1,1\n1.5.2,0\n');
    expect(code).toBe(1);
    expect(result).toMatchObject({
      out: null,
      notFitted: { any: expect.stringContaining('4 and 4') },
    });
    await expect(readFile(join(folder, 'site.json'))).rejects.toThrow('ENOENT');
  });

  it('is refused by another package than it was fitted to', async () => {
    const rows = Array.from({ length: 10 }, (_, i) => {
      read(`1.5.${i}`, i);
      return `1.5.${i},${i < 5 ? 0 : 1}`;
    });
    await calibrate(['StudyInstanceUID,any', ...rows].join('\n'));
    const other = { ...model, identity: { ...model.identity, hash: 'f'.repeat(64) } };
    await expect(withSiteCalibration(other, join(folder, 'site.json'))).rejects.toMatchObject({
      code: 'calibration-mismatch',
      message: expect.stringContaining('vigil calibrate'),
    });
    await writeFile(join(folder, 'site.json'), '{}');
    await expect(withSiteCalibration(model, join(folder, 'site.json'))).rejects.toMatchObject({
      code: 'calibration-invalid',
    });
  });
});
