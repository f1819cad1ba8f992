import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import dicomParser from 'dicom-parser';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { readFileMeta } from '../../../src/dicom/file-meta.js';
import { headPhantomStudy } from '../../../src/simulate/head-phantom.js';
import type { SimulatedPacs } from '../../../src/simulate/pacs.js';
import { FolderInUseError } from '../../../src/store/folder-lock.js';
import {
  allTo,
  sendTo,
  settingsIn,
  startNode,
  startPacs,
  temporaryFolder,
  untilReported,
} from './node-rig.js';

const COMPREHENSIVE_3D_SR = '1.2.840.10008.5.1.4.1.1.88.34';
const COMPREHENSIVE_SR = '1.2.840.10008.5.1.4.1.1.88.33';

const bleeding = headPhantomStudy({
  seed: 11,
  bleed: { type: 'intraparenchymal', volumeMl: 35 },
});
const files = bleeding.images.map(({ part10 }) => part10);

/** A fixed order that is neither up nor down. */
const shuffled = files.map((_, i) => files[(i * 7) % files.length] as Buffer);

function attribute(file: string, tag: string): string | undefined {
  return dicomParser.parseDicom(readFileSync(file), { untilTag: 'x7fe00010' }).string(tag);
}

const datasetOf = (part10: Buffer) => part10.subarray(readFileMeta(part10)?.datasetOffset);

function classesAt(pacs: SimulatedPacs): string[] {
  return pacs.received.map(({ sopClassUid }) => sopClassUid);
}

describe('the node, from scanner to PACS', () => {
  it('reports a bleed that came in any order over several associations', async () => {
    await using folder = await temporaryFolder();
    await using pacs = await startPacs(folder.path);
    await using app = await startNode(settingsIn(folder.path, allTo(pacs)));
    const acknowledged = await sendTo(app, shuffled, 4);
    expect(acknowledged.every(({ status }) => status === 0)).toBe(true);

    const study = await untilReported(app, bleeding.studyInstanceUid);

    expect(study.analyses).toMatchObject([{ outcome: 'positive', revision: 1 }]);
    expect(
      study.deliveries.every(({ state, status }) => state === 'delivered' && status === 0),
    ).toBe(true);
    const kinds = study.deliveries.map(({ kind }) => kind);
    expect(new Set(kinds)).toEqual(new Set(['sr', 'heatmap', 'summary', 'key-objects']));
    expect(classesAt(pacs)[0]).toBe(COMPREHENSIVE_3D_SR);
    const [source] = files as [Buffer];
    const patientId = dicomParser.parseDicom(source, { untilTag: 'x7fe00010' }).string('x00100020');
    for (const { file } of pacs.received) {
      expect(attribute(file, 'x0020000d')).toBe(bleeding.studyInstanceUid);
      expect(attribute(file, 'x0020000e')).not.toBe(bleeding.seriesInstanceUid);
      expect(attribute(file, 'x00100020')).toBe(patientId);
    }
  });

  it('does not share its storage folder with another node', async () => {
    await using folder = await temporaryFolder();
    const settings = settingsIn(folder.path, '');
    {
      await using app = await startNode(settings);
      expect(app.ports.dicom).toBeGreaterThan(0);
      await expect(startNode(settings)).rejects.toThrow(FolderInUseError);
    }
    await using again = await startNode(settings);
    expect(again.ports.dicom).toBeGreaterThan(0);
  });

  it('leaves nothing running where its port is taken', async () => {
    await using folder = await temporaryFolder();
    await using app = await startNode(settingsIn(folder.path, ''));
    const settings = settingsIn(join(folder.path, 'other'), '');
    const taken = { ...settings, node: { ...settings.node, port: app.ports.dicom } };
    await expect(startNode(taken)).rejects.toThrow(/EADDRINUSE/);
    await using free = await startNode(settings);
    expect(free.ports.dicom).toBeGreaterThan(0);
  });

  it('keeps each slice byte for byte', async () => {
    await using folder = await temporaryFolder();
    await using pacs = await startPacs(folder.path);
    const settings = settingsIn(folder.path, allTo(pacs));
    await using app = await startNode(settings);
    await sendTo(app, files);
    await untilReported(app, bleeding.studyInstanceUid);
    const { studyInstanceUid, seriesInstanceUid, images } = bleeding;
    for (const { sopInstanceUid, part10 } of images) {
      const path = `${settings.storage.folder}/instances/${studyInstanceUid}/${seriesInstanceUid}/${sopInstanceUid}.dcm`;
      const stored = datasetOf(readFileSync(path));
      // Not toEqual, which takes seconds for each image.
      expect(stored.equals(datasetOf(part10))).toBe(true);
    }
  });

  it('writes no patient data to its log', async () => {
    await using folder = await temporaryFolder();
    await using pacs = await startPacs(folder.path);
    const lines: string[] = [];
    const log = pino({ level: 'trace' }, { write: (line: string) => lines.push(line) });
    await using app = await startNode(settingsIn(folder.path, allTo(pacs)), log);
    await sendTo(app, files);
    await untilReported(app, bleeding.studyInstanceUid);
    const [source] = files as [Buffer];
    const dataset = dicomParser.parseDicom(source, { untilTag: 'x7fe00010' });
    const text = lines.join('');
    expect(text).toContain(bleeding.studyInstanceUid);
    for (const tag of ['x00100010', 'x00100020', 'x00100030']) {
      const value = dataset.string(tag);
      if (value) expect(text).not.toContain(value);
    }
  });

  it('supersedes its report when a late slice comes, once', async () => {
    await using folder = await temporaryFolder();
    await using pacs = await startPacs(folder.path);
    await using app = await startNode(settingsIn(folder.path, allTo(pacs)));
    await sendTo(app, files.slice(0, -1));
    const first = await untilReported(app, bleeding.studyInstanceUid);
    await sendTo(app, files.slice(-1));
    const second = await untilReported(app, bleeding.studyInstanceUid, 2);
    expect(second.analyses).toHaveLength(2);
    const reportOf = (study: typeof first, revision: number) =>
      study.objects.find(
        (object) =>
          object.kind === 'sr' && object.revision === revision && object.fallbackFor === null,
      )?.sopInstanceUid;
    const newest = pacs.received.find(
      ({ sopInstanceUid }) => sopInstanceUid === reportOf(second, 2),
    );
    const dataset = dicomParser.parseDicom(readFileSync(newest?.file ?? ''));
    const predecessor = dataset.elements['x0040a360']?.items?.[0]?.dataSet;
    const series = predecessor?.elements['x00081115']?.items?.[0]?.dataSet;
    const instance = series?.elements['x00081199']?.items?.[0]?.dataSet;
    expect(instance?.string('x00081155')).toBe(reportOf(first, 1));

    await sendTo(app, files.slice(-1));
    expect(app.status.study(bleeding.studyInstanceUid)?.series).toMatchObject([
      { state: 'complete', instances: files.length },
    ]);
  });

  it('says "not eligible" with a reason, never nothing, where no series can be read', async () => {
    await using folder = await temporaryFolder();
    await using pacs = await startPacs(folder.path);
    await using app = await startNode(settingsIn(folder.path, allTo(pacs)));
    await sendTo(app, [bleeding.localizer.part10]);
    const study = await untilReported(app, bleeding.studyInstanceUid);
    expect(study.analyses).toMatchObject([
      { outcome: 'not-eligible', finding: { reason: { code: 'localizer' } } },
    ]);
    expect(classesAt(pacs)).toContain(COMPREHENSIVE_3D_SR);
  });

  it('does not call a series negative that lacks slices', async () => {
    const clean = headPhantomStudy({ seed: 2 });
    await using folder = await temporaryFolder();
    await using pacs = await startPacs(folder.path);
    await using app = await startNode(settingsIn(folder.path, allTo(pacs)));
    const holed = clean.images.filter((_, i) => i !== 12).map(({ part10 }) => part10);
    await sendTo(app, holed);
    const study = await untilReported(app, clean.studyInstanceUid);
    expect(study.series).toMatchObject([{ confidence: 'unknown', completionCode: 'gaps' }]);
    expect(study.analyses[0]?.outcome).not.toBe('negative');
  });

  it('reports a series whose pixels cannot be decoded as failed', async () => {
    await using folder = await temporaryFolder();
    await using pacs = await startPacs(folder.path);
    await using app = await startNode(settingsIn(folder.path, allTo(pacs)));
    await sendTo(app, files.map(withUndecodablePixels));
    const study = await untilReported(app, bleeding.studyInstanceUid);
    expect(study.analyses).toMatchObject([{ outcome: 'failed' }]);
    expect(study.analyses[0]?.finding?.reason?.code).toBeTruthy();
    expect(classesAt(pacs)).toContain(COMPREHENSIVE_3D_SR);
  });

  it('sends Comprehensive SR to a PACS that takes no Comprehensive 3D SR', async () => {
    await using folder = await temporaryFolder();
    await using pacs = await startPacs(folder.path, { refusedSopClasses: [COMPREHENSIVE_3D_SR] });
    await using app = await startNode(settingsIn(folder.path, allTo(pacs)));
    await sendTo(app, files);
    const study = await untilReported(app, bleeding.studyInstanceUid);
    expect(study.deliveries.filter(({ kind }) => kind === 'sr')).toMatchObject([
      { state: 'replaced' },
      { state: 'delivered' },
    ]);
    expect(classesAt(pacs)).toContain(COMPREHENSIVE_SR);
  });

  it('is not held up by a destination that is down, and delivers there when it is back', async () => {
    await using folder = await temporaryFolder();
    await using pacs = await startPacs(folder.path);
    const down = await startPacs(`${folder.path}/down`);
    const { port } = down;
    await down.stop();
    const archive = `  archive: { aeTitle: PACS, host: 127.0.0.1, port: ${port}, retryFirstSeconds: 0.1, retryLongestSeconds: 0.5 }`;
    const routes = allTo(pacs, archive).replace('to: [pacs]', 'to: [pacs, archive]');
    await using app = await startNode(settingsIn(folder.path, routes));
    await sendTo(app, files);
    while (pacs.received.length < 4) {
      await new Promise((resolve) => pacs.once('received', resolve));
    }
    await using back = await startPacs(`${folder.path}/back`, { port });
    const study = await untilReported(app, bleeding.studyInstanceUid);
    const atArchive = study.deliveries.filter(({ destination }) => destination === 'archive');
    expect(atArchive.every(({ state }) => state === 'delivered')).toBe(true);
    expect(back.received).toHaveLength(atArchive.length);
  });
});

/** The same image with so many Rows that its Pixel Data is too short for them. */
function withUndecodablePixels(part10: Buffer): Buffer {
  const changed = Buffer.from(part10);
  const rows = changed.indexOf(Buffer.from([0x28, 0x00, 0x10, 0x00, 0x55, 0x53, 0x02, 0x00]));
  changed.writeUInt16LE(0xffff, rows + 8);
  return changed;
}
