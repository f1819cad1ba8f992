import { join } from 'node:path';
import Database from 'better-sqlite3';
import { describe, expect, it } from 'vitest';
import type { App } from '../../../src/app.js';
import type { Settings } from '../../../src/config/settings.js';
import { headPhantomStudy } from '../../../src/simulate/head-phantom.js';
import {
  allTo,
  sendTo,
  settingsIn,
  startNode,
  startPacs,
  temporaryFolder,
  untilReported,
} from '../node/node-rig.js';
import { requireMounts, SmallDisk } from './small-disk.js';
import { acknowledgedOf, expectKept } from './stored-datasets.js';
import { vigil } from './vigil-command.js';

const OUT_OF_RESOURCES = 0xa700;
const head = headPhantomStudy({ seed: 11, bleed: { type: 'intraparenchymal', volumeMl: 35 } });
const files = head.images.map(({ part10 }) => part10);
const PATIENCE = { timeout: 20_000, interval: 50 };

/** As the configuration gives them, with another reserve. */
const withReserve = (settings: Settings, minFreeBytes: number): Settings => ({
  ...settings,
  storage: { ...settings.storage, minFreeBytes },
});

const healthOf = async (app: App) => app.health();

async function echoes(app: App): Promise<boolean> {
  return (await vigil(['echo', '--to', `VIGIL@127.0.0.1:${app.ports.dicom}`])).code === 0;
}

describe.runIf(requireMounts())('a node on a full disk', () => {
  it('refuses what does not fit, keeps what it acknowledged, and goes on by itself when there is space', async () => {
    await using folder = await temporaryFolder();
    await using disk = await SmallDisk.mount(64);
    await using pacs = await startPacs(folder.path);
    const settings = withReserve(settingsIn(disk.path, allTo(pacs)), 0);
    await using app = await startNode(settings);
    disk.fill(3 * 1024 * 1024);

    const sent = await sendTo(app, files);
    const statuses = new Set(sent.map(({ status }) => status));
    expect(statuses).toEqual(new Set([0, OUT_OF_RESOURCES]));
    expectKept(settings.storage.folder, files, sent);
    disk.fill();
    expect(await echoes(app)).toBe(true);
    await expect.poll(async () => (await healthOf(app)).storage.ok, PATIENCE).toBe(false);

    disk.empty();
    await expect.poll(async () => (await healthOf(app)).catalog.ok, PATIENCE).toBe(true);
    expect((await healthOf(app)).storage).toEqual({ ok: true });
    const again = await sendTo(app, files);
    expect(acknowledgedOf(again)).toHaveLength(files.length);
    await expect
      .poll(() => app.status.study(head.studyInstanceUid)?.series[0]?.instances, PATIENCE)
      .toBe(files.length);
    const study = await untilReported(app, head.studyInstanceUid, 1);
    expect(study.analyses.map(({ outcome }) => outcome)).not.toContain('failed');
    expect(study.analyses.map(({ outcome }) => outcome)).not.toContain('negative');
    expectKept(settings.storage.folder, files, [...sent, ...again]);
  });

  it('makes the report of a study that it has read when there is space, not a failed one', async () => {
    await using folder = await temporaryFolder();
    await using disk = await SmallDisk.mount(64);
    await using pacs = await startPacs(folder.path);
    // Long enough that the disk is full between the rows of the slices and the reading of the series.
    const config = allTo(pacs).replace('0.1, unknownSeconds: 1,', '2, unknownSeconds: 20,');
    await using app = await startNode(withReserve(settingsIn(disk.path, config), 0));
    const sent = await sendTo(app, files);
    expect(acknowledgedOf(sent)).toHaveLength(files.length);
    await expect
      .poll(() => app.status.study(head.studyInstanceUid)?.series[0]?.instances, PATIENCE)
      .toBe(files.length);
    disk.fill();
    const isHeldUp = async () => {
      const { pipeline, catalog, storage } = await healthOf(app);
      const events = app.status.study(head.studyInstanceUid)?.events ?? [];
      const waits = events.some(({ detail }) => detail['code'] === 'report-not-written');
      return !storage.ok && (!pipeline.ok || !catalog.ok || waits);
    };
    await expect.poll(isHeldUp, PATIENCE).toBe(true);
    disk.empty();
    const study = await untilReported(app, head.studyInstanceUid);
    expect(study.analyses[0]).toMatchObject({ outcome: 'positive', revision: 1 });
    expect(study.analyses.map(({ outcome }) => outcome)).not.toContain('failed');
    expect(study.deliveries.every(({ state }) => state === 'delivered')).toBe(true);
  });

  it('starts, answers, refuses what comes, and takes it when there is space', async () => {
    await using disk = await SmallDisk.mount(32);
    // More than what the start gives up of its own reserve.
    const settings = withReserve(settingsIn(disk.path, ''), 4 * 1024 * 1024);
    await (await startNode(settings)).stop();
    disk.fill();
    await using app = await startNode(settings);
    expect(await echoes(app)).toBe(true);
    const refused = await sendTo(app, files.slice(0, 2));
    expect(refused.map(({ status }) => status)).toEqual([OUT_OF_RESOURCES, OUT_OF_RESOURCES]);
    expect((await healthOf(app)).storage.ok).toBe(false);
    disk.empty();
    await expect.poll(async () => (await healthOf(app)).storage.ok, PATIENCE).toBe(true);
    await expect.poll(async () => (await healthOf(app)).catalog.ok, PATIENCE).toBe(true);
    expect(acknowledgedOf(await sendTo(app, files.slice(0, 2)))).toHaveLength(2);
  });

  it('that is read-only is refused by name, and used when it can be written', async () => {
    await using disk = await SmallDisk.mount(32);
    const settings = withReserve(settingsIn(disk.path, ''), 0);
    await (await startNode(settings)).stop();
    disk.remount('ro');
    await expect(startNode(settings)).rejects.toThrow(/data cannot be used: .*read-only/);
    disk.remount('rw');
    await using app = await startNode(settings);
    expect(acknowledgedOf(await sendTo(app, files.slice(0, 2)))).toHaveLength(2);
  });

  it('leaves its reserve alone', async () => {
    await using disk = await SmallDisk.mount(32);
    const reserve = 16 * 1024 * 1024;
    await using app = await startNode(withReserve(settingsIn(disk.path, ''), reserve));
    disk.fill(reserve / 2);
    await expect
      .poll(async () => (await healthOf(app)).storage, PATIENCE)
      .toMatchObject({
        ok: false,
        reason: 'free space is under its limit',
      });
    const sent = await sendTo(app, files.slice(0, 3));
    expect(sent.every(({ status }) => status === OUT_OF_RESOURCES)).toBe(true);
    disk.empty();
    await expect.poll(async () => (await healthOf(app)).storage.ok, PATIENCE).toBe(true);
    expect(acknowledgedOf(await sendTo(app, files.slice(0, 3)))).toHaveLength(3);
  });
});

describe('a node whose catalog another process holds', () => {
  it('keeps what it acknowledges, answers, says so, and goes on when the lock is gone', async () => {
    await using folder = await temporaryFolder();
    await using pacs = await startPacs(folder.path);
    const settings = settingsIn(folder.path, allTo(pacs));
    await using app = await startNode(settings);
    const other = new Database(join(settings.storage.folder, 'catalog.db'));
    other.exec('BEGIN EXCLUSIVE');
    const sent = await sendTo(app, files);
    expect(sent).toHaveLength(files.length);
    await expect
      .poll(async () => (await healthOf(app)).catalog, PATIENCE)
      .toMatchObject({
        ok: false,
        reason: expect.stringContaining('locked'),
      });
    expect(await echoes(app)).toBe(true);
    expectKept(settings.storage.folder, files, sent);

    other.close();
    await expect.poll(async () => (await healthOf(app)).catalog.ok, PATIENCE).toBe(true);
    expect(acknowledgedOf(await sendTo(app, files))).toHaveLength(files.length);
    const study = await untilReported(app, head.studyInstanceUid);
    expect(study.analyses.map(({ outcome }) => outcome)).not.toContain('failed');
  });
});
