import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CLASSES } from '../../../src/domain/finding.js';
import { studyLogitSeed } from '../../../src/infer/decision.js';
import { ModelGraphs } from '../../../src/infer/model-graphs.js';
import { INT8_GRAPH } from '../../../src/infer/model-manifest.js';
import { type ModelPackage, openModelPackage } from '../../../src/infer/model-package.js';
import { headBox, writeSliceInput } from '../../../src/infer/preprocess.js';
import { GOLDEN, goldenImage } from '../../unit/infer/golden.js';

const packageFolder = fileURLToPath(new URL('../../../models/vigil-ich-small', import.meta.url));

describe('the shipped model gives what it gave when it was exported', () => {
  const { cases, series, tolerance } = GOLDEN;
  const length = cases.length;
  let model: ModelPackage;
  let graphs: ModelGraphs;
  let slices: Float32Array;
  let features: Float32Array;
  let logits: Float32Array;
  let scores: Float32Array;
  let gradient: Float32Array;

  beforeAll(async () => {
    model = await openModelPackage(packageFolder, 'any');
    graphs = await ModelGraphs.open(packageFolder, model.manifest, 1);
    const { input } = model.manifest;
    const size = input.channels.length * input.size ** 2;
    slices = new Float32Array(length * size);
    for (const [i, testCase] of cases.entries()) {
      const image = goldenImage(testCase);
      const box = headBox(image, input.crop);
      writeSliceInput(
        input.channels.map(() => image),
        box,
        input,
        slices.subarray(i * size, (i + 1) * size),
      );
    }
    ({ features, logits } = await graphs.classify(slices, length));
    scores = await graphs.scores(features, logits, length);
    gradient = await graphs.gradient(
      features,
      logits,
      Float32Array.from(series.seed.flat()),
      length,
    );
  });

  it('as features and logits of the slices', () => {
    expectClose(
      features,
      cases.flatMap((one) => one.features),
      tolerance.logits,
    );
    expectClose(
      logits,
      cases.flatMap((one) => one.logits),
      tolerance.logits,
    );
  });

  it('as scores of the series', () => {
    expectClose(scores, series.scores.flat(), tolerance.logits);
  });

  it('as the seed of the class any', () => {
    const rows = rowsOf(scores, CLASSES.length);
    expectClose(studyLogitSeed(rows, 'any', model.manifest.decision), series.seed.flat(), 0);
  });

  it('as the gradient through the sequence model', () => {
    expectClose(gradient, series.featureGradient.flat(), tolerance.featureGradient);
  });

  it('as Grad-CAM', async () => {
    const cam = await graphs.cam(await graphs.activation(slices, length), gradient, length);
    const maps = rowsOf(cam, cam.length / length);
    const highest = Math.max(...series.camMaximum);
    const maxima = maps.map((map) => Math.max(...map));
    expectClose(maxima, series.camMaximum, 0.01 * highest);
  });
});

describe('a package with an INT8 graph', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vigil-int8-'));
    await cp(packageFolder, folder, { recursive: true });
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function openWithInt8(): Promise<ModelGraphs> {
    const { manifest } = await openModelPackage(packageFolder, 'any');
    const files = { ...manifest.files, [INT8_GRAPH]: '' };
    return ModelGraphs.open(folder, { ...manifest, files }, 1);
  }

  it('classifies by it, and takes the feature map of heat maps from the other', async () => {
    const graph = await readFile(join(folder, 'cnn.onnx'));
    await writeFile(join(folder, INT8_GRAPH), withHeadBias(graph, 40));
    await writeFile(join(folder, 'cnn.onnx'), withHeadBias(graph, -40));
    const graphs = await openWithInt8();
    const slice = new Float32Array(3 * 256 ** 2);
    const { logits } = await graphs.classify(slice, 1);
    expect(Math.min(...logits)).toBeGreaterThan(20);
    expect(await graphs.activation(slice, 1)).toHaveLength(96 * 32 ** 2);
  });

  it('is refused where that graph is none of a slice network', async () => {
    await cp(join(folder, 'cam.onnx'), join(folder, INT8_GRAPH));
    await expect(openWithInt8()).rejects.toMatchObject({
      code: 'graph-mismatch',
      message: expect.stringContaining(INT8_GRAPH),
    });
  });
});

/** The CNN with another bias of its logits: `raw_data` (field 9) behind the name in the initializer (onnx.proto3). */
function withHeadBias(graph: Buffer, bias: number): Buffer {
  const copy = Buffer.from(graph);
  const bytes = CLASSES.length * Float32Array.BYTES_PER_ELEMENT;
  const before = Buffer.concat([Buffer.from('net.head.bias'), Buffer.from([(9 << 3) | 2, bytes])]);
  const at = copy.indexOf(before) + before.length;
  for (let i = 0; i < CLASSES.length; i += 1) copy.writeFloatLE(bias, at + 4 * i);
  return copy;
}

function rowsOf(flat: Float32Array, width: number): Float32Array[] {
  return Array.from({ length: flat.length / width }, (_, i) =>
    flat.subarray(i * width, (i + 1) * width),
  );
}

function expectClose(
  actual: ArrayLike<number>,
  expected: readonly number[],
  tolerance: number,
): void {
  expect(actual.length).toBe(expected.length);
  const worst = expected.reduce(
    (max, value, i) => Math.max(max, Math.abs(value - (actual[i] ?? Number.NaN))),
    0,
  );
  expect(worst).toBeLessThanOrEqual(tolerance);
}
