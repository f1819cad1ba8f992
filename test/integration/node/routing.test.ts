import { readdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { readFileMeta } from '../../../src/dicom/file-meta.js';
import { replayRouting } from '../../../src/routing-replay.js';
import { headPhantomStudy } from '../../../src/simulate/head-phantom.js';
import type { SimulatedPacs } from '../../../src/simulate/pacs.js';
import { CATALOG_FILE, openCatalog } from '../../../src/store/database.js';
import { SeriesStore } from '../../../src/store/series-store.js';
import { StatusStore } from '../../../src/store/status-store.js';
import {
  sendTo,
  settingsIn,
  startNode,
  startPacs,
  temporaryFolder,
  untilReported,
} from './node-rig.js';

const COMPREHENSIVE_3D_SR = '1.2.840.10008.5.1.4.1.1.88.34';
const COMPREHENSIVE_SR = '1.2.840.10008.5.1.4.1.1.88.33';
const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7';
const CT = '1.2.840.10008.5.1.4.1.1.2';
const IMPLICIT = '1.2.840.10008.1.2';

const study = headPhantomStudy({ seed: 11, bleed: { type: 'intraparenchymal', volumeMl: 35 } });
const files = study.images.map(({ part10 }) => part10);
/** (0028,0010) US in Explicit VR Little Endian. */
const ROWS = Buffer.from('280010005553', 'hex');

const datasetOf = (part10: Buffer) => part10.subarray(readFileMeta(part10)?.datasetOffset);
const classesAt = (pacs: SimulatedPacs) => new Set(pacs.received.map((one) => one.sopClassUid));

const configuration = (pacs: SimulatedPacs, ws: SimulatedPacs, routes: string) => `
completeness: { likelySeconds: 0.1, unknownSeconds: 1, studyQuietSeconds: 1 }
destinations:
  pacs: { aeTitle: PACS, host: 127.0.0.1, port: ${pacs.port}, retryFirstSeconds: 0.1, retryLongestSeconds: 0.5 }
  ws: { aeTitle: WS, host: 127.0.0.1, port: ${ws.port}, retryFirstSeconds: 0.1, retryLongestSeconds: 0.5 }
${routes}`;

const SHADOW = `
routes: [{ name: trial, shadow: The scanner is on trial }]
defaultRoute: { send: { to: [pacs, ws] } }`;

async function rig(routes: string) {
  const folder = await temporaryFolder();
  const pacs = await startPacs(folder.path);
  const ws = await startPacs(folder.path, { folder: join(folder.path, 'ws'), aeTitle: 'WS' });
  const app = await startNode(settingsIn(folder.path, configuration(pacs, ws, routes)));
  return {
    folder: folder.path,
    pacs,
    ws,
    app,
    async [Symbol.asyncDispose]() {
      for (const part of [app, ws, pacs, folder]) await part[Symbol.asyncDispose]();
    },
  };
}

describe('routes on a running node', () => {
  it('send by headers, sender and outcome, with each destination its objects and options', async () => {
    await using node = await rig(`
routes:
  - name: everything-but-maps
    when: { attributes: { SeriesDescription: { matches: "^HEAD", slices: all } } }
    send: { objects: [sr, summary], to: [pacs] }
  - name: bleeds-to-workstation
    when: { outcome: positive, address: 127.0.0.0/8, callingAeTitle: SCANNER }
    send: { objects: [comprehensive-sr], to: [ws], transferSyntax: ImplicitVRLittleEndian, priority: high }
    forward: { to: [ws] }
  - name: not-this-one
    when: { attributes: { SeriesDescription: { matches: "^NECK" } } }
    send: { objects: [heatmap], to: [pacs] }`);
    await sendTo(node.app, files);
    const { analyses, deliveries, series } = await untilReported(node.app, study.studyInstanceUid);

    expect(analyses[0]?.routing).toEqual({
      routes: ['everything-but-maps', 'bleeds-to-workstation'],
    });
    expect(deliveries.every(({ state }) => state === 'delivered')).toBe(true);
    expect(classesAt(node.pacs)).toEqual(new Set([COMPREHENSIVE_3D_SR, SECONDARY_CAPTURE]));
    expect(classesAt(node.ws)).toEqual(new Set([COMPREHENSIVE_SR, CT]));
    const [report, ...originals] = node.ws.received;
    expect(report).toMatchObject({ sopClassUid: COMPREHENSIVE_SR, transferSyntaxUid: IMPLICIT });
    const sent = originals.map(({ file }) => datasetOf(readFileSync(file)).toString('base64'));
    expect(new Set(sent)).toEqual(new Set(files.map((f) => datasetOf(f).toString('base64'))));
    // Forwarding makes the scanner's series no series of our own.
    expect(series[0]).toMatchObject({ verdict: 'analysed' });
  });

  it('drop with a reason: no object is made, and the status says so', async () => {
    await using node = await rig(`
routes:
  - { name: trial, when: { callingAeTitle: SCANNER }, drop: The scanner is on trial }
  - { name: all, send: { to: [pacs, ws] } }`);
    await sendTo(node.app, files);
    const { objects, deliveries, events } = await untilReported(node.app, study.studyInstanceUid);
    expect([objects, deliveries]).toEqual([[], []]);
    expect(node.app.status.recentStudies(1)).toMatchObject([
      { outcome: 'positive', unsent: 'drop by trial: The scanner is on trial' },
    ]);
    expect(events.map(({ kind }) => kind)).toContain('unsent');
  });

  it('shadow: the objects are made and kept, and nothing is sent', async () => {
    await using node = await rig(SHADOW);
    await sendTo(node.app, files);
    const { objects, deliveries } = await untilReported(node.app, study.studyInstanceUid);
    expect(objects.length).toBeGreaterThan(3);
    expect(deliveries).toEqual([]);
    expect(node.app.status.recentStudies(1)[0]?.unsent).toBe(
      'shadow by trial: The scanner is on trial',
    );

    // What the study would get by other rules, from the catalog beside the running node.
    const candidate = `
routes:
  - name: heads
    when: { attributes: { SeriesDescription: { matches: "^HEAD" } } }
    send: { objects: [sr], to: [ws] }`;
    const before = settingsIn(node.folder, configuration(node.pacs, node.ws, SHADOW));
    const after = settingsIn(node.folder, configuration(node.pacs, node.ws, candidate));
    const catalog = openCatalog(join(node.folder, 'data', CATALOG_FILE));
    const replay = await replayRouting(
      { before: before.routing, after: after.routing },
      {
        status: new StatusStore(catalog),
        series: new SeriesStore(catalog, before.storage.folder),
      },
      0,
    );
    catalog.close();
    expect(replay).toMatchObject({
      studies: 1,
      rerouted: [
        {
          studyInstanceUid: study.studyInstanceUid,
          added: ['sr to ws'],
          removed: [],
          routesBefore: ['trial'],
          routesAfter: ['heads'],
        },
      ],
    });
  });

  it('use the fallback where a header cannot be read any more', async () => {
    await using node = await rig(`
routes:
  - { name: thin, when: { attributes: { SliceThickness: { max: 1 } } }, send: { objects: [summary], to: [pacs] } }
fallbackRoute: { send: { objects: [sr], to: [ws] } }`);
    const { part10 } = study.localizer;
    await sendTo(node.app, [part10]);
    const file = await vi.waitFor(() => instanceFile(node.folder));
    // Patient and study stay, for the report; the file ends within the element of the image's height.
    truncateSync(file, part10.indexOf(ROWS) + ROWS.length);
    const { analyses, deliveries } = await untilReported(node.app, study.studyInstanceUid);
    expect(analyses[0]?.routing).toMatchObject({
      routes: ['fallback'],
      undecided: [{ route: 'thin', reason: { code: 'header-unreadable' } }],
    });
    expect(deliveries).toMatchObject([{ kind: 'sr', destination: 'ws', route: 'fallback' }]);
  });
});

/** The first instance in the archive. */
function instanceFile(folder: string): string {
  const archive = join(folder, 'data', 'instances');
  const [name] = readdirSync(archive, { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.dcm'),
  );
  if (name === undefined) throw new Error('no instance yet');
  return join(archive, name);
}
