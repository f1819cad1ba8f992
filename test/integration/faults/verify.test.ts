import { existsSync } from 'node:fs';
import { cp, readFile, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { headPhantomStudy } from '../../../src/simulate/head-phantom.js';
import type { SimulatedPacs } from '../../../src/simulate/pacs.js';
import { DamageStore } from '../../../src/store/damage-store.js';
import { CATALOG_FILE, openCatalog } from '../../../src/store/database.js';
import { Verifier } from '../../../src/store/verifier.js';
import {
  allTo,
  sendTo,
  settingsIn,
  startNode,
  startPacs,
  temporaryFolder,
  untilReported,
} from '../node/node-rig.js';
import { silent } from '../store/rig.js';
import { vigil } from './vigil-command.js';

const head = headPhantomStudy({ seed: 3, bleed: { type: 'subdural' } });
const files = head.images.map(({ part10 }) => part10);
const UNLIMITED = Number.POSITIVE_INFINITY;

/** An archive with one reported study, made once; each test has a copy, and no node runs on it. */
let original: Awaited<ReturnType<typeof temporaryFolder>>;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let pacs: SimulatedPacs;
let data: string;
let config: string;

beforeAll(async () => {
  original = await temporaryFolder();
  pacs = await startPacs(original.path);
  const more = allTo(pacs);
  const text = `storage: { folder: ./data, minFreeMb: 1 }\n${more}`;
  await writeFile(join(original.path, 'vigil.yaml'), text);
  await using app = await startNode(settingsIn(original.path, more));
  await sendTo(app, files);
  await untilReported(app, head.studyInstanceUid);
});

afterAll(async () => {
  await pacs[Symbol.asyncDispose]();
  await original[Symbol.asyncDispose]();
});

beforeEach(async () => {
  folder = await temporaryFolder();
  await cp(original.path, folder.path, { recursive: true });
  data = join(folder.path, 'data');
  config = join(folder.path, 'vigil.yaml');
});

afterEach(() => folder[Symbol.asyncDispose]());

const pathOf = (index: number) => {
  const { studyInstanceUid, seriesInstanceUid, images } = head;
  const name = `${images[index]?.sopInstanceUid}.dcm`;
  return join(data, 'instances', studyInstanceUid, seriesInstanceUid, name);
};

async function alter(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[bytes.length - 9] = (bytes[bytes.length - 9] ?? 0) ^ 1;
  await writeFile(path, bytes);
}

async function makeOrphan(): Promise<void> {
  await writeFile(join(data, 'conflicts', 'left.dcm'), 'x');
  const old = new Date(Date.now() - 2 * 3600_000);
  await utimes(join(data, 'conflicts', 'left.dcm'), old, old);
}

function resultFile(): string {
  const catalog = openCatalog(join(data, CATALOG_FILE));
  try {
    const row = catalog.prepare("SELECT file FROM result_object WHERE kind = 'sr'").get();
    return join(data, (row as { file: string }).file);
  } finally {
    catalog.close();
  }
}

describe('vigil verify', () => {
  it('finds nothing in a sound archive, and every damaged or unknown file in another', async () => {
    const sound = await vigil(['verify', '--json', '--config', config]);
    expect(sound.code).toBe(0);
    expect(JSON.parse(sound.stdout)).toMatchObject({ ok: true, problems: [] });

    await rm(pathOf(0));
    await truncate(pathOf(1), 3000);
    await truncate(pathOf(2), 0);
    await alter(pathOf(3));
    await alter(resultFile());
    await makeOrphan();
    const { code, stdout } = await vigil(['verify', '--json', '--config', config]);
    expect(code).toBe(1);
    const { ok, problems } = JSON.parse(stdout) as {
      ok: boolean;
      problems: { problem: string; kind: string; sopInstanceUid: string }[];
    };
    expect(ok).toBe(false);
    const found = problems.map(({ problem, kind }) => `${kind} ${problem}`).sort();
    expect(found).toEqual([
      'conflict orphan',
      'instance altered',
      'instance missing',
      'instance truncated',
      'instance truncated',
      'result altered',
    ]);
    expect(problems.find(({ problem }) => problem === 'missing')?.sopInstanceUid).toBe(
      head.images[0]?.sopInstanceUid,
    );

    const status = await vigil(['status', '--json', '--config', config]);
    expect(JSON.parse(status.stdout).counts).toMatchObject({ damagedFiles: 5, orphanFiles: 1 });
    const show = await vigil(['show', head.studyInstanceUid, '--config', config]);
    expect(show.stdout).toContain('Damaged files');
    expect(show.stdout).toContain('file-damaged');
  });

  it('refuses a rate that is none', async () => {
    const { code, stderr } = await vigil(['verify', '--rate', 'fast', '--config', config]);
    expect(code).toBe(2);
    expect(stderr).toContain('no positive number');
  });
});

describe('a damaged file', () => {
  it('shows in the health and the metrics, and is whole again when the scanner sends it again', async () => {
    await alter(pathOf(3));
    await vigil(['verify', '--config', config]);
    await using app = await startNode(settingsIn(folder.path, allTo(pacs)));
    expect((await app.health()).archive).toMatchObject({ ok: false });
    const { admin } = app.ports;
    const metrics = await fetch(`http://127.0.0.1:${admin}/metrics`);
    expect(await metrics.text()).toContain('vigil_queue_depth{queue="damagedFiles"} 1');

    await sendTo(app, [files[3] as Buffer]);
    expect((await app.health()).archive).toEqual({ ok: true });
    const kinds = app.status.study(head.studyInstanceUid)?.events.map(({ kind }) => kind);
    expect(kinds).toContain('file-restored');
    const { code } = await vigil(['verify', '--config', config]);
    expect(code).toBe(0);
  });
});

describe('a verification that is cut off', () => {
  it('goes on where it was, and finds what lies behind', async () => {
    // Verification goes by UID, and these are random: the last of them lies behind any cut.
    const uids = head.images.map(({ sopInstanceUid }) => sopInstanceUid);
    await alter(pathOf(uids.indexOf(uids.toSorted().at(-1) as string)));
    const catalog = openCatalog(join(data, CATALOG_FILE));
    const verifier = new Verifier({
      catalog,
      folder: data,
      damage: new DamageStore(catalog),
      log: silent,
    });
    // As if the first rows had been checked before a crash.
    const cut = catalog
      .prepare('SELECT sop_instance_uid AS uid FROM instance ORDER BY 1 LIMIT 1 OFFSET 1')
      .get() as { uid: string };
    catalog
      .prepare("INSERT INTO verification VALUES (1, 1000, 'instance', ?, 2, 0, NULL)")
      .run(cut.uid);
    expect(verifier.isUnfinished()).toBe(true);
    const stop = new AbortController();
    const result = await verifier.resume(UNLIMITED, stop.signal);
    const results = catalog.prepare('SELECT count(*) AS n FROM result_object').get() as {
      n: number;
    };
    expect(result).toMatchObject({ startedAt: 1000, files: files.length + results.n });
    expect(result.damaged).toMatchObject([{ problem: 'altered' }]);
    expect(verifier.isUnfinished()).toBe(false);

    stop.abort();
    await expect(verifier.resume(1, stop.signal)).rejects.toThrow(/abort/i);
    catalog.close();
    expect(existsSync(pathOf(0))).toBe(true);
  });
});
