import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { headPhantomStudy } from '../../src/simulate/head-phantom.js';
import { encodeCtImage } from '../../src/simulate/phantom/ct-image.js';
import {
  type Contestant,
  startOrthancPeer,
  startSink,
  startStorescp,
  startVigil,
} from './contestants.js';
import { type BenchCase, compare, type Figures, type Unit } from './harness.js';
import { cpuMs, peakRssMb } from './process-cost.js';

const IMAGES = 400;
const ASSOCIATIONS = [1, 4, 16];
const THIN_SLICES = 500;
const SMALL = { images: 1000, side: 100 };

/** Every file against its checksum, anew each second, as fast as the check may read. */
const CHECKING = "verify: { schedule: '* * * * * *' }\n";

const UNITS: readonly Unit[] = [
  { figure: 'images/s', unit: 'images/s', better: 'higher' },
  { figure: 'MB/s', unit: 'MB/s', better: 'higher' },
  { figure: 'CPU', unit: 'CPU ms an image', better: 'lower' },
  { figure: 'RSS', unit: 'peak RSS MB', better: 'lower' },
];

export interface Load {
  readonly files: readonly string[];
  readonly bytes: number;
}

/**
 * Receiving from DCMTK's storescu over 1, 4 and 16 associations, a series of thin slices, and small objects, against
 * DCMTK's storescp and Orthanc with their defaults. Only Vigil makes each image durable before it answers; beside it its
 * receiver alone, which keeps nothing. The plain series are of kind LOCALIZER, which no model reads; `while reading
 * heads` has heads in it, so that the inference process works on the same cores. At last the check of files, which
 * goes on while images come.
 */
export async function ingest(runs: number): Promise<BenchCase[]> {
  const folder = await mkdtemp(join(tmpdir(), 'vigil-bench-load-'));
  try {
    const plain = await plainImages(join(folder, 'plain'));
    const thin = await plainImages(join(folder, 'thin'), { images: THIN_SLICES });
    const small = await plainImages(join(folder, 'small'), SMALL);
    const heads = await headImages(join(folder, 'heads'));
    const cases: BenchCase[] = [];
    for (const associations of ASSOCIATIONS) {
      cases.push(
        ...(await against(
          `${IMAGES} images, ${associations} associations`,
          plain,
          associations,
          runs,
        )),
      );
    }
    cases.push(
      ...(await against(`${THIN_SLICES} images, 1 association`, thin, 1, runs)),
      ...(await against(`${SMALL.images} objects of 20 KB, 4 associations`, small, 4, runs)),
      ...(await against(
        `${heads.files.length} images, 4 associations, while reading heads`,
        heads,
        4,
        runs,
      )),
      ...(await compare(
        `${IMAGES} images, 4 associations, while files are checked`,
        {
          vigil: () => receive(() => startVigil({ more: CHECKING }), plain, 4),
          'vigil, no check': () => receive(() => startVigil(), plain, 4),
        },
        UNITS,
        runs,
      )),
    );
    return cases;
  } finally {
    await rm(folder, { recursive: true });
  }
}

function against(
  name: string,
  load: Load,
  associations: number,
  runs: number,
): Promise<BenchCase[]> {
  const run = (start: () => Promise<Contestant>) => () => receive(start, load, associations);
  const contestants = {
    vigil: run(() => startVigil()),
    'vigil, nothing kept': run(startSink),
    storescp: run(startStorescp),
    orthanc: run(() => startOrthancPeer()),
  };
  return compare(name, contestants, UNITS, runs);
}

/** Sends a load over so many associations at once, each with its share, to a contestant that is started for it. */
export async function receive(
  start: () => Promise<Contestant>,
  load: Load,
  associations: number,
): Promise<Figures> {
  await using server = await start();
  const before = cpuMs(server.pid);
  const began = performance.now();
  const shares = Array.from({ length: associations }, (_, share) =>
    load.files.filter((_file, i) => i % associations === share),
  );
  await Promise.all(shares.map((files) => send(server, files)));
  const seconds = (performance.now() - began) / 1000;
  return {
    'images/s': load.files.length / seconds,
    'MB/s': load.bytes / 1e6 / seconds,
    // storescp forks for each association, and its children are gone by now.
    ...(server.aeTitle !== 'STORESCP' && {
      CPU: (cpuMs(server.pid) - before) / load.files.length,
      RSS: peakRssMb(server.pid),
    }),
  };
}

/** One association of DCMTK's storescu; it ends with a failure where any image is not answered with success. */
async function send({ aeTitle, port }: Contestant, files: readonly string[]): Promise<void> {
  const args = ['-aec', aeTitle, '127.0.0.1', `${port}`, ...files];
  const env = { ...process.env, TCP_NODELAY: '1' };
  const child = spawn('storescu', args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const [code] = await once(child, 'exit');
  if (code !== 0) throw new Error(`storescu to ${aeTitle} ended with ${code}`);
}

/** Images of 12 bits with a scanner's noise; 526 KB each where nothing else is asked for. */
export async function plainImages(
  folder: string,
  { images = IMAGES, side = 512 } = {},
): Promise<Load> {
  const study = { number: 1, salt: folder, at: new Date(2026, 0, 2, 3, 4, 5) };
  const series = {
    number: 1,
    description: 'SCOUT',
    kind: 'LOCALIZER',
    sliceThickness: 5,
    convolutionKernel: 'SCOUT',
  } as const;
  const hu = Int16Array.from({ length: side ** 2 }, (_, i) => ((i * 2654435761) >>> 22) - 512);
  const encoded = Array.from({ length: images }, (_, i) =>
    encodeCtImage(study, series, {
      hu,
      rows: side,
      columns: side,
      pixelSpacing: [0.45, 0.45],
      position: [-115, -115, i],
      orientation: [1, 0, 0, 0, 1, 0],
      instanceNumber: i + 1,
    }),
  );
  return written(
    folder,
    encoded.map(({ part10 }) => part10),
  );
}

async function headImages(folder: string): Promise<Load> {
  const studies = Array.from({ length: 8 }, (_, seed) => headPhantomStudy({ seed, salt: 'bench' }));
  return written(
    folder,
    studies.flatMap(({ images }) => images.map(({ part10 }) => part10)),
  );
}

async function written(folder: string, images: readonly Buffer[]): Promise<Load> {
  await mkdir(folder);
  const files = images.map((_, i) => join(folder, `${String(i).padStart(4, '0')}.dcm`));
  for (const [i, file] of files.entries()) await writeFile(file, images[i] as Buffer);
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  return { files, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}
