import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readFileMeta } from '../../../src/dicom/file-meta.js';
import { headPhantomStudy } from '../../../src/simulate/head-phantom.js';
import {
  associated,
  type Reference,
  requestCommitment,
  ScannerListener,
} from '../node/commitment-peers.js';
import { CT, releaseRq } from '../receive/raw-scu.js';
import { requireCompiler } from './failing-disk.js';
import { FaultyNode, underRoot } from './faulty-node.js';
import { vigil } from './vigil-command.js';

const PATIENCE = { timeout: 90_000, interval: 100 };
const head = headPhantomStudy({ seed: 11, bleed: { type: 'intraparenchymal', volumeMl: 35 } });

/** A study like any other, that no test before has sent. */
let studies = 25;
function fresh() {
  studies += 1;
  const root = `2.${studies}.`;
  const uid = (text: string) => text.replaceAll('2.25.', root);
  return {
    studyInstanceUid: uid(head.studyInstanceUid),
    images: head.images.map(({ part10 }) => underRoot(root, part10)),
    sopInstanceUids: head.images.map(({ sopInstanceUid }) => uid(sopInstanceUid)),
  };
}

/** The faults come one after the other to one node, which is never started again. */
describe.runIf(requireCompiler())(
  'a node whose disk gives errors on reading',
  {
    timeout: 240_000,
  },
  () => {
    let scanner: ScannerListener;
    let node: FaultyNode;

    beforeAll(async () => {
      scanner = await ScannerListener.start();
      node = await FaultyNode.start(
        `scanners:
  ct1: { aeTitle: CT1, host: 127.0.0.1, port: ${scanner.port}, retryFirstSeconds: 0.1, retryLongestSeconds: 0.5 }
`,
      );
    }, 120_000);

    afterEach(() => node.disk.heal());

    afterAll(async () => {
      await node[Symbol.asyncDispose]();
      await scanner[Symbol.asyncDispose]();
    });

    const archive = async () => (await node.health())['archive'];
    const outcomes = (study: string) => node.study(study)?.analyses.map(({ outcome }) => outcome);
    const latest = (study: string) => node.study(study)?.analyses.at(-1);
    const isDelivered = (study: string) => {
      const deliveries = node.study(study)?.deliveries ?? [];
      return (
        latest(study)?.state === 'reported' &&
        deliveries.every(({ state }) => state === 'delivered')
      );
    };

    it.each([
      ['one slice', 3],
      ['the first slice, of which a report takes its patient,', 0],
    ])(
      'fails a study of which %s cannot be read, reads others, and reads it when it can',
      async (_, index) => {
        const { studyInstanceUid, images, sopInstanceUids } = fresh();
        const other = fresh();
        node.disk.fail({ read: 'EIO' }, `${sopInstanceUids[index]}.dcm`);
        const sent = await node.send(images);
        expect(sent.map(({ status }) => status)).toEqual(images.map(() => 0));
        await node.send(other.images);

        await expect.poll(() => latest(studyInstanceUid)?.state, PATIENCE).toBe('reported');
        expect(latest(studyInstanceUid)).toMatchObject({
          outcome: 'failed',
          finding: { reason: { code: 'slice-unreadable' } },
        });
        await expect.poll(() => isDelivered(studyInstanceUid), PATIENCE).toBe(true);
        await expect.poll(() => isDelivered(other.studyInstanceUid), PATIENCE).toBe(true);
        expect(new Set(outcomes(other.studyInstanceUid))).toEqual(new Set(['positive']));
        await expect.poll(archive, PATIENCE).toMatchObject({ ok: false });
        const verified = await vigil(['verify', '--json', '--config', node.config], node.disk.env);
        expect(JSON.parse(verified.stdout).problems).toMatchObject([
          { problem: 'unreadable', kind: 'instance', sopInstanceUid: sopInstanceUids[index] },
        ]);

        node.disk.heal();
        await expect.poll(archive, PATIENCE).toEqual({ ok: true });
        await expect
          .poll(() => latest(studyInstanceUid), PATIENCE)
          .toMatchObject({ state: 'reported', outcome: 'positive' });
        expect(outcomes(studyInstanceUid)).toContain('failed');
        expect(outcomes(studyInstanceUid)).not.toContain('negative');
      },
    );

    it('sends a result that cannot be read when it can, and says so meanwhile', async () => {
      const { studyInstanceUid, images } = fresh();
      node.disk.fail({ read: 'EIO' }, '/results/');
      await node.send(images);
      await expect
        .poll(() => node.study(studyInstanceUid)?.deliveries, PATIENCE)
        .toContainEqual(
          expect.objectContaining({
            state: 'due',
            failureClass: 'transient',
            failureCode: 'file-unreadable',
          }),
        );
      await expect.poll(archive, PATIENCE).toMatchObject({ ok: false });
      node.disk.heal();
      await expect.poll(() => isDelivered(studyInstanceUid), PATIENCE).toBe(true);
      await expect.poll(archive, PATIENCE).toEqual({ ok: true });
    });

    it('says that a catalog cannot be read, loses nothing, and goes on', async () => {
      const { studyInstanceUid, images } = fresh();
      node.disk.fail({ read: 'EIO' }, join(node.data, 'catalog.db'));
      // What another process writes makes SQLite forget the pages that it has in memory.
      node.catalog
        .prepare("INSERT INTO event (at, kind, detail) VALUES (0, 'reanalyse', '{}')")
        .run();
      await expect
        .poll(async () => (await node.health())['catalog'], PATIENCE)
        .toMatchObject({ ok: false });
      const sent = await node.send(images);
      for (const { status } of sent) expect([0, 0xa700, 0x0110]).toContain(status);
      expect(node.disk.failed).toBeGreaterThan(0);
      node.disk.heal();
      await expect
        .poll(async () => (await node.health())['catalog'], PATIENCE)
        .toEqual({ ok: true });
      const again = await node.send(images);
      expect(again.map(({ status }) => status)).toEqual(images.map(() => 0));
      await expect.poll(() => isDelivered(studyInstanceUid), PATIENCE).toBe(true);
      expect(latest(studyInstanceUid)).toMatchObject({ outcome: 'positive' });
      expect(outcomes(studyInstanceUid)).not.toContain('negative');
    });

    it('does not commit to an image that it cannot read', async () => {
      const { images, sopInstanceUids } = fresh();
      const [first, second] = sopInstanceUids as [string, string];
      const sopClassUid = readFileMeta(images[0] ?? Buffer.alloc(0))?.sopClassUid ?? CT;
      await node.send(images.slice(0, 2));
      node.disk.fail({ read: 'EIO' }, `${second}.dcm`);
      const reported = once(scanner, 'report');
      const scu = await associated(node.port);
      const references: Reference[] = [
        [sopClassUid, first],
        [sopClassUid, second],
      ];
      expect(await requestCommitment(scu, '1.9.70', references)).toBe(0);
      scu.send(releaseRq);
      expect((await reported)[0]).toMatchObject({
        eventTypeId: 2,
        committed: [first],
        failed: { [second]: 0x0110 },
      });
      await expect.poll(archive, PATIENCE).toMatchObject({ ok: false });
      await scu[Symbol.asyncDispose]();
    });
  },
);
