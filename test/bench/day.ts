import { on } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import dicomParser from 'dicom-parser';
import { COMPREHENSIVE_3D_SR } from '../../src/dicom/sop-classes.js';
import { headSlices, type PhantomStudy, studyOf } from '../../src/simulate/head-phantom.js';
import { type ReceivedObject, SimulatedPacs } from '../../src/simulate/pacs.js';
import { scan } from '../../src/simulate/scanner.js';
import { CATALOG_FILE, openCatalog } from '../../src/store/database.js';
import { StatusStore } from '../../src/store/status-store.js';
import { type Contestant, startVigil } from './contestants.js';
import { type BenchCase, compare, type Figures, quantile, type Unit } from './harness.js';
import { residentMb } from './process-cost.js';

const SCANNERS = 20;
/** Two days of a hospital with 500 head CTs a day. */
const STUDIES = 1000;
/** A scanner that reconstructs a head while it is sent. */
const IMAGES_PER_SECOND = 10;
const LOOK_MS = 250;
/** As the library writes the tag (0020,000D). */
const STUDY_INSTANCE_UID = 'x0020000d';

const UNITS: readonly Unit[] = [
  { figure: 'median', unit: 'ms to report, median', better: 'lower' },
  { figure: 'p99', unit: 'ms to report, p99', better: 'lower' },
  { figure: 'max', unit: 'ms to report, longest', better: 'lower' },
  { figure: 'queue', unit: 'studies to be read at once, most', better: 'lower' },
  { figure: 'RSS, first tenth', unit: 'RSS MB after a tenth of the studies', better: 'lower' },
  { figure: 'RSS, all', unit: 'RSS MB after all studies', better: 'lower' },
];

/**
 * All scanners of a large hospital send at once, each its head of 32 slices at its own pace, again and again without a
 * pause but for the last report: the bursts of two days in a row, without the quiet hours between. The scanners share the
 * machine's cores with the node. No peer does this job.
 */
export function day(runs: number): Promise<BenchCase[]> {
  const name = `${STUDIES} heads, ${SCANNERS} scanners at once`;
  return compare(name, { vigil: bursts }, UNITS, runs);
}

async function bursts(): Promise<Figures> {
  const folder = await mkdtemp(join(tmpdir(), 'vigil-bench-pacs-'));
  try {
    await using pacs = new SimulatedPacs({ folder, aeTitle: 'PACS' });
    await pacs.start();
    await using node = await startVigil({
      more: `
destinations:
  pacs: { aeTitle: PACS, host: 127.0.0.1, port: ${pacs.port} }
routes:
  - { name: everything, send: { to: [pacs] } }
`,
    });
    const heads = Array.from({ length: SCANNERS }, (_, seed) => headSlices(seed, undefined));
    const queue = watchQueue(node);
    const times: number[] = [];
    let firstTenth = 0;
    while (times.length < STUDIES) {
      const studies = heads.map((slices, seed) => studyOf(slices, { seed, announcesCount: true }));
      const reported = reportsOf(pacs, studies.length);
      const lastResponses = await Promise.all(studies.map((study, i) => send(node, study, i)));
      const reports = await reported;
      for (const [i, study] of studies.entries()) {
        times.push((reports.get(study.studyInstanceUid) as number) - (lastResponses[i] as number));
      }
      if (times.length === STUDIES / 10) firstTenth = residentMb(node.pid);
    }
    return {
      median: quantile(times, 0.5) as number,
      p99: quantile(times, 0.99) as number,
      max: Math.max(...times),
      queue: queue.stop(),
      'RSS, first tenth': firstTenth,
      'RSS, all': residentMb(node.pid),
    };
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Resolves to when the PACS took the report of each of so many studies, by Study Instance UID. */
async function reportsOf(pacs: SimulatedPacs, studies: number): Promise<Map<string, number>> {
  const reports = new Map<string, number>();
  for await (const [object] of on(pacs, 'received') as AsyncIterable<[ReceivedObject]>) {
    if (object.sopClassUid === COMPREHENSIVE_3D_SR) {
      const report = dicomParser.parseDicom(await readFile(object.file), {
        untilTag: STUDY_INSTANCE_UID,
      });
      reports.set(report.string(STUDY_INSTANCE_UID) as string, object.receivedAt);
    }
    if (reports.size === studies) break;
  }
  return reports;
}

/** Resolves to when the last response was there. */
async function send(node: Contestant, { images }: PhantomStudy, scanner: number): Promise<number> {
  const acknowledged = await scan(
    {
      host: '127.0.0.1',
      port: node.port,
      calledAeTitle: node.aeTitle,
      callingAeTitle: `SCANNER${scanner}`,
      imagesPerSecond: IMAGES_PER_SECOND,
    },
    images.map(({ part10 }) => part10),
  );
  if (acknowledged.some(({ status }) => status !== 0)) throw new Error('An image was refused');
  return Math.max(...acknowledged.map(({ at }) => at));
}

/** Looks again and again how many studies wait to be chosen from or read; `stop` resolves to the most there were. */
function watchQueue({ folder }: Contestant): { stop(): number } {
  const catalog = openCatalog(join(folder, 'data', CATALOG_FILE));
  const status = new StatusStore(catalog);
  let most = 0;
  const timer = setInterval(() => {
    const { studiesToChoose, analysesDue } = status.counts();
    most = Math.max(most, studiesToChoose + analysesDue);
  }, LOOK_MS);
  return {
    stop: () => {
      clearInterval(timer);
      catalog.close();
      return most;
    },
  };
}
