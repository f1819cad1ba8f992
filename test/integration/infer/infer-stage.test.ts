import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLASSES } from '../../../src/domain/finding.js';
import { InferStage } from '../../../src/infer/analyse.js';
import { REASONS } from '../../../src/infer/reasons.js';
import { datasetSha256, headPart10, type PhantomOptions } from '../../unit/infer/phantom.js';
import { headSeriesIn } from './head-series-files.js';

const packageFolder = fileURLToPath(new URL('../../../models/vigil-ich-small', import.meta.url));
const silent = pino({ level: 'silent' });

let folder: string;
const headSeries = (uid: string, count?: number, options?: PhantomOptions) =>
  headSeriesIn(folder, uid, count, options);
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vigil-infer-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface EditableManifest {
  readonly input: { readonly channels: { offset: number }[] };
  readonly files: Record<string, string>;
}

/** A copy of the shipped package with another manifest. */
async function packageWith(
  name: string,
  edit: (manifest: EditableManifest, copy: string) => void | Promise<void>,
): Promise<string> {
  const copy = join(folder, name);
  await cp(packageFolder, copy, { recursive: true });
  const file = join(copy, 'manifest.json');
  const manifest = JSON.parse(await readFile(file, 'utf8')) as EditableManifest;
  await edit(manifest, copy);
  await writeFile(file, JSON.stringify(manifest));
  return copy;
}

describe('the inference stage', () => {
  let stage: InferStage;
  beforeAll(async () => {
    stage = await InferStage.open({ packageFolder, threads: 1, log: silent });
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  it('answers a whole series', async () => {
    const series = await headSeries('1.1');
    const verdicts = [
      { seriesInstanceUid: '1.1', instances: 12, verdict: 'analysed', reason: REASONS.analysed },
    ] as const;
    const finding = await stage.analyse([...series].reverse(), verdicts);
    expect(['positive', 'negative', 'undetermined']).toContain(finding.outcome);
    expect(finding).toMatchObject({
      model: stage.model,
      seriesInstanceUid: '1.1',
      series: verdicts,
    });
    expect(finding.classes.map(({ name }) => name)).toEqual([...CLASSES]);
    expect(finding.slices.map(({ source }) => source.sopInstanceUid)).toEqual(
      series.map(({ header }) => header.sopInstanceUid),
    );
    expect(finding.slices[3]?.positionMm).toBe(15);
    for (const { probabilities } of finding.slices) {
      expect(probabilities).toHaveLength(CLASSES.length);
      expect(probabilities.every((p) => p >= 0 && p <= 1)).toBe(true);
    }
  });

  it('shows key slices with their heat maps where there is a hemorrhage', async () => {
    const finding = await stage.analyse(await headSeries('1.2', 12, { bleedHu: 65 }), []);
    expect(finding.outcome).toBe('positive');
    expect(finding.keySlices.length).toBeGreaterThan(0);
    for (const { source, index, className, probability, heatMap } of finding.keySlices) {
      const slice = finding.slices[index];
      expect(slice?.source).toEqual(source);
      expect(slice?.probabilities[CLASSES.indexOf(className)]).toBe(probability);
      expect(heatMap.values).toHaveLength(heatMap.width * heatMap.height);
      expect(heatMap.values.every((v) => v >= 0 && v <= 1)).toBe(true);
      const hottest = heatMap.values.indexOf(Math.max(...heatMap.values));
      const cell = heatMap.box.side / heatMap.width;
      const x = heatMap.box.x + ((hottest % heatMap.width) + 0.5) * cell;
      const y = heatMap.box.y + (Math.floor(hottest / heatMap.width) + 0.5) * cell;
      expect(Math.hypot(x - 158, y - 128)).toBeLessThan(30);
    }
  });

  it('draws heat maps of slices that it has classified lately without reading them again', async () => {
    const series = await headSeries('1.13', 12, { bleedHu: 65 });
    const { keySlices } = await stage.analyse(series, []);
    await stage.analyse(await headSeries('1.14'), []);
    for (const { file } of series) await rm(file);
    const again = await stage.analyse(series, []);
    expect(again.keySlices).toEqual(keySlices);
  });

  it('knows from the slices which series is the more suspicious', async () => {
    await stage.analyse(await headSeries('1.11'), []);
    await stage.analyse(await headSeries('1.12', 12, { bleedHu: 65 }), []);
    const { suspicion } = stage;
    expect(suspicion['1.12']).toBeGreaterThan(suspicion['1.11'] as number);
  });

  it('says the same whether slices were seen while they arrived or not', async () => {
    const series = await headSeries('1.3');
    const cold = await stage.analyse(await headSeries('1.3-copy'), []);
    for (let arrived = 1; arrived <= series.length; arrived += 1) {
      stage.prefetch(series.slice(0, arrived));
    }
    const warm = await stage.analyse(series, []);
    expect(warm.classes).toEqual(cold.classes);
  });

  it('refuses a series whose pixels are no head, and says so in the verdict', async () => {
    const series = await headSeries('1.4', 12, { skullHu: 0, brainHu: 0 });
    const verdicts = [
      { seriesInstanceUid: '1.4', instances: 12, verdict: 'analysed', reason: REASONS.analysed },
    ] as const;
    expect(await stage.analyse(series, verdicts)).toEqual({
      outcome: 'not-eligible',
      reason: REASONS['not-a-head'],
      model: stage.model,
      seriesInstanceUid: '1.4',
      classes: [],
      slices: [],
      keySlices: [],
      series: [{ ...verdicts[0], verdict: 'not-eligible', reason: REASONS['not-a-head'] }],
    });
  });

  it('fails for good where a slice is gone', async () => {
    const series = await headSeries('1.5');
    await rm(series[4]?.file ?? '');
    await expect(stage.analyse(series, [])).rejects.toMatchObject({
      code: 'slice-missing',
      failureClass: 'permanent',
    });
  });

  it.each([
    ['altered in its pixels', (bytes: Buffer) => bytes.fill(0, bytes.length - 5000)],
    ['truncated', (bytes: Buffer) => bytes.subarray(0, -5000)],
    ['replaced by something else', () => Buffer.from('no DICOM')],
    ['replaced by another slice', () => headPart10('1.2.3')],
  ])('fails for good where a slice is %s', async (_, alter) => {
    const series = await headSeries('1.8');
    const file = series[4]?.file ?? '';
    await writeFile(file, alter(await readFile(file)));
    await expect(stage.analyse(series, [])).rejects.toMatchObject({
      code: 'slice-altered',
      failureClass: 'permanent',
    });
  });

  it('fails for good where a slice cannot be decoded', async () => {
    const series = await headSeries('1.6');
    const file = series[4]?.file ?? '';
    const short = (await readFile(file)).subarray(0, -5000);
    await writeFile(file, short);
    const sent = series.map((slice, i) =>
      i === 4 ? { ...slice, sha256: datasetSha256(short) } : slice,
    );
    await expect(stage.analyse(sent, [])).rejects.toMatchObject({
      code: expect.stringMatching(/^pixels-/),
      failureClass: 'permanent',
    });
    await expect(stage.analyse(await headSeries('1.7'), [])).resolves.toBeDefined();
  });

  it('answers several analyses in turn', async () => {
    const all = await Promise.all(['1.8', '1.9'].map((uid) => headSeries(uid)));
    const findings = await Promise.all(all.map((series) => stage.analyse(series, [])));
    expect(findings.map(({ seriesInstanceUid }) => seriesInstanceUid)).toEqual(['1.8', '1.9']);
  });
});

describe('a model that reads neighbouring slabs', () => {
  it('says the same whether slices were seen while they arrived or not', async () => {
    const neighbours = await packageWith('neighbours', (manifest) => {
      for (const [i, channel] of manifest.input.channels.entries()) channel.offset = i - 1;
    });
    await using stage = await InferStage.open({
      packageFolder: neighbours,
      threads: 1,
      log: silent,
    });
    const cold = await stage.analyse(await headSeries('3.1', 12, { bleedHu: 65 }), []);
    const series = await headSeries('3.2', 12, { bleedHu: 65 });
    const arriving = [...series.filter((_, i) => i % 2), ...series.filter((_, i) => i % 2 === 0)];
    for (let n = 1; n <= arriving.length; n += 1) stage.prefetch(arriving.slice(0, n));
    const warm = await stage.analyse(series, []);
    expect(warm.classes).toEqual(cold.classes);
    expect(warm.slices.map(({ probabilities }) => probabilities)).toEqual(
      cold.slices.map(({ probabilities }) => probabilities),
    );
  });
});

describe('a package whose graphs are not what the contract says', () => {
  it('is refused', async () => {
    const broken = await packageWith('broken', async ({ files }, copy) => {
      const swapped = await readFile(join(copy, 'cam.onnx'));
      await writeFile(join(copy, 'sequence.onnx'), swapped);
      files['sequence.onnx'] = createHash('sha256').update(swapped).digest('hex');
    });
    await expect(
      InferStage.open({ packageFolder: broken, threads: 1, log: silent }),
    ).rejects.toMatchObject({
      name: 'ModelPackageError',
      code: 'graph-mismatch',
      message: expect.stringContaining('sequence.onnx'),
    });
  });
});
