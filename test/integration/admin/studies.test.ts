import { createHash } from 'node:crypto';
import { loadImage } from '@napi-rs/canvas';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { StudyDetail, StudyPage } from '../../../src/admin/api/schemas/studies.js';
import type { App } from '../../../src/app.js';
import { readSourceDataset } from '../../../src/dicom/source-dataset.js';
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
import { type Client, everyRole, type Role } from './api-rig.js';

const bleeding = headPhantomStudy({
  seed: 11,
  bleed: { type: 'intraparenchymal', volumeMl: 35 },
});
const clean = headPhantomStudy({ seed: 2 });
const source = readSourceDataset(bleeding.images[0]?.part10 ?? Buffer.alloc(0));

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let pacs: SimulatedPacs;
let app: App;
let clients: Record<Role, Client>;
let viewer: Client;

beforeAll(async () => {
  folder = await temporaryFolder();
  pacs = await startPacs(folder.path);
  app = await startNode(settingsIn(folder.path, allTo(pacs)));
  clients = await everyRole(app);
  viewer = clients.viewer;
  for (const study of [bleeding, clean]) {
    await sendTo(
      app,
      [...study.images, study.localizer].map(({ part10 }) => part10),
    );
    await untilReported(app, study.studyInstanceUid);
  }
  await vi.waitFor(async () => {
    const { studies } = await search({});
    expect(studies.map(({ patient }) => patient.id)).not.toContain(null);
  });
});
afterAll(async () => {
  await app.stop();
  await pacs.stop();
  await folder[Symbol.asyncDispose]();
});

async function search(body: object): Promise<StudyPage> {
  const response = await viewer.post('/studies/search', body);
  expect(response.status).toBe(200);
  return (await response.json()) as StudyPage;
}

const uids = async (body: object) =>
  (await search(body)).studies.map(({ studyInstanceUid }) => studyInstanceUid);

const detail = async (uid: string) =>
  (await viewer.json(`/studies/${uid}`)) as unknown as StudyDetail;

describe('the worklist', () => {
  it('shows each study with whose it is and how it ended, newest first', async () => {
    const { studies, next } = await search({});
    expect(next).toBeNull();
    expect(studies.map(({ studyInstanceUid }) => studyInstanceUid)).toEqual([
      clean.studyInstanceUid,
      bleeding.studyInstanceUid,
    ]);
    const [, bleed] = studies;
    expect(bleed).toMatchObject({
      patient: { id: source.text('PatientID'), sex: source.text('PatientSex') },
      outcome: 'positive',
      urgency: 'immediate',
      state: 'reported',
      sourceAeTitle: expect.any(String),
      slices: bleeding.images.length + 1,
      delivery: { due: 0, dead: 0 },
      conflicts: 0,
      unsent: null,
    });
    expect(bleed?.probability).toBeGreaterThan(0.5);
    expect(bleed?.leadingClass).not.toBe('any');
    expect(bleed?.msToReport).toBeGreaterThan(0);
    expect(bleed?.delivery.delivered).toBeGreaterThan(3);
    expect(studies[0]).toMatchObject({ outcome: 'negative', urgency: 'routine' });
  });

  it('finds by beginnings of words, by UID, outcome, state and time', async () => {
    const id = source.text('PatientID');
    expect(await uids({ text: id.slice(0, -1) })).toContain(bleeding.studyInstanceUid);
    expect(await uids({ text: 'no such person' })).toEqual([]);
    expect(await uids({ text: '"*' })).toEqual([]);
    expect(await uids({ text: bleeding.studyInstanceUid })).toEqual([bleeding.studyInstanceUid]);
    expect(await uids({ outcome: ['positive'] })).toEqual([bleeding.studyInstanceUid]);
    expect(await uids({ outcome: ['undetermined'] })).toEqual([]);
    expect(await uids({ outcome: ['negative', 'positive'] })).toEqual([
      clean.studyInstanceUid,
      bleeding.studyInstanceUid,
    ]);
    expect(await uids({ state: ['reported'] })).toHaveLength(2);
    expect(await uids({ state: ['receiving', 'analysing'] })).toEqual([]);
    const { studies } = await search({});
    const since = studies[0]?.receivedAt ?? 0;
    expect(await uids({ since })).toEqual([clean.studyInstanceUid]);
    expect(await uids({ until: since })).toEqual([bleeding.studyInstanceUid]);
  });

  it('comes in pages', async () => {
    const first = await search({ limit: 1 });
    expect(first.studies).toHaveLength(1);
    const second = await search({ limit: 1, cursor: first.next });
    expect(second.studies[0]?.studyInstanceUid).toBe(bleeding.studyInstanceUid);
    expect(second.next).toBeNull();
    expect(await uids({ cursor: 'nonsense' })).toEqual([]);
  });

  it('says what is wrong with a search', async () => {
    const response = await viewer.post('/studies/search', { outcome: ['bad'], limit: 0 });
    expect(response.status).toBe(400);
    const { problems } = (await response.json()) as { problems: { path: string }[] };
    expect(problems.map(({ path }) => path)).toEqual(['body.outcome.0', 'body.limit']);
  });
});

describe('a study', () => {
  it('tells what happened and why', async () => {
    const study = await detail(bleeding.studyInstanceUid);
    const read = study.series.find(({ eligibility }) => eligibility.verdict === 'analysed');
    expect(read).toMatchObject({
      seriesInstanceUid: bleeding.seriesInstanceUid,
      description: 'HEAD 5.0 SOFT',
      kernel: 'SOFT',
      slices: bleeding.images.length,
      completion: { complete: true },
    });
    const scout = study.series.find(({ number }) => number === 1);
    expect(scout?.eligibility).toMatchObject({ verdict: 'not-eligible' });
    expect(scout?.eligibility.reasons[0]?.text.length).toBeGreaterThan(5);
    const [analysis] = study.analyses;
    expect(analysis).toMatchObject({ revision: 1, outcome: 'positive', routes: ['everything'] });
    expect(analysis?.classes).toHaveLength(6);
    expect(analysis?.slices).toHaveLength(bleeding.images.length);
    expect(analysis?.keySlices.length).toBeGreaterThan(0);
    const kinds = study.timeline.map(({ kind }) => kind);
    for (const kind of ['slices-received', 'series-complete', 'analysis-finished', 'delivered']) {
      expect(kinds).toContain(kind);
    }
    expect(study.deliveries.every(({ state }) => state === 'delivered')).toBe(true);
  });

  it('that is not there is 404, and a look at one stands in the audit', async () => {
    expect((await viewer.get('/studies/1.2.3')).status).toBe(404);
    expect((await viewer.get('/studies/not-a-uid')).status).toBe(400);
    await detail(clean.studyInstanceUid);
    const { entries } = await clients.admin.json('/audit');
    expect(entries).toContainEqual(
      expect.objectContaining({
        actor: 'viewer',
        action: 'study-viewed',
        subject: clean.studyInstanceUid,
      }),
    );
  });
});

describe('pictures', () => {
  const series = `/studies/${bleeding.studyInstanceUid}/series/${bleeding.seriesInstanceUid}`;
  const picture = async (path: string) => {
    const response = await viewer.get(path);
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('image/png');
    const bytes = Buffer.from(await response.arrayBuffer());
    const { width, height } = await loadImage(bytes);
    return { width, height, hash: createHash('sha256').update(bytes).digest('hex') };
  };

  it('show every slice in three windows, and the Grad-CAM of a key slice', async () => {
    const { slices } = (await viewer.json(`${series}/slices`)) as unknown as {
      slices: { sopInstanceUid: string }[];
    };
    expect(slices.map(({ sopInstanceUid }) => sopInstanceUid)).toEqual(
      bleeding.images.map(({ sopInstanceUid }) => sopInstanceUid),
    );
    const { analyses } = await detail(bleeding.studyInstanceUid);
    const key = analyses[0]?.keySlices[0]?.sopInstanceUid;
    const drawn = [];
    for (const query of ['', '?window=subdural', '?window=bone', '?heatMap=1']) {
      drawn.push(await picture(`${series}/slices/${key}/picture.png${query}`));
    }
    const rows = readSourceDataset(bleeding.images[0]?.part10 ?? Buffer.alloc(0)).unsigned('Rows');
    for (const { width, height } of drawn) expect([width, height]).toEqual([rows, rows]);
    expect(new Set(drawn.map(({ hash }) => hash)).size).toBe(4);
  });

  it('that are not there are 404', async () => {
    const slice = `slices/${bleeding.images[0]?.sopInstanceUid}/picture.png`;
    const elsewhere = `/studies/${clean.studyInstanceUid}/series/${bleeding.seriesInstanceUid}`;
    expect((await viewer.get(`${elsewhere}/${slice}`)).status).toBe(404);
    expect((await viewer.get(`${series}/${slice}?frame=2`)).status).toBe(404);
    expect((await viewer.get(`${series}/${slice}?window=lung`)).status).toBe(400);
  });
});

describe('objects', () => {
  it('can be looked at, read as a tree, and downloaded byte for byte', async () => {
    const { objects } = await detail(bleeding.studyInstanceUid);
    const uidOf = (kind: string) => objects.find((one) => one.kind === kind)?.sopInstanceUid;
    const summary = await viewer.get(`/objects/${uidOf('summary')}/picture.png`);
    const { width } = await loadImage(Buffer.from(await summary.arrayBuffer()));
    expect(width).toBeGreaterThan(500);
    expect((await viewer.get(`/objects/${uidOf('sr')}/picture.png`)).status).toBe(404);

    const report = await viewer.json(`/objects/${uidOf('sr')}/report`);
    expect(report).toMatchObject({ type: 'CONTAINER', relationship: null });
    expect(JSON.stringify(report)).toMatch(/hemorrhage/i);
    expect((await viewer.get(`/objects/${uidOf('summary')}/report`)).status).toBe(404);

    const [slice] = bleeding.images;
    const file = await viewer.get(`/objects/${slice?.sopInstanceUid}/file`);
    expect(file.headers.get('content-type')).toBe('application/dicom');
    const received = readSourceDataset(Buffer.from(await file.arrayBuffer()));
    expect(received.text('SOPInstanceUID')).toBe(slice?.sopInstanceUid);
  });
});
