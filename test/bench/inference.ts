import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { readFileMeta } from '../../src/dicom/file-meta.js';
import { readHeader } from '../../src/dicom/header.js';
import type { StoredInstance } from '../../src/domain/instance.js';
import { InferStage } from '../../src/infer/analyse.js';
import { classifier, INT8_GRAPH } from '../../src/infer/model-manifest.js';
import { type ModelPackage, openModelPackage } from '../../src/infer/model-package.js';
import { createLog } from '../../src/log.js';
import { composeReport } from '../../src/report/compose-report.js';
import { headPhantomStudy } from '../../src/simulate/head-phantom.js';
import { type BenchCase, compare, type Figures, type Unit } from './harness.js';
import { matrixProduct } from './matrix-product.js';

const SHIPPED = join(import.meta.dirname, '../../models/vigil-ich-small');
/** Multiply-adds, twice, of the convolutions of the shipped `cnn.onnx` for one slice (docs/performance.md). */
const CNN_GFLOP = 2 * 0.514;
/** The runtime alone gets the better of them: one slice on one thread, many on more. */
const BATCHES = [1, 8];
const HEADS = 2;
const MATRIX = 1024;
const PRODUCTS = 20;
const KEY_SLICES = 5;

const SPEED: readonly Unit[] = [{ figure: 'slices/s', unit: 'slices/s', better: 'higher' }];
const PEAK: readonly Unit[] = [{ figure: 'GFLOP/s', unit: 'GFLOP/s', better: 'higher' }];
const PICTURES: readonly Unit[] = [
  { figure: 'grad-cam', unit: 'ms a key slice, Grad-CAM', better: 'lower' },
  { figure: 'report', unit: 'ms a report with its pictures', better: 'lower' },
];

/**
 * The shipped model and other packages at 1 and all threads: a series from its files to its finding (decoding, HU,
 * resizing, the transfer to the inference process, the sequence model, Grad-CAM), beside ONNX Runtime alone on tensors
 * in memory, and a package with an INT8 graph beside itself without it; and of the shipped one the CNN's share of what the
 * machine reaches in a product of matrices.
 */
export async function inference(runs: number, packages: readonly string[]): Promise<BenchCase[]> {
  const folder = await mkdtemp(join(tmpdir(), 'vigil-bench-heads-'));
  try {
    const heads = new Heads(folder);
    const shipped = await openModelPackage(SHIPPED, 'any');
    const models = [shipped];
    for (const one of packages) models.push(await openModelPackage(one, 'any'));
    const cases: BenchCase[] = [];
    for (const threads of new Set([1, availableParallelism()])) {
      const on = threads === 1 ? 'on 1 thread' : `on ${threads} threads`;
      for (const model of models) {
        const { name, version } = model.identity;
        const float = await withoutInt8(model, folder);
        cases.push(
          ...(await compare(
            `${name} ${version} ${on}`,
            {
              vigil: () => wholeSeries(heads, model, threads),
              onnxruntime: async () => ({
                'slices/s': await slicesPerSecond(model, threads),
              }),
              ...(float && { 'vigil in FP32': () => wholeSeries(heads, float, threads) }),
            },
            SPEED,
            runs,
          )),
        );
      }
      cases.push(
        ...(await compare(
          `${shipped.identity.name}: its CNN ${on}, and a product of matrices`,
          {
            vigil: async () => ({
              'GFLOP/s': CNN_GFLOP * (await slicesPerSecond(shipped, threads, 'cnn.onnx')),
            }),
            'matrix product': () => matrixPeak(threads),
          },
          PEAK,
          runs,
        )),
      );
    }
    const pictures = await compare(
      `a head with ${KEY_SLICES} key slices`,
      { vigil: () => keySlices(heads) },
      PICTURES,
      runs,
    );
    return [...cases, ...pictures];
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Heads on the disk that no model has seen before: what it said of known bytes it remembers. */
class Heads {
  readonly #folder: string;
  #made = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async next(bleeding = false): Promise<StoredInstance[]> {
    this.#made += 1;
    const { images } = headPhantomStudy({
      seed: this.#made,
      ...(bleeding && { bleed: { type: 'intraparenchymal', volumeMl: 40 } }),
    });
    return Promise.all(
      images.map(async ({ sopInstanceUid, part10 }) => {
        const file = join(this.#folder, `${sopInstanceUid}.dcm`);
        await writeFile(file, part10);
        const meta = readFileMeta(part10);
        if (meta === undefined) throw new Error('A phantom is no Part 10 file');
        const dataset = part10.subarray(meta.datasetOffset);
        return {
          header: readHeader(dataset, meta.transferSyntaxUid),
          file,
          sha256: createHash('sha256').update(dataset).digest('hex'),
          receivedAt: 0,
        };
      }),
    );
  }
}

function openStage(
  packageFolder: string,
  threads: number,
  keySlicesKept = KEY_SLICES,
): Promise<InferStage> {
  const log = createLog({ level: 'error', destination: 'stderr' });
  return InferStage.open({ packageFolder, threads, keySlices: keySlicesKept, log });
}

async function wholeSeries(
  heads: Heads,
  { folder }: ModelPackage,
  threads: number,
): Promise<Figures> {
  await using stage = await openStage(folder, threads);
  await stage.analyse(await heads.next(), []);
  let slices = 0;
  let ms = 0;
  for (let i = 0; i < HEADS; i += 1) {
    const series = await heads.next();
    const began = performance.now();
    await stage.analyse(series, []);
    ms += performance.now() - began;
    slices += series.length;
  }
  return { 'slices/s': (1000 * slices) / ms };
}

/** A copy of the package that classifies by `cnn.onnx`, if it has another graph for that. */
async function withoutInt8(
  { folder, manifest, identity }: ModelPackage,
  beside: string,
): Promise<ModelPackage | undefined> {
  const { [INT8_GRAPH]: int8, ...files } = manifest.files;
  if (int8 === undefined) return undefined;
  const copy = join(beside, identity.hash);
  await cp(folder, copy, { recursive: true });
  await writeFile(join(copy, 'manifest.json'), JSON.stringify({ ...manifest, files }));
  return openModelPackage(copy, 'any');
}

async function slicesPerSecond(
  { folder, manifest }: ModelPackage,
  threads: number,
  graph = classifier(manifest),
): Promise<number> {
  const session = await openSession(join(folder, graph), threads);
  const { size } = manifest.input;
  const channels = manifest.input.channels.length;
  let fastest = 0;
  for (const batch of BATCHES) {
    const data = Float32Array.from({ length: batch * channels * size ** 2 }, (_, i) => Math.sin(i));
    const slices = new Tensor('float32', data, [batch, channels, size, size]);
    const count = (HEADS * 32) / batch;
    const ms = await timed(count, () => session.run({ slices }, ['features', 'logits']));
    fastest = Math.max(fastest, (1000 * count * batch) / ms);
  }
  await session.release();
  return fastest;
}

async function matrixPeak(threads: number): Promise<Figures> {
  const session = await openSession(matrixProduct(MATRIX), threads);
  const data = Float32Array.from({ length: MATRIX ** 2 }, (_, i) => Math.sin(i));
  const matrix = new Tensor('float32', data, [MATRIX, MATRIX]);
  const ms = await timed(PRODUCTS, () => session.run({ a: matrix, b: matrix }));
  await session.release();
  return { 'GFLOP/s': (PRODUCTS * 2 * MATRIX ** 3) / 1e6 / ms };
}

async function keySlices(heads: Heads): Promise<Figures> {
  await using withMaps = await openStage(SHIPPED, 1);
  await using without = await openStage(SHIPPED, 1, 0);
  const series = await heads.next(true);
  // Each has seen the slices then: what is timed is the sequence model and Grad-CAM.
  const finding = await withMaps.analyse(series, []);
  await without.analyse(series, []);
  const began = performance.now();
  await withMaps.analyse(series, []);
  const between = performance.now();
  await without.analyse(series, []);
  const analysed = performance.now();
  await composeReport({
    finding,
    sourceInstances: series,
    readFile,
    revision: 1,
    createdAt: new Date(),
    options: {
      researchText: 'For research use only',
      softwareVersion: '0',
      deviceSerialNumber: 'bench',
    },
  });
  const composed = performance.now();
  const maps = finding.keySlices.length;
  if (maps === 0) throw new Error('The model sees no bleed in the phantom');
  return {
    'grad-cam': (between - began - (analysed - between)) / maps,
    report: composed - analysed,
  };
}

function openSession(model: string | Uint8Array, threads: number): Promise<InferenceSession> {
  const options = { intraOpNumThreads: threads, interOpNumThreads: 1 };
  return typeof model === 'string'
    ? InferenceSession.create(model, options)
    : InferenceSession.create(model, options);
}

/** Milliseconds of so many runs after one that is not counted. */
async function timed(times: number, run: () => Promise<unknown>): Promise<number> {
  await run();
  const began = performance.now();
  for (let i = 0; i < times; i += 1) await run();
  return performance.now() - began;
}
