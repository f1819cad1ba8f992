import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from '../app.js';
import { parseSettings } from '../config/load-settings.js';
import type { Outcome } from '../domain/finding.js';
import { percent } from '../domain/percent.js';
import { createLog } from '../log.js';
import { headPhantomStudy, type PhantomStudy } from '../simulate/head-phantom.js';
import { SimulatedPacs } from '../simulate/pacs.js';
import { scan } from '../simulate/scanner.js';
import type { StudyDetail } from '../store/status-store.js';
import { EXIT } from './exit-codes.js';
import { table } from './text.js';

/** A generated head, and what Vigil should say of it. */
interface Case {
  readonly title: string;
  readonly expected: Outcome;
  readonly study: () => PhantomStudy;
}

const CASES: readonly Case[] = [
  {
    title: 'A head with an intraparenchymal hemorrhage',
    expected: 'positive',
    study: () => headPhantomStudy({ seed: 1, bleed: { type: 'intraparenchymal', volumeMl: 30 } }),
  },
  {
    title: 'A head without a hemorrhage',
    expected: 'negative',
    study: () => headPhantomStudy({ seed: 2 }),
  },
];

interface CaseResult {
  readonly title: string;
  readonly studyInstanceUid: string;
  readonly outcome: Outcome | null;
  readonly expected: Outcome;
  /** Calibrated probability for each class. */
  readonly scores: Readonly<Record<string, number>>;
  readonly objects: readonly {
    readonly kind: string;
    readonly sopClassUid: string;
    readonly file: string;
  }[];
  /** From the scanner's last acknowledgement until the PACS had the report; null where none came. */
  readonly msLastSliceToReport: number | null;
}

/** Long enough for a slow machine; a report that is not there by then will not come. */
const PATIENCE_MS = 120_000;
const LOOK_MS = 50;

/**
 * `vigil demo`: a node, a simulated scanner and a simulated PACS on free ports of this machine, with the shipped model.
 * The heads are computed; no patient's data is involved.
 */
export async function runDemo(options: { json: boolean; keep: boolean }): Promise<number> {
  const say = options.json ? () => undefined : (text: string) => console.log(text);
  const folder = await mkdtemp(join(tmpdir(), 'vigil-demo-'));
  const received = join(folder, 'pacs');
  const results: CaseResult[] = [];
  {
    await using pacs = new SimulatedPacs({ folder: received, aeTitle: 'PACS' });
    await pacs.start();
    await using app = await openNode(folder, pacs.port);
    await app.start();
    say(
      `Node on port ${app.ports.dicom}, PACS on port ${pacs.port}; each study a localizer and 32 slices\n`,
    );
    for (const one of CASES) {
      const result = await runCase(one, app, pacs);
      results.push(result);
      say(describe(result));
    }
  }
  if (!options.keep) await rm(join(folder, 'node'), { recursive: true });
  const ok = results.every(({ outcome, expected }) => outcome === expected);
  if (options.json) {
    console.log(JSON.stringify({ studies: results, ok, folder: received }));
  } else {
    say(`What the PACS received is in ${received}`);
    if (options.keep) say(`The node's catalog and archive are in ${join(folder, 'node')}`);
    say(ok ? 'Both heads were called right.' : 'NOT as expected: see the outcomes above.');
  }
  return ok ? EXIT.done : EXIT.failed;
}

function openNode(folder: string, pacsPort: number): Promise<App> {
  const text = `
node: { aeTitle: VIGIL, host: 127.0.0.1, port: 0 }
storage: { folder: ./node, minFreeMb: 100 }
admin: { port: 0 }
log: { level: warn }
destinations:
  pacs: { aeTitle: PACS, host: 127.0.0.1, port: ${pacsPort} }
routes:
  - { name: everything, send: { to: [pacs] } }
`;
  const { settings } = parseSettings(text, join(folder, 'vigil.yaml'), {});
  return App.open(settings, createLog({ ...settings.log, destination: 'stderr' }));
}

async function runCase(
  { title, expected, study }: Case,
  app: App,
  pacs: SimulatedPacs,
): Promise<CaseResult> {
  const { studyInstanceUid, images, localizer } = study();
  const acknowledged = await scan(
    { host: '127.0.0.1', port: app.ports.dicom, calledAeTitle: 'VIGIL' },
    [localizer, ...images].map(({ part10 }) => part10),
  );
  const detail = await reported(studyInstanceUid, app);
  const analysis = detail?.analyses.at(-1);
  const sent = new Map(pacs.received.map((object) => [object.sopInstanceUid, object]));
  const objects = (detail?.objects ?? []).flatMap(({ sopInstanceUid, kind, sopClassUid }) => {
    const file = sent.get(sopInstanceUid)?.file;
    return file === undefined ? [] : [{ kind, sopClassUid, file, sopInstanceUid }];
  });
  const report = objects.find(({ kind }) => kind === 'sr');
  const reportAt = report && sent.get(report.sopInstanceUid)?.receivedAt;
  const lastSliceAt = Math.max(...acknowledged.map(({ at }) => at));
  return {
    title,
    studyInstanceUid,
    outcome: analysis?.outcome ?? null,
    expected,
    scores: Object.fromEntries(
      (analysis?.finding?.classes ?? []).map(({ name, probability }) => [name, probability]),
    ),
    objects: objects.map(({ sopInstanceUid: _, ...object }) => object),
    msLastSliceToReport: reportAt === undefined ? null : reportAt - lastSliceAt,
  };
}

/** Waits until every object of a study's report is settled; resolves to what the catalog then says. */
function reported(studyInstanceUid: string, app: App): Promise<StudyDetail | undefined> {
  return new Promise((resolve) => {
    const began = Date.now();
    const timer = setInterval(() => {
      const study = app.status.study(studyInstanceUid);
      const deliveries = study?.deliveries ?? [];
      const settled =
        deliveries.length > 0 && deliveries.every(({ settledAt }) => settledAt !== null);
      if (!settled && Date.now() - began < PATIENCE_MS) return;
      clearInterval(timer);
      resolve(study);
    }, LOOK_MS);
  });
}

const KINDS: Readonly<Record<string, string>> = {
  sr: 'Structured Report',
  heatmap: 'Grad-CAM image',
  summary: 'summary page',
  'key-objects': 'key object selection',
};

function describe(result: CaseResult): string {
  const { title, outcome, expected, scores, objects, msLastSliceToReport } = result;
  const counts = Object.entries(KINDS).flatMap(([kind, name]) => {
    const count = objects.filter((object) => object.kind === kind).length;
    return count === 0 ? [] : [`${count} ${name}${count > 1 ? 's' : ''}`];
  });
  const seconds =
    msLastSliceToReport === null ? 'never' : `${(msLastSliceToReport / 1000).toFixed(2)} s`;
  const rows = [
    ['outcome', `${outcome ?? 'none'} (expected: ${expected})`],
    ...Object.entries(scores).map(([name, probability]) => [
      name,
      percent(probability).padStart(7),
    ]),
    ['PACS received', counts.join(', ') || 'nothing'],
    ['last slice to report', seconds],
  ];
  return `${title}\n${table(rows).replaceAll(/^/gm, '  ')}\n`;
}
