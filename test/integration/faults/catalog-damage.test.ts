import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Outcome } from '../../../src/domain/finding.js';
import { headPhantomStudy } from '../../../src/simulate/head-phantom.js';
import type { SimulatedPacs } from '../../../src/simulate/pacs.js';
import {
  allTo,
  sendTo,
  settingsIn,
  startNode,
  startPacs,
  temporaryFolder,
  untilReported,
} from '../node/node-rig.js';
import { vigil } from './vigil-command.js';

const PAGE = 4096;
const head = headPhantomStudy({ seed: 3, bleed: { type: 'subdural' } });
const files = head.images.map(({ part10 }) => part10);

/** An archive with one reported study, made once; each test has a copy. */
let original: Awaited<ReturnType<typeof temporaryFolder>>;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let pacs: SimulatedPacs;
let catalogFile: string;
let config: string;

beforeAll(async () => {
  original = await temporaryFolder();
  pacs = await startPacs(original.path);
  const text = `node: { host: 127.0.0.1, port: 0 }
storage: { folder: ./data, minFreeMb: 1 }
admin: { port: 0 }
${allTo(pacs)}`;
  await writeFile(join(original.path, 'vigil.yaml'), text);
  await using app = await startNode(settingsIn(original.path, allTo(pacs)));
  await sendTo(app, files);
  const study = await untilReported(app, head.studyInstanceUid);
  expect(study.analyses.at(-1)?.outcome).toBe('negative');
});

afterAll(async () => {
  await pacs[Symbol.asyncDispose]();
  await original[Symbol.asyncDispose]();
});

beforeEach(async () => {
  folder = await temporaryFolder();
  await cp(original.path, folder.path, { recursive: true });
  catalogFile = join(folder.path, 'data/catalog.db');
  config = join(folder.path, 'vigil.yaml');
});

afterEach(() => folder[Symbol.asyncDispose]());

/** Overwrites pages, counted from 1, with bytes that are none of SQLite's. */
function overwrite(pages: readonly number[]): void {
  const file = openSync(catalogFile, 'r+');
  for (const page of pages) writeSync(file, Buffer.alloc(PAGE, 0xa5), 0, PAGE, (page - 1) * PAGE);
  closeSync(file);
}

function pageCount(): number {
  const file = openSync(catalogFile, 'r');
  const pages = fstatSync(file).size / PAGE;
  closeSync(file);
  return pages;
}

/** Pages that hold a table's rows. */
function pagesOf(table: string): number[] {
  const catalog = new Database(catalogFile, { readonly: true });
  const { rootpage } = catalog
    .prepare('SELECT rootpage FROM sqlite_schema WHERE name = ?')
    .get(table) as { rootpage: number };
  catalog.close();
  return [rootpage];
}

const instanceFiles = () =>
  readdirSync(join(folder.path, 'data/instances'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .sort();

const expectedFiles = head.images.map(({ sopInstanceUid }) => `${sopInstanceUid}.dcm`).sort();

/**
 * What each damage overwrites, and what the study is afterwards: where it is lost how the association of its slices ended,
 * nobody knows whether there were more, and what was negative is undetermined.
 */
const damages: readonly [string, () => void, Outcome][] = [
  ['whose header is overwritten', () => overwrite([1]), 'undetermined'],
  ['with an overwritten page of instances', () => overwrite(pagesOf('instance')), 'negative'],
  ['with an overwritten page of studies', () => overwrite(pagesOf('study')), 'negative'],
  [
    'whose second half is overwritten',
    () => {
      const pages = pageCount();
      overwrite(Array.from({ length: pages >> 1 }, (_, i) => pages - i));
    },
    'undetermined',
  ],
];

describe('a catalog', () => {
  it.each(damages)(
    '%s is refused at the start, and rebuilt by one command',
    async (_, damage, outcome) => {
      damage();
      const refused = await vigil(['start', '--config', config]);
      expect(refused.code).toBe(4);
      expect(refused.stderr).toMatch(/catalog\.db is damaged.*vigil rebuild-catalog/);

      const rebuilt = await vigil(['rebuild-catalog', '--json', '--config', config]);
      expect(rebuilt.stderr).toBe('');
      expect(rebuilt.code).toBe(0);
      const { kept } = JSON.parse(rebuilt.stdout) as { kept: string };
      expect(existsSync(join(folder.path, 'data', kept))).toBe(true);

      await using app = await startNode(settingsIn(folder.path, allTo(pacs)));
      const study = await untilReported(app, head.studyInstanceUid);
      expect(study.series[0]?.instances).toBe(files.length);
      expect(study.analyses.at(-1)?.outcome).toBe(outcome);
      expect(instanceFiles()).toEqual(expectedFiles);
      expect((await app.health()).catalog).toEqual({ ok: true });
      const { code, stdout } = await vigil(['verify', '--json', '--config', config]);
      expect(JSON.parse(stdout).problems).toEqual([]);
      expect(code).toBe(0);
    },
  );

  it('that is lost is made again from the files alone', async () => {
    for (const suffix of ['', '-wal', '-shm']) rmSync(catalogFile + suffix, { force: true });
    const rebuilt = await vigil(['rebuild-catalog', '--json', '--config', config]);
    expect(JSON.parse(rebuilt.stdout)).toMatchObject({ kept: null, instances: files.length });
    await using app = await startNode(settingsIn(folder.path, allTo(pacs)));
    const study = await untilReported(app, head.studyInstanceUid);
    expect(study).toMatchObject({ callingAeTitle: 'SCANNER', calledAeTitle: 'VIGIL' });
    expect(study.series[0]?.instances).toBe(files.length);
    expect(instanceFiles()).toEqual(expectedFiles);
  });

  it('is not rebuilt under a running node', async () => {
    await using app = await startNode(settingsIn(folder.path, ''));
    expect(app.ports.dicom).toBeGreaterThan(0);
    const { code, stderr } = await vigil(['rebuild-catalog', '--config', config]);
    expect(code).toBe(1);
    expect(stderr).toContain('Another Vigil runs');
  });

  it('that is overwritten under a running node makes it unhealthy with the next scheduled check', async () => {
    const everySecond = 'verify: { schedule: "* * * * * *" }';
    await using app = await startNode(settingsIn(folder.path, everySecond));
    expect((await app.health()).catalog).toEqual({ ok: true });
    overwrite(pagesOf('instance'));
    await expect
      .poll(async () => (await app.health()).catalog, { timeout: 30_000 })
      .toMatchObject({ ok: false, reason: expect.stringContaining('catalog.db is damaged') });
  });

  it('that is overwritten under a running node is found by vigil verify, and the node goes on answering', async () => {
    await using app = await startNode(settingsIn(folder.path, ''));
    overwrite(Array.from({ length: pageCount() - 1 }, (_, i) => i + 2));
    const other = headPhantomStudy({ seed: 9 }).images.slice(0, 4);
    const sent = await sendTo(
      app,
      other.map(({ part10 }) => part10),
    );
    expect(sent).toHaveLength(4);
    const verified = await vigil(['verify', '--config', config]);
    expect(verified.code).toBe(4);
    expect(verified.stderr).toMatch(/is damaged.*vigil rebuild-catalog/);
    const echo = await vigil(['echo', '--to', `VIGIL@127.0.0.1:${app.ports.dicom}`]);
    expect(echo.code).toBe(0);
    // What was acknowledged is on the disk, in its place or on its way there.
    const known = readdirSync(join(folder.path, 'data'), { recursive: true }) as string[];
    for (const { sopInstanceUid, status } of sent) {
      if (status !== 0) continue;
      const inPlace = known.some((name) => name.endsWith(`/${sopInstanceUid}.dcm`));
      const waiting = known.filter((name) => name.startsWith('incoming/')).length;
      expect(inPlace || waiting > 0).toBe(true);
    }
  });
});
