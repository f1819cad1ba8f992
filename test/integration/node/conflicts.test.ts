import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { App } from '../../../src/app.js';
import { readFileMeta } from '../../../src/dicom/file-meta.js';
import { readSourceDataset } from '../../../src/dicom/source-dataset.js';
import { headPhantomStudy } from '../../../src/simulate/head-phantom.js';
import type { SimulatedPacs } from '../../../src/simulate/pacs.js';
import type { StudyDetail } from '../../../src/store/status-store.js';
import { RawScu } from '../receive/raw-scu.js';
import {
  allTo,
  sendTo,
  settingsIn,
  startNode,
  startPacs,
  temporaryFolder,
  untilReported,
} from './node-rig.js';

const clean = headPhantomStudy({ seed: 2 });
const bleeding = headPhantomStudy({ seed: 11, bleed: { type: 'intraparenchymal', volumeMl: 35 } });
const filesOf = ({ images }: typeof clean) => images.map(({ part10 }) => part10);
const PATIENT = 'PHANTOM-0002';
const OTHER_PATIENT = 'PHANTOM-9999';

/** The same file with texts in place of others of the same length. */
function changed(part10: Buffer, changes: Readonly<Record<string, string>>): Buffer {
  let text = part10.toString('latin1');
  for (const [from, to] of Object.entries(changes)) {
    if (from.length !== to.length || !text.includes(from)) throw new Error(`no ${from} to change`);
    text = text.replaceAll(from, to);
  }
  return Buffer.from(text, 'latin1');
}

/** Another UID of the same length. */
const otherUid = (uid: string, by = 1) => `${uid.slice(0, -1)}${(Number(uid.slice(-1)) + by) % 10}`;

/** A slice of the clean head with a SOP Instance UID of its own and other changes. */
function sliceOf(index: number, changes: Readonly<Record<string, string>>): Buffer {
  const { part10, sopInstanceUid } = clean.images[index] as (typeof clean.images)[number];
  return changed(part10, { [sopInstanceUid]: otherUid(sopInstanceUid), ...changes });
}

/** The same image with one pixel in the middle made brighter. */
function retouched(part10: Buffer): Buffer {
  const copy = Buffer.from(part10);
  const at = copy.length - 2 * Math.floor(copy.length / 8);
  copy.writeInt16LE(copy.readInt16LE(at) + 1, at);
  return copy;
}

interface Rig {
  readonly app: App;
  readonly pacs: SimulatedPacs;
  readonly storage: string;
}

async function startRig(folder: string): Promise<Rig & AsyncDisposable> {
  const pacs = await startPacs(folder);
  const settings = settingsIn(
    folder,
    allTo(pacs).replace('studyQuietSeconds: 1', 'studyQuietSeconds: 1, lateFirstSeconds: 1'),
  );
  const app = await startNode(settings);
  return {
    app,
    pacs,
    storage: settings.storage.folder,
    [Symbol.asyncDispose]: async () => {
      await app.stop();
      await pacs.stop();
    },
  };
}

/** Resolves when nothing is left to be catalogued, received, chosen, read, reported or delivered. */
async function untilIdle({ app, storage }: Rig, studyInstanceUid: string): Promise<StudyDetail> {
  const incoming = join(storage, 'incoming');
  return vi.waitFor(
    () => {
      // An image stays there until its row is committed; the empty files are made ahead.
      const waiting = readdirSync(incoming).filter(
        (name) => statSync(join(incoming, name)).size > 0,
      );
      if (waiting.length > 0) throw new Error(`${waiting.length} images have no row yet`);
      const counts = app.status.counts();
      const { seriesReceiving, studiesToChoose, analysesDue, reportsDue, deliveriesDue } = counts;
      const open = seriesReceiving + studiesToChoose + analysesDue + reportsDue + deliveriesDue;
      if (open > 0) throw new Error(`still at work: ${JSON.stringify(counts)}`);
      return app.status.study(studyInstanceUid) as StudyDetail;
    },
    { timeout: 50_000, interval: 25 },
  );
}

/** The reports that the PACS has of a study, in the order of their coming. */
function reportsAt(pacs: SimulatedPacs, studyInstanceUid: string) {
  return pacs.received
    .filter(({ sopClassUid }) => sopClassUid === '1.2.840.10008.5.1.4.1.1.88.34')
    .map(({ file }) => readSourceDataset(readFileSync(file)))
    .filter((report) => report.text('StudyInstanceUID') === studyInstanceUid);
}

function impressionOf(report: ReturnType<typeof readSourceDataset> | undefined): string {
  const items = report?.items('ContentSequence') ?? [];
  const meaning = (item: (typeof items)[number]) =>
    item.items('ConceptNameCodeSequence')[0]?.text('CodeMeaning');
  return items.find((item) => meaning(item) === 'Impression')?.text('TextValue') ?? '';
}

describe('images that contradict others, sent to the running node', () => {
  it('of another patient take a negative back, and are not read', async () => {
    await using folder = await temporaryFolder();
    await using rig = await startRig(folder.path);
    const { app, pacs } = rig;
    await sendTo(app, filesOf(clean));
    const first = await untilReported(app, clean.studyInstanceUid);
    expect(first.analyses.map(({ outcome }) => outcome)).toEqual(['negative']);

    await sendTo(app, [
      sliceOf(3, { [PATIENT]: OTHER_PATIENT }),
      sliceOf(4, { [PATIENT]: OTHER_PATIENT }),
    ]);
    await untilReported(app, clean.studyInstanceUid, 2);
    const { analyses } = await untilIdle(rig, clean.studyInstanceUid);

    expect(analyses.map(({ outcome }) => outcome)).toEqual(['negative', 'undetermined']);
    expect(analyses[1]?.finding).toMatchObject({ reason: { code: 'study-patient' } });
    expect(analyses[1]?.finding?.slices).toEqual(analyses[0]?.finding?.slices);
    const [before, after] = reportsAt(pacs, clean.studyInstanceUid);
    expect(impressionOf(after)).toMatch(/^Undetermined.*name another patient/);
    const superseded = after
      ?.items('PredecessorDocumentsSequence')
      .flatMap((item) => item.items('ReferencedSeriesSequence'))
      .flatMap((item) => item.items('ReferencedSOPSequence'))
      .map((item) => item.text('ReferencedSOPInstanceUID'));
    expect(superseded).toEqual([before?.text('SOPInstanceUID')]);
    expect(reportsAt(pacs, clean.studyInstanceUid)).toHaveLength(2);
    for (const { file } of pacs.received) {
      expect(readSourceDataset(readFileSync(file)).text('PatientID')).toBe(PATIENT);
    }
    expect((await app.health()).conflicts).toMatchObject({ ok: false });
  });

  it('leave a positive positive, and the report says so', async () => {
    await using folder = await temporaryFolder();
    await using rig = await startRig(folder.path);
    const { app, pacs } = rig;
    const [image] = bleeding.images as [(typeof bleeding.images)[number]];
    const { sopInstanceUid, part10 } = image;
    await sendTo(app, filesOf(bleeding));
    await untilReported(app, bleeding.studyInstanceUid);
    const uid = { [sopInstanceUid]: otherUid(sopInstanceUid) };
    await sendTo(app, [changed(part10, { ...uid, 'PHANTOM-0011': 'PHANTOM-9999' })]);
    await untilReported(app, bleeding.studyInstanceUid, 2);
    const { analyses } = await untilIdle(rig, bleeding.studyInstanceUid);
    expect(analyses.map(({ outcome }) => outcome)).toEqual(['positive', 'positive']);
    const impression = impressionOf(reportsAt(pacs, bleeding.studyInstanceUid)[1]);
    expect(impression).toMatch(/^Suspected.*Conflict: .*name another patient/);
  });

  it('as a whole second series get a verdict of their own', async () => {
    await using folder = await temporaryFolder();
    await using rig = await startRig(folder.path);
    const { app } = rig;
    const second = otherUid(clean.seriesInstanceUid);
    const others = clean.images.map((_, i) =>
      sliceOf(i, { [PATIENT]: OTHER_PATIENT, [clean.seriesInstanceUid]: second }),
    );
    await sendTo(app, filesOf(clean).slice(0, 1));
    await sendTo(app, others);
    await sendTo(app, filesOf(clean));
    await untilReported(app, clean.studyInstanceUid);
    const { analyses } = await untilIdle(rig, clean.studyInstanceUid);
    const last = analyses.at(-1);
    expect(last?.outcome).toBe('undetermined');
    expect(last?.finding?.series).toMatchObject([
      { seriesInstanceUid: clean.seriesInstanceUid, verdict: 'analysed' },
      {
        seriesInstanceUid: second,
        instances: others.length,
        verdict: 'not-eligible',
        reason: { code: 'study-patient' },
      },
    ]);
    expect(last?.finding?.slices).toHaveLength(clean.images.length);
  });

  it.each([
    [
      'series-study',
      (index: number, uid: string) => sliceOf(index, { [clean.studyInstanceUid]: uid }),
    ],
    [
      'instance-study',
      (index: number, uid: string) =>
        changed(filesOf(clean)[index] as Buffer, { [clean.studyInstanceUid]: uid }),
    ],
  ] as const)('of a study that has nothing else get a report: %s', async (kind, slice) => {
    await using folder = await temporaryFolder();
    await using rig = await startRig(folder.path);
    const { app, pacs } = rig;
    const study = otherUid(clean.studyInstanceUid);
    await sendTo(app, filesOf(clean));
    await untilReported(app, clean.studyInstanceUid);
    await sendTo(app, [slice(5, study), slice(6, study)]);
    const second = await untilReported(app, study);
    expect(second.analyses).toMatchObject([
      { outcome: 'failed', finding: { reason: { code: kind } } },
    ]);
    const [report] = reportsAt(pacs, study);
    expect(report?.text('PatientID')).toBe(PATIENT);
    expect(impressionOf(report)).toMatch(/^NOT ANALYSED.*not read/);
    await untilReported(app, clean.studyInstanceUid, 2);
    const first = await untilIdle(rig, clean.studyInstanceUid);
    expect(first.analyses.map(({ outcome }) => outcome)).toEqual(['negative', 'undetermined']);
  });
});

describe('images that come several times', () => {
  it('three times, in other order, from two scanners at once lead to one report', async () => {
    await using folder = await temporaryFolder();
    await using rig = await startRig(folder.path);
    const { app, pacs } = rig;
    const files = filesOf(clean);
    const reversed = [...files].reverse();
    await Promise.all([sendTo(app, files), sendTo(app, reversed, 2)]);
    await untilReported(app, clean.studyInstanceUid);
    await Promise.all([sendTo(app, reversed), sendTo(app, files)]);
    const study = await untilIdle(rig, clean.studyInstanceUid);
    expect(study.series).toMatchObject([{ instances: files.length, revision: 1 }]);
    expect(study.analyses.map(({ outcome }) => outcome)).toEqual(['negative']);
    expect(study.conflicts).toEqual([]);
    expect(reportsAt(pacs, clean.studyInstanceUid)).toHaveLength(1);
  });

  it('with a corrected header change no answer', async () => {
    await using folder = await temporaryFolder();
    await using rig = await startRig(folder.path);
    const { app, pacs } = rig;
    const corrected = filesOf(clean).map((file) =>
      changed(file, { 'PHANTOM^HEAD': 'PHANTOM^FOOT' }),
    );
    await Promise.all([sendTo(app, filesOf(clean)), sendTo(app, corrected)]);
    await untilReported(app, clean.studyInstanceUid);
    await sendTo(app, corrected);
    const study = await untilIdle(rig, clean.studyInstanceUid);
    expect(study.analyses.map(({ outcome }) => outcome)).toEqual(['negative']);
    expect(new Set(study.conflicts.map(({ kind }) => kind))).toEqual(new Set(['instance-header']));
    expect(study.conflicts).toHaveLength(corrected.length);
    expect(reportsAt(pacs, clean.studyInstanceUid)).toHaveLength(1);
    expect((await app.health()).conflicts).toEqual({ ok: true });
  });

  it('with other pixels, from two scanners at once, lead to one report for each revision', async () => {
    await using folder = await temporaryFolder();
    await using rig = await startRig(folder.path);
    const { app, pacs } = rig;
    const other = filesOf(clean).map(retouched);
    await Promise.all([sendTo(app, filesOf(clean)), sendTo(app, [...other].reverse())]);
    await untilReported(app, clean.studyInstanceUid);
    await Promise.all([sendTo(app, filesOf(clean)), sendTo(app, other)]);
    const study = await untilIdle(rig, clean.studyInstanceUid);
    expect(study.series).toMatchObject([{ instances: other.length }]);
    expect(study.conflicts).toHaveLength(other.length);
    expect(study.analyses.at(-1)).toMatchObject({
      outcome: 'undetermined',
      finding: { reason: { code: 'instance-bytes' } },
    });
    const reports = reportsAt(pacs, clean.studyInstanceUid);
    expect(reports).toHaveLength(study.analyses.length);
    expect(study.analyses.length).toBeLessThanOrEqual(2);
  });
});

describe('a series whose association broke', () => {
  it('is reported anew, once, when the scanner has sent all of it again', async () => {
    await using folder = await temporaryFolder();
    await using rig = await startRig(folder.path);
    const { app, pacs } = rig;
    {
      await using scanner = await RawScu.associated(app.ports.dicom, { calledAeTitle: 'VIGIL' });
      for (const { sopInstanceUid, part10 } of clean.images) {
        scanner.store(sopInstanceUid, part10.subarray(readFileMeta(part10)?.datasetOffset));
        expect((await scanner.response()).status).toBe(0);
      }
    }
    const first = await untilReported(app, clean.studyInstanceUid);
    expect(first.series).toMatchObject([{ completionCode: 'association-broken' }]);
    expect(first.analyses).toMatchObject([{ outcome: 'undetermined' }]);
    await sendTo(app, filesOf(clean), 2);
    await untilReported(app, clean.studyInstanceUid, 2);
    await sendTo(app, filesOf(clean));
    const { analyses } = await untilIdle(rig, clean.studyInstanceUid);
    expect(analyses.map(({ outcome }) => outcome)).toEqual(['undetermined', 'negative']);
    expect(reportsAt(pacs, clean.studyInstanceUid)).toHaveLength(2);
  });
});
