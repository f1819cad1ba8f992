import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CATALOG_FILE, openCatalog } from '../../src/store/database.js';
import { groupCommitter } from '../../src/store/ingest-rows.js';
import { StatusStore } from '../../src/store/status-store.js';
import { startOrthancPeer, startVigil } from './contestants.js';
import { fillCatalog, NO_FILES, sliceRows } from './filled-catalog.js';
import { type BenchCase, compare, type Figures, median, type Unit } from './harness.js';
import { plainImages, receive } from './ingest.js';

const INSTANCES = [100_000, 1_000_000];
/** As many slices as a busy node commits together. */
const GROUP = 16;
const GROUPS = 60;
const ASSOCIATIONS = 50;
/** Beyond the numbers of the studies that the catalog is filled with. */
const NEW_STUDY = 1_000_000;

const CATALOG: readonly Unit[] = [
  { figure: 'group', unit: `ms a commit of ${GROUP} slices`, better: 'lower' },
  { figure: 'status', unit: 'ms all of vigil status', better: 'lower' },
  { figure: 'study', unit: 'ms one study', better: 'lower' },
];
const START: readonly Unit[] = [{ figure: 'start', unit: 'ms to listening', better: 'lower' }];
const MEMORY: readonly Unit[] = [{ figure: 'RSS', unit: 'peak RSS MB', better: 'lower' }];

/** The catalog and the start of the node with 10^5 and 10^6 instances, against none; memory with 50 associations. */
export async function scale(runs: number): Promise<BenchCase[]> {
  const folder = await mkdtemp(join(tmpdir(), 'vigil-bench-scale-'));
  try {
    const empty = join(folder, 'empty');
    await filled(empty, 0);
    const cases: BenchCase[] = [];
    for (const instances of INSTANCES) {
      const full = join(folder, `${instances}`);
      await filled(full, instances);
      cases.push(
        ...(await compare(
          `catalog of ${instances} instances`,
          { vigil: () => catalogTimes(full), 'empty catalog': () => catalogTimes(empty) },
          CATALOG,
          runs,
        )),
        ...(await compare(
          `start with ${instances} instances`,
          { vigil: () => startTime(full), 'empty catalog': () => startTime(empty) },
          START,
          runs,
        )),
      );
    }
    const images = await plainImages(join(folder, 'plain'));
    const memory = await compare(
      `${ASSOCIATIONS} associations at once`,
      {
        vigil: () => receive(() => startVigil(), images, ASSOCIATIONS),
        orthanc: () => receive(() => startOrthancPeer(), images, ASSOCIATIONS),
      },
      MEMORY,
      runs,
    );
    return [...cases, ...memory];
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function filled(folder: string, instances: number): Promise<void> {
  await mkdir(folder);
  fillCatalog(folder, instances);
}

async function catalogTimes(folder: string): Promise<Figures> {
  const scratch = await mkdtemp(join(tmpdir(), 'vigil-bench-catalog-'));
  try {
    await cp(join(folder, CATALOG_FILE), join(scratch, CATALOG_FILE));
    const catalog = openCatalog(join(scratch, CATALOG_FILE));
    try {
      const commit = groupCommitter(catalog, NO_FILES);
      const groups = Array.from({ length: GROUPS }, (_, i) => sliceRows(NEW_STUDY + i, GROUP));
      const status = new StatusStore(catalog);
      return {
        group: timed(groups, commit),
        status: timed(groups, () => {
          status.counts();
          status.backlog();
          status.deadLetters(20);
          status.recentStudies(50);
        }),
        study: timed(groups, ([first]) => {
          if (first?.type === 'instance') status.study(first.received.header.studyInstanceUid);
        }),
      };
    } finally {
      catalog.close();
    }
  } finally {
    await rm(scratch, { recursive: true });
  }
}

/** Median of the milliseconds that each took. */
function timed<T>(items: readonly T[], run: (item: T) => unknown): number {
  const times = items.map((item) => {
    const began = performance.now();
    run(item);
    return performance.now() - began;
  });
  return median(times) as number;
}

async function startTime(storage: string): Promise<Figures> {
  const began = performance.now();
  await using _node = await startVigil({ storage });
  return { start: performance.now() - began };
}
