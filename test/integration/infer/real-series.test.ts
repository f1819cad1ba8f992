import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readFileMeta } from '../../../src/dicom/file-meta.js';
import { readHeader } from '../../../src/dicom/header.js';
import type { StoredInstance } from '../../../src/domain/instance.js';
import { InferStage } from '../../../src/infer/analyse.js';
import { chooseSeries } from '../../../src/infer/choose-series.js';
import { datasetSha256, headPart10 } from '../../unit/infer/phantom.js';
import { storedAt } from '../../unit/infer/series.js';

const sharedFolder = fileURLToPath(new URL('../../../../shared/data/head-ct-ge', import.meta.url));
const packageFolder = fileURLToPath(new URL('../../../models/vigil-ich-small', import.meta.url));
const SLICES = 28;

/** A gantry tilted by 18.5 degrees: the real series has 4 mm slices at the skull base and 7 mm above. */
const TILTED = [1, 0, 0, 0, 0.9483237, -0.3173047] as const;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vigil-real-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function realSeries(): Promise<StoredInstance[]> {
  const names = (await readdir(sharedFolder)).filter((name) => name.endsWith('.dcm'));
  return Promise.all(
    names.map(async (name) => {
      const file = join(sharedFolder, name);
      const bytes = await readFile(file);
      const meta = readFileMeta(bytes);
      const dataset = bytes.subarray(meta?.datasetOffset);
      const header = readHeader(dataset, meta?.transferSyntaxUid ?? '');
      const sha256 = createHash('sha256').update(dataset).digest('hex');
      return { header, file, sha256, receivedAt: 0 };
    }),
  );
}

async function standIn(): Promise<StoredInstance[]> {
  return Promise.all(
    Array.from({ length: SLICES }, async (_, i) => {
      const sopInstanceUid = `1.2.3.4.${i + 1}`;
      const part10 = headPart10(sopInstanceUid);
      const file = join(folder, `${i}.dcm`);
      await writeFile(file, part10);
      const z = 0.95 * (i < 14 ? 4 * i : 7 * i - 42);
      const geometry = {
        rescaleIntercept: -1024,
        imageOrientationPatient: TILTED,
        imagePositionPatient: [-125, -z / 3, z] as const,
      };
      const header = { sopInstanceUid, instanceNumber: i + 1, rows: 256, columns: 256 };
      return { ...storedAt(z, header, geometry), file, sha256: datasetSha256(part10) };
    }),
  );
}

describe('a head CT with a tilted gantry and uneven spacing', () => {
  let stage: InferStage;
  let series: StoredInstance[];
  beforeAll(async () => {
    stage = await InferStage.open({ packageFolder, threads: 1, log: pino({ level: 'silent' }) });
    series = existsSync(sharedFolder) ? await realSeries() : await standIn();
  });
  afterAll(() => stage[Symbol.asyncDispose]());

  it('is chosen at once', () => {
    const uid = series[0]?.header.seriesInstanceUid ?? '';
    const candidate = { seriesInstanceUid: uid, complete: true, instances: series };
    expect(chooseSeries({ series: [candidate], quiet: false })).toMatchObject({
      type: 'analyse',
      seriesInstanceUid: uid,
    });
  });

  it('is read whole, inferior to superior, in whatever order it came', async () => {
    const order = [...series].sort((a, b) => (a.sha256 < b.sha256 ? -1 : 1));
    const finding = await stage.analyse(order, []);
    expect(['positive', 'negative', 'undetermined']).toContain(finding.outcome);
    const positions = finding.slices.map(({ positionMm }) => positionMm);
    expect(positions).toHaveLength(SLICES);
    expect(positions).toEqual([...positions].sort((a, b) => a - b));
    expect(await stage.analyse(series, [])).toEqual(finding);
  });
});
