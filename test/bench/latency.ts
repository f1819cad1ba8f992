import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { COMPREHENSIVE_3D_SR } from '../../src/dicom/sop-classes.js';
import { headPhantomStudy, type PhantomStudy } from '../../src/simulate/head-phantom.js';
import { SimulatedPacs } from '../../src/simulate/pacs.js';
import { scan } from '../../src/simulate/scanner.js';
import { type Contestant, startOrthancPeer, startVigil } from './contestants.js';
import { type BenchCase, compare, type Figures, quantile, type Unit } from './harness.js';

/** Of each run, after one that warms the process up. */
const STUDIES = 8;
/** A scanner that reconstructs a head while it is sent. */
const SCANNER_PACE = 10;

const BLEED = { type: 'intraparenchymal', volumeMl: 40 } as const;

const CASES: readonly {
  readonly bleeds: boolean;
  readonly announcesCount: boolean;
  readonly imagesPerSecond: number | undefined;
}[] = [
  { bleeds: false, announcesCount: true, imagesPerSecond: SCANNER_PACE },
  { bleeds: true, announcesCount: true, imagesPerSecond: SCANNER_PACE },
  { bleeds: false, announcesCount: true, imagesPerSecond: undefined },
  { bleeds: false, announcesCount: false, imagesPerSecond: SCANNER_PACE },
  { bleeds: false, announcesCount: false, imagesPerSecond: undefined },
];

const UNITS: readonly Unit[] = [
  { figure: 'median', unit: 'ms to report, median', better: 'lower' },
  { figure: 'p99', unit: 'ms to report, p99', better: 'lower' },
];

/** Sends a study and resolves to the milliseconds from its last C-STORE response to the event that is waited for. */
type Measure = (study: PhantomStudy) => Promise<number>;

/**
 * From the last C-STORE response to the report's in the PACS, for a head of 32 slices of 512 x 512. Orthanc, which reads
 * nothing and reports nothing, is measured up to its StableStudy event, which a system built on it waits for: with
 * StableAge at its least (1 s), and at its default (60 s) in the first case, one study a run.
 */
export async function latency(runs: number): Promise<BenchCase[]> {
  const cases: BenchCase[] = [];
  for (const { bleeds, announcesCount, imagesPerSecond } of CASES) {
    const head = (seed: number) =>
      headPhantomStudy({ seed, announcesCount, ...(bleeds && { bleed: BLEED }) });
    const what = bleeds ? 'a bleed, ' : '';
    const evidence = announcesCount ? 'count announced' : 'count not announced';
    const pace =
      imagesPerSecond === undefined ? 'as fast as it goes' : `${imagesPerSecond} images/s`;
    cases.push(
      ...(await compare(
        `32 slices, ${what}${evidence}, ${pace}`,
        {
          vigil: () => vigil(head, imagesPerSecond),
          'orthanc, StableAge 1': () => orthanc(1, head, imagesPerSecond, STUDIES),
          ...(cases.length === 0 && {
            'orthanc, StableAge 60': () => orthanc(60, head, imagesPerSecond, 1),
          }),
        },
        UNITS,
        runs,
      )),
    );
  }
  return cases;
}

async function vigil(
  head: (seed: number) => PhantomStudy,
  imagesPerSecond: number | undefined,
): Promise<Figures> {
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
    return await measured(head, STUDIES, async (study) => {
      const report = reportOf(pacs);
      const lastResponse = await send(node, study, imagesPerSecond);
      return (await report) - lastResponse;
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Resolves to when the PACS has taken the next report. */
async function reportOf(pacs: SimulatedPacs): Promise<number> {
  for (;;) {
    const [object] = await once(pacs, 'received');
    if (object.sopClassUid === COMPREHENSIVE_3D_SR) return object.receivedAt;
  }
}

async function orthanc(
  stableAge: number,
  head: (seed: number) => PhantomStudy,
  imagesPerSecond: number | undefined,
  studies: number,
): Promise<Figures> {
  await using node = await startOrthancPeer({ StableAge: stableAge });
  let since = 0;
  const stable = async (): Promise<number> => {
    for (;;) {
      const changes = await node.changes(since);
      since = changes.last;
      if (changes.types.includes('StableStudy')) return Date.now();
      await delay(5);
    }
  };
  return await measured(head, studies, async (study) => {
    const lastResponse = await send(node, study, imagesPerSecond);
    return (await stable()) - lastResponse;
  });
}

async function measured(
  head: (seed: number) => PhantomStudy,
  studies: number,
  measure: Measure,
): Promise<Figures> {
  const times: number[] = [];
  if (studies > 1) await measure(head(0));
  for (let seed = 1; seed <= studies; seed += 1) times.push(await measure(head(seed)));
  return { median: quantile(times, 0.5) as number, p99: quantile(times, 0.99) as number };
}

/** Sends the axial series; resolves to when the last response was there. */
async function send(
  { aeTitle, port }: Contestant,
  { images }: PhantomStudy,
  imagesPerSecond: number | undefined,
): Promise<number> {
  const acknowledged = await scan(
    {
      host: '127.0.0.1',
      port,
      calledAeTitle: aeTitle,
      ...(imagesPerSecond !== undefined && { imagesPerSecond }),
    },
    images.map(({ part10 }) => part10),
  );
  if (acknowledged.some(({ status }) => status !== 0)) throw new Error('An image was refused');
  return Math.max(...acknowledged.map(({ at }) => at));
}
