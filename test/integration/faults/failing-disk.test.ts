import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { headPhantomStudy } from '../../../src/simulate/head-phantom.js';
import { type FailingDisk, type Fault, requireCompiler } from './failing-disk.js';
import { FaultyNode, underRoot } from './faulty-node.js';
import { expectKept } from './stored-datasets.js';

const OUT_OF_RESOURCES = 0xa700;
const PATIENCE = { timeout: 60_000, interval: 100 };
const head = headPhantomStudy({ seed: 11, bleed: { type: 'intraparenchymal', volumeMl: 35 } });
const files = head.images.map(({ part10 }) => part10);

/** Nothing that comes may be answered with success. */
const REFUSED: readonly (readonly [string, Fault, string])[] = [
  ['the sync of the incoming folder', { sync: 'EIO' }, '/data/incoming'],
  ['the making of a folder', { entry: 'EIO' }, '/data/instances/'],
  ['the sync of a new folder', { sync: 'EIO' }, '/data/instances'],
  ['the writing of images', { write: 'EIO' }, '/data/incoming/'],
  ['the disk, read-only all at once,', { write: 'EROFS', entry: 'EROFS' }, '/data/'],
];
/** What is answered with success is kept: the bytes are safe, rows and places follow. */
const KEPT: readonly (readonly [string, Fault, string])[] = [
  ['the renaming of files', { entry: 'EIO' }, '/data/incoming/'],
  ['the writing of the catalog', { write: 'EIO' }, '/data/catalog.db-wal'],
  ['the sync of the catalog', { sync: 'EIO' }, '/data/catalog.db-wal'],
];

/** The faults come one after the other to one node, which is never started again. */
describe.runIf(requireCompiler())('a node whose disk fails', { timeout: 240_000 }, () => {
  let node: FaultyNode;
  let disk: FailingDisk;
  let data: string;

  beforeAll(async () => {
    node = await FaultyNode.start();
    ({ disk, data } = node);
  }, 120_000);

  afterEach(({ task }) => {
    if (task.result?.state === 'fail') console.error(node.lastLines);
  });
  afterAll(() => node[Symbol.asyncDispose]());

  const send = (images: readonly Uint8Array[]) => node.send(images);

  const isHealthy = async () => {
    const { catalog, storage, pipeline } = await node.health();
    return catalog?.ok && storage?.ok && pipeline?.ok;
  };

  /** Two slices of a study that no test before has sent: a known one is looked up and goes no further. */
  let studies = 25;
  const fresh = () => {
    studies += 1;
    return head.images.slice(0, 2).map(({ part10 }) => underRoot(`2.${studies}.`, part10));
  };

  it.each(REFUSED)(
    'refuses what comes while %s fails, and goes on by itself',
    async (_, fault, part) => {
      const images = fresh();
      disk.fail(fault, part);
      const sent = await send(images);
      expect(disk.failed).toBeGreaterThan(0);
      disk.heal();
      expect(sent.map(({ status }) => status)).toEqual(images.map(() => OUT_OF_RESOURCES));
      await expect.poll(isHealthy, PATIENCE).toBe(true);
      // A second sync of what the first one lost says nothing: nothing of it may be left to be taken for safe.
      const again = await send(images);
      expect(again.map(({ status }) => status)).toEqual(images.map(() => 0));
      expectKept(data, images, again);
    },
  );

  it.each(KEPT)(
    'keeps what it acknowledges while %s fails, and goes on by itself',
    async (_, fault, part) => {
      const images = fresh();
      disk.fail(fault, part);
      const sent = await send(images);
      await expect.poll(() => disk.failed, PATIENCE).toBeGreaterThan(0);
      for (const { status } of sent) expect([0, OUT_OF_RESOURCES]).toContain(status);
      expectKept(data, images, sent);
      disk.heal();
      await expect.poll(isHealthy, PATIENCE).toBe(true);
      const again = await send(images);
      expect(again.map(({ status }) => status)).toEqual(images.map(() => 0));
      expectKept(data, images, again);
    },
  );

  it('waits with a report while results cannot be written, and makes it then', async () => {
    const study = () => node.study(head.studyInstanceUid);
    disk.fail({ sync: 'EIO', write: 'EIO' }, '/data/results/');
    const sent = await send(files);
    expect(sent.map(({ status }) => status)).toEqual(files.map(() => 0));
    await expect.poll(() => disk.failed, PATIENCE).toBeGreaterThan(0);
    const before = study()?.deliveries.length;
    disk.heal();
    await expect
      .poll(() => study()?.analyses.at(-1), PATIENCE)
      .toMatchObject({ state: 'reported', outcome: 'positive' });
    await expect
      .poll(() => {
        const deliveries = study()?.deliveries ?? [];
        return (
          deliveries.length > (before ?? 0) && deliveries.every((d) => d.state === 'delivered')
        );
      }, PATIENCE)
      .toBe(true);
    expect(study()?.analyses.map(({ outcome }) => outcome)).not.toContain('negative');
  });
});
