import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { App } from '../../../src/app.js';
import { readFileMeta } from '../../../src/dicom/file-meta.js';
import { headPhantomStudy } from '../../../src/simulate/head-phantom.js';
import { CATALOG_FILE, openCatalog } from '../../../src/store/database.js';
import {
  allTo,
  sendTo,
  settingsIn,
  startNode,
  startPacs,
  temporaryFolder,
  untilReported,
} from '../node/node-rig.js';
import { underRoot } from './faulty-node.js';
import { requireMounts, SmallDisk } from './small-disk.js';

const MB = 1024 * 1024;
const PATIENCE = { timeout: 60_000, interval: 100 };
const head = headPhantomStudy({ seed: 11, bleed: { type: 'intraparenchymal', volumeMl: 35 } });
const RETENTION = `
retention: { maxAgeDays: 365, minFreeMb: 24, schedule: '* * * * * *' }
`;

/** The study under UIDs of its own. */
function studyUnder(root: string) {
  return {
    uid: head.studyInstanceUid.replaceAll('2.25.', root),
    images: head.images.map(({ part10 }) => underRoot(root, part10)),
  };
}

const deliveriesOf = (app: App, uid: string) => app.status.study(uid)?.deliveries ?? [];

/** Fills the disk while the log has no room for the smallest row: one that was longer before has, however full the disk is. */
async function fillToTheLast(disk: SmallDisk, storage: string): Promise<void> {
  const file = join(storage, CATALOG_FILE);
  const catalog = openCatalog(file);
  try {
    do {
      disk.empty();
      disk.fill(MB);
      await expect
        .poll(() => catalog.pragma('wal_checkpoint(TRUNCATE)'), PATIENCE)
        .toMatchObject([{ busy: 0, log: 0 }]);
      disk.fill();
    } while (statSync(`${file}-wal`).size > 0);
  } finally {
    catalog.close();
  }
}

describe.runIf(requireMounts())(
  'a node on a disk that is nearly full',
  { timeout: 240_000 },
  () => {
    it('removes what is delivered and nothing else, and delivers the rest when it can', async () => {
      await using folder = await temporaryFolder();
      await using disk = await SmallDisk.mount(96);
      await using pacs = await startPacs(folder.path);
      const { port } = pacs;
      const settings = settingsIn(
        disk.path,
        allTo(pacs).replace('0.1, unknownSeconds: 1,', '4, unknownSeconds: 5,') + RETENTION,
      );
      await using app = await startNode(settings);
      const [delivered, waiting] = [studyUnder('2.26.'), studyUnder('2.27.')];
      await sendTo(app, delivered.images);
      await untilReported(app, delivered.uid);

      await pacs.stop();
      const sent = await sendTo(app, waiting.images);
      expect(sent.map(({ status }) => status)).toEqual(waiting.images.map(() => 0));
      await expect
        .poll(() => app.status.study(waiting.uid)?.analyses.at(-1)?.state, PATIENCE)
        .toBe('reported');
      const objects = deliveriesOf(app, waiting.uid).map(({ sopInstanceUid }) => sopInstanceUid);
      expect(objects.length).toBeGreaterThan(0);

      disk.fill(4 * MB);
      await expect.poll(() => app.status.study(delivered.uid), PATIENCE).toBeUndefined();
      // Its files go after its rows, and would leave room behind.
      await expect.poll(() => existsSync(join(disk.path, 'data', 'trash')), PATIENCE).toBe(false);
      await fillToTheLast(disk, settings.storage.folder);
      await expect.poll(async () => (await app.health()).storage.ok, PATIENCE).toBe(false);
      // The PACS is back while no row can be written that says what is sent to it: that waits, and is not given up.
      await using again = await startPacs(folder.path, { port });
      await expect.poll(async () => (await app.health()).pipeline.ok, PATIENCE).toBe(false);
      expect(deliveriesOf(app, waiting.uid).map(({ state }) => state)).not.toContain('dead');
      disk.empty();
      await expect
        .poll(
          () => deliveriesOf(app, waiting.uid).every(({ state }) => state === 'delivered'),
          PATIENCE,
        )
        .toBe(true);
      const received = new Set(again.received.map(({ sopInstanceUid }) => sopInstanceUid));
      expect(received).toEqual(new Set(objects));
      await expect.poll(async () => (await app.health()).storage.ok, PATIENCE).toBe(true);
      await expect.poll(async () => (await app.health()).catalog.ok, PATIENCE).toBe(true);
      for (const image of waiting.images) {
        const uid = readFileMeta(image)?.sopInstanceUid ?? '';
        const series = app.status.study(waiting.uid)?.series[0]?.seriesInstanceUid ?? '';
        const file = join(settings.storage.folder, 'instances', waiting.uid, series, `${uid}.dcm`);
        const stored = readFileSync(file);
        const dataset = image.subarray(readFileMeta(image)?.datasetOffset);
        expect(stored.subarray(readFileMeta(stored)?.datasetOffset).equals(dataset)).toBe(true);
      }
    });
  },
);
