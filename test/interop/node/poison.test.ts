import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import dicomParser from 'dicom-parser';
import { describe, expect, it, vi } from 'vitest';
import type { SimulatedPacs } from '../../../src/simulate/pacs.js';
import { encodeCtImage, phantomUids } from '../../../src/simulate/phantom/ct-image.js';
import { scan } from '../../../src/simulate/scanner.js';
import { openCatalog } from '../../../src/store/database.js';
import { StatusStore, type StudyDetail } from '../../../src/store/status-store.js';
import { smallStudy } from '../../crash/small-study.js';
import { NodeProcess } from '../../integration/node/node-process.js';
import { allTo, startPacs, temporaryFolder } from '../../integration/node/node-rig.js';
import { requireTools } from '../tools.js';

const run = promisify(execFile);
const tools = requireTools('dsrdump', 'dcmcrle');
const POISON = pathToFileURL(join(import.meta.dirname, '../../fixtures/poison.mjs')).href;
const PATIENCE = { timeout: 400_000, interval: 200 };
const LIMIT = 500_000;

interface Study {
  readonly studyInstanceUid: string;
  readonly images: readonly { readonly sopInstanceUid: string; readonly part10: Buffer }[];
}

const studies = (count: number, salt: string): Study[] =>
  Array.from({ length: count }, (_, i) => smallStudy(i + 1, salt));

/** A slice in the middle of the series. */
const poisonOf = ({ images }: Study) => images[5]?.sopInstanceUid ?? '';

async function configure(folder: string, pacs: SimulatedPacs, inference = ''): Promise<string> {
  const file = join(folder, 'vigil.yaml');
  const text = `
node: { aeTitle: VIGIL, host: 127.0.0.1, port: 0 }
storage: { folder: ./data, minFreeMb: 1 }
admin: { port: 0 }
${inference}
${allTo(pacs)}`;
  await writeFile(file, text);
  return file;
}

const send = (node: NodeProcess, { images }: Study) =>
  scan(
    { host: '127.0.0.1', port: node.port, calledAeTitle: 'VIGIL', associations: 1 },
    images.map(({ part10 }) => part10),
  );

/** Resolves when each of the studies is reported and delivered; read from the running node's catalog. */
async function reported(folder: string, all: readonly Study[]): Promise<StudyDetail[]> {
  const catalog = openCatalog(join(folder, 'data', 'catalog.db'));
  try {
    const status = new StatusStore(catalog);
    return await vi.waitFor(
      () =>
        all.map(({ studyInstanceUid }) => {
          const study = status.study(studyInstanceUid);
          if (study?.analyses.at(-1)?.state !== 'reported') throw new Error('not reported yet');
          if (study.deliveries.some(({ settledAt }) => settledAt === null)) {
            throw new Error('not delivered yet');
          }
          return study;
        }),
      PATIENCE,
    );
  } finally {
    catalog.close();
  }
}

/** The structured reports of a study that the PACS has, as files. */
function reportsAt(pacs: SimulatedPacs, studyInstanceUid: string): string[] {
  return pacs.received.flatMap(({ file, sopClassUid }) => {
    if (!sopClassUid.startsWith('1.2.840.10008.5.1.4.1.1.88.3')) return [];
    return [file].filter((path) => studyOf(path) === studyInstanceUid);
  });
}

function studyOf(file: string): string | undefined {
  return dicomParser.parseDicom(readFileSync(file)).string('x0020000d');
}

describe.runIf(tools)('a node that gets a poisonous study among others', () => {
  it.each([
    ['crashes', 'crash', 'inference-crashed', /crashed \(SIGSEGV\): 2 times/],
    ['hangs', 'loop', 'inference-hung', /no answer within 10 s: 2 times/],
  ])(
    'whose slice %s the inference process reports the others, and that one as failed',
    async (_, deed, code, text) => {
      await using folder = await temporaryFolder();
      await using pacs = await startPacs(folder.path);
      const all = studies(5, deed);
      const poisonous = all[2] as Study;
      const deeds = join(folder.path, 'deeds');
      const config = await configure(folder.path, pacs, 'inference: { timeoutSeconds: 10 }');
      await using node = NodeProcess.spawn(config, {
        env: {
          NODE_OPTIONS: `--import ${POISON}`,
          VIGIL_POISON: `${poisonOf(poisonous)}=${deed}`,
          VIGIL_POISON_LOG: deeds,
        },
      });
      await node.ready();
      await Promise.all(all.map((study) => send(node, study)));
      const ended = await reported(folder.path, all);

      for (const study of ended) {
        expect(study.analyses).toHaveLength(1);
        const { outcome, finding } = study.analyses[0] ?? {};
        if (study.studyInstanceUid === poisonous.studyInstanceUid) {
          expect({ outcome, code: finding?.reason?.code }).toEqual({ outcome: 'failed', code });
        } else {
          expect(['positive', 'undetermined', 'negative']).toContain(outcome);
          expect(study.events.filter(({ kind }) => /retried|lost/.test(kind))).toEqual([]);
        }
        expect(reportsAt(pacs, study.studyInstanceUid)).toHaveLength(1);
      }
      expect((await readFile(deeds, 'utf8')).trim().split('\n')).toEqual([deed, deed]);
      const [report = ''] = reportsAt(pacs, poisonous.studyInstanceUid);
      const { stdout } = await run('dsrdump', [report]);
      expect(stdout.replaceAll(/\s+/g, ' ')).toMatch(text);
    },
    LIMIT,
  );

  it(
    'and is killed after the first loss, tries it once more and no third time',
    async () => {
      await using folder = await temporaryFolder();
      await using pacs = await startPacs(folder.path);
      const [good, bad] = studies(2, 'restart') as [Study, Study];
      const deeds = join(folder.path, 'deeds');
      const config = await configure(folder.path, pacs);
      const env = {
        NODE_OPTIONS: `--import ${POISON}`,
        VIGIL_POISON: `${poisonOf(bad)}=crash`,
        VIGIL_POISON_LOG: deeds,
      };
      {
        await using node = NodeProcess.spawn(config, { env });
        await node.ready();
        const lost = node.logged('the inference process was lost with slices');
        const sending = send(node, bad).catch(() => undefined);
        await lost;
        await node.end('SIGKILL');
        await sending;
      }
      await using node = NodeProcess.spawn(config, { env });
      await node.ready();
      await Promise.all([send(node, bad), send(node, good)]);
      const [bads, goods] = await reported(folder.path, [bad, good]);
      expect(bads?.analyses.at(-1)).toMatchObject({
        outcome: 'failed',
        finding: { reason: { code: 'inference-crashed' } },
      });
      expect(goods?.analyses.at(-1)?.outcome).not.toBe('failed');
      expect((await readFile(deeds, 'utf8')).trim().split('\n')).toEqual(['crash', 'crash']);
    },
    LIMIT,
  );

  it(
    'and is killed while a slice hangs its inference process leaves none behind',
    async () => {
      await using folder = await temporaryFolder();
      await using pacs = await startPacs(folder.path);
      const [bad] = studies(1, 'orphan') as [Study];
      const deeds = join(folder.path, 'deeds');
      await writeFile(deeds, '');
      const config = await configure(folder.path, pacs);
      const node = NodeProcess.spawn(config, {
        env: {
          NODE_OPTIONS: `--import ${POISON}`,
          VIGIL_POISON: `${poisonOf(bad)}=loop`,
          VIGIL_POISON_LOG: deeds,
        },
      });
      const ready = node.logged('inference process ready');
      await node.ready();
      const { child = 0 } = await ready;
      const sending = send(node, bad).catch(() => undefined);
      await vi.waitFor(async () => expect(await readFile(deeds, 'utf8')).toBe('loop\n'), PATIENCE);
      node.signal('SIGKILL');
      await node.ended;
      await sending;
      await vi.waitFor(async () => expect(await isRunning(child)).toBe(false), PATIENCE);
    },
    LIMIT,
  );

  it(
    'whose images take more memory than there is reports the others',
    async () => {
      await using folder = await temporaryFolder();
      await using pacs = await startPacs(folder.path);
      const huge = await hugeStudy(join(folder.path, 'huge'));
      const [good] = studies(1, 'memory') as [Study];
      const config = await configure(folder.path, pacs, 'inference: { memoryMb: 512 }');
      await using node = await NodeProcess.start(config);
      await Promise.all([send(node, huge), send(node, good)]);
      const [huges, goods] = await reported(folder.path, [huge, good]);
      expect(huges?.analyses.at(-1)).toMatchObject({
        outcome: 'failed',
        finding: { reason: { code: expect.stringMatching(/^inference-(out-of-memory|crashed)$/) } },
      });
      expect(goods?.analyses.at(-1)?.outcome).not.toBe('failed');
    },
    LIMIT,
  );
});

/** Whether a process lives; one that is dead and that nobody has asked about yet does not. */
async function isRunning(pid: number): Promise<boolean> {
  try {
    return !/\) [ZX]/.test(await readFile(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** Ten slices of 4096 x 4096 pixels, the largest that are read, in a few kilobytes each: RLE of one value. */
async function hugeStudy(folder: string): Promise<Study> {
  await mkdir(folder);
  const size = 4096;
  const study = { number: 9, salt: 'huge', at: new Date(2026, 0, 2, 3, 4, 5) };
  const series = {
    number: 2,
    description: 'HEAD 5.0 SOFT',
    kind: 'AXIAL',
    sliceThickness: 5,
    convolutionKernel: 'SOFT',
    imagesInAcquisition: 10,
  } as const;
  const hu = new Int16Array(size * size);
  const images: Study['images'][number][] = [];
  for (let i = 0; i < series.imagesInAcquisition; i += 1) {
    const { sopInstanceUid, part10 } = encodeCtImage(study, series, {
      hu,
      rows: size,
      columns: size,
      pixelSpacing: [0.05, 0.05],
      position: [-100, -100, 12 * i],
      orientation: [1, 0, 0, 0, 1, 0],
      instanceNumber: i + 1,
    });
    const file = join(folder, `${i}.dcm`);
    await writeFile(file, part10);
    await run('dcmcrle', [file, file]);
    images.push({ sopInstanceUid, part10: await readFile(file) });
  }
  return { studyInstanceUid: phantomUids(study).studyInstanceUid, images };
}
