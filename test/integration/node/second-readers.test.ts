import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { App } from '../../../src/app.js';
import { replayRouting } from '../../../src/routing-replay.js';
import { headPhantomStudy } from '../../../src/simulate/head-phantom.js';
import { CATALOG_FILE, openCatalog } from '../../../src/store/database.js';
import { OperationsStore } from '../../../src/store/operations-store.js';
import { SeriesStore } from '../../../src/store/series-store.js';
import { StatusStore, type StudyDetail } from '../../../src/store/status-store.js';
import { HookServer } from '../notify/hook-server.js';
import {
  sendTo,
  settingsIn,
  startNode,
  startPacs,
  temporaryFolder,
  untilReported,
} from './node-rig.js';
import { SCEPTIC, scepticIn } from './sceptic.js';

const study = headPhantomStudy({ seed: 11, bleed: { type: 'intraparenchymal', volumeMl: 35 } });
const files = study.images.map(({ part10 }) => part10);
const uid = study.studyInstanceUid;

const waits = 'completeness: { likelySeconds: 0.1, unknownSeconds: 1, studyQuietSeconds: 1 }';
const retries = 'retryFirstSeconds: 0.1, retryLongestSeconds: 0.5';

function untilRead(app: App): Promise<StudyDetail> {
  return vi.waitFor(
    () => {
      const found = app.status.study(uid);
      if (found?.analyses.at(-1)?.secondReadings.length !== 1) throw new Error('not read yet');
      if (found.deliveries.some(({ settledAt }) => settledAt === null)) {
        throw new Error('not delivered yet');
      }
      return found;
    },
    { timeout: 50_000, interval: 25 },
  );
}

describe('a second reader', () => {
  it('reads what is reported, changes no report, and routes send for what it says', async () => {
    await using folder = await temporaryFolder();
    await scepticIn(folder.path);
    await writeFile(join(folder.path, 'hook.key'), 'secret');
    await using hook = await HookServer.start();
    await using pacs = await startPacs(folder.path);
    await using ws = await startPacs(folder.path, {
      folder: join(folder.path, 'ws'),
      aeTitle: 'WS',
    });
    const routes = (contradicted: string) => `
${waits}
${SCEPTIC}
destinations:
  pacs: { aeTitle: PACS, host: 127.0.0.1, port: ${pacs.port}, ${retries} }
  ws: { aeTitle: WS, host: 127.0.0.1, port: ${ws.port}, ${retries} }
channels:
  program: { webhook: { url: "http://127.0.0.1:${hook.port}/ich", secretFile: ./hook.key }, ${retries} }
routes:
  - { name: everything, send: { objects: [sr, heatmap], to: [pacs] } }
  - name: contradicted
    when: { outcome: positive, secondReader: { name: sceptic, outcome: ${contradicted} } }
    send: { objects: [comprehensive-sr], to: [ws] }
    forward: { to: [ws] }
    notify: { to: [program] }`;
    const settings = settingsIn(folder.path, routes('negative'));
    {
      await using app = await startNode(settings);
      await sendTo(app, files);
      const { analyses, events, deliveries } = await untilRead(app);

      expect(analyses).toMatchObject([
        {
          outcome: 'positive',
          finding: { model: { name: 'vigil-ich-small' } },
          routing: { routes: ['everything'] },
          secondReadings: [
            {
              reader: 'sceptic',
              finding: { outcome: 'negative', model: { name: 'sceptic', version: '9.0.0' } },
            },
          ],
        },
      ]);
      expect(analyses[0]?.secondReadings[0]?.finding.slices).toHaveLength(
        analyses[0]?.finding?.slices.length ?? -1,
      );
      const to = (name: string) =>
        deliveries.filter(({ destination }) => destination === name).map(({ kind }) => kind);
      expect(new Set(to('pacs'))).toEqual(new Set(['sr', 'heatmap']));
      expect(to('ws').filter((kind) => kind === 'original')).toHaveLength(files.length);
      expect(to('ws').filter((kind) => kind === 'sr')).toHaveLength(1);
      expect(to('program')).toEqual(['notification']);
      expect(deliveries.every(({ state }) => state === 'delivered')).toBe(true);
      expect(hook.requests).toHaveLength(1);
      expect(events.filter(({ kind }) => kind === 'second-reading')).toMatchObject([
        { detail: { reader: 'sceptic', outcome: 'negative', routes: 'contradicted' } },
      ]);
    }

    const catalog = openCatalog(join(folder.path, 'data', CATALOG_FILE));
    try {
      expect(new OperationsStore(catalog).report(Date.now(), []).secondReadings).toMatchObject({
        due: [],
        compared: [{ reader: 'sceptic', deciding: 'positive', outcome: 'negative', studies: 1 }],
        contradicted: [{ reader: 'sceptic', studyInstanceUid: uid }],
      });
      // A replay knows what the reader said.
      const replay = await replayRouting(
        { before: settings.routing, after: settingsIn(folder.path, routes('positive')).routing },
        {
          status: new StatusStore(catalog),
          series: new SeriesStore(catalog, settings.storage.folder),
        },
        0,
      );
      expect(replay.rerouted).toMatchObject([
        {
          added: [],
          removed: ['comprehensive-sr to ws', 'original to ws', 'notification to program'],
        },
      ]);
    } finally {
      catalog.close();
    }
  });

  it('reads after the next start what a stop has kept from it', async () => {
    await using folder = await temporaryFolder();
    await scepticIn(folder.path);
    const settings = settingsIn(
      folder.path,
      `${waits}\n${SCEPTIC}\ndefaultRoute: { drop: nothing is wanted }`,
    );
    {
      await using app = await startNode(settings);
      await sendTo(app, files);
      await untilReported(app, uid);
    }
    await using app = await startNode(settings);
    const { analyses } = await untilRead(app);
    expect(analyses).toMatchObject([{ secondReadings: [{ finding: { outcome: 'negative' } }] }]);
  });

  it('whose package cannot be used is named, and triage runs without it', async () => {
    await using folder = await temporaryFolder();
    await scepticIn(folder.path);
    await writeFile(join(folder.path, 'sceptic', 'cnn.onnx'), 'altered');
    await using pacs = await startPacs(folder.path);
    const settings = settingsIn(
      folder.path,
      `
${waits}
${SCEPTIC}
destinations:
  pacs: { aeTitle: PACS, host: 127.0.0.1, port: ${pacs.port}, ${retries} }
routes:
  - { name: everything, send: { objects: [sr], to: [pacs] } }`,
    );
    {
      await using app = await startNode(settings);
      await sendTo(app, files);
      const { analyses, deliveries } = await untilReported(app, uid);
      expect(analyses).toMatchObject([{ outcome: 'positive', secondReadings: [] }]);
      expect(deliveries.map(({ state }) => state)).toEqual(['delivered']);
      await vi.waitFor(() =>
        expect(app.secondReaders).toMatchObject([
          { name: 'sceptic', model: undefined, problem: expect.stringContaining('cnn.onnx') },
        ]),
      );
      expect((await app.health()).inference).toEqual({ ok: true });
    }
    // Mended, it reads what waits for it.
    await scepticIn(folder.path);
    {
      await using app = await startNode(settings);
      const { analyses } = await untilRead(app);
      expect(analyses[0]?.secondReadings[0]?.finding.outcome).toBe('negative');
    }
    // Dismissed, it gets nothing to read, and what it said is kept.
    const without = settingsIn(folder.path, waits);
    await using app = await startNode(without);
    const { analyses } = app.status.study(uid) ?? {};
    expect([analyses?.[0]?.secondReadings.length, app.secondReaders]).toEqual([1, []]);
  });
});
