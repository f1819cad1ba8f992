import { readFileSync } from 'node:fs';
import { appendFile, cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
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
import { vigil } from './vigil-command.js';

const PATIENCE = { timeout: 60_000, interval: 50 };
const head = headPhantomStudy({ seed: 3, bleed: { type: 'subdural' } });
const study = head.studyInstanceUid;

/** An archive with one reported study, made once; each test has a copy. */
let original: Awaited<ReturnType<typeof temporaryFolder>>;
let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let pacs: SimulatedPacs;
let data: string;

beforeAll(async () => {
  original = await temporaryFolder();
  pacs = await startPacs(original.path);
  await using app = await startNode(
    settingsIn(
      original.path,
      allTo(pacs).replace('0.1, unknownSeconds: 1,', '4, unknownSeconds: 5,'),
    ),
  );
  await sendTo(
    app,
    head.images.map(({ part10 }) => part10),
  );
  await untilReported(app, study);
});

afterAll(async () => {
  await pacs[Symbol.asyncDispose]();
  await original[Symbol.asyncDispose]();
});

beforeEach(async () => {
  folder = await temporaryFolder();
  data = join(folder.path, 'data');
  await cp(join(original.path, 'data'), data, { recursive: true });
});

afterEach(() => folder[Symbol.asyncDispose]());

const start = async (more = '') => {
  const sections = `${allTo(pacs)}\n${more}`;
  await writeFile(join(folder.path, 'vigil.yaml'), `storage: { folder: ./data }\n${sections}`);
  return startNode(settingsIn(folder.path, sections));
};
const command = (...args: string[]) =>
  vigil([...args, '--config', join(folder.path, 'vigil.yaml')]);

/** The file of the report that goes by the routes, and of the summary. */
function filesOf(app: App) {
  const objects = app.status.study(study)?.objects ?? [];
  const find = (kind: string) =>
    objects.find((one) => one.kind === kind && one.fallbackFor === null && one.revision === 1);
  const [report, summary] = [find('sr'), find('summary')];
  if (report === undefined || summary === undefined) throw new Error('there is no report');
  return {
    report: { ...report, path: join(data, report.file) },
    summary: join(data, summary.file),
  };
}

const deliveriesOf = (app: App) => app.status.study(study)?.deliveries ?? [];

describe('result files that are gone or altered', () => {
  it('are made again with the same bytes, and sent, when they cannot be sent', async () => {
    await using app = await start();
    const { report, summary } = filesOf(app);
    const [before, pictureBefore] = [await readFile(report.path), await readFile(summary)];
    await rm(report.path);
    await appendFile(summary, 'x');
    const received = pacs.received.length;
    expect((await command('resend', study)).code).toBe(0);
    await expect
      .poll(() => pacs.received.slice(received).map((one) => one.sopInstanceUid), PATIENCE)
      .toContain(report.sopInstanceUid);
    await expect
      .poll(() => deliveriesOf(app).every(({ state }) => state === 'delivered'), PATIENCE)
      .toBe(true);
    expect(readFileSync(report.path).equals(before)).toBe(true);
    expect(readFileSync(summary).equals(pictureBefore)).toBe(true);
    await expect.poll(async () => (await app.health()).archive, PATIENCE).toEqual({ ok: true });
    expect(app.status.study(study)?.analyses).toHaveLength(1);
  });

  it('are made again when vigil verify finds them beside the running node', async () => {
    await using app = await start();
    const { report } = filesOf(app);
    const before = await readFile(report.path);
    await writeFile(report.path, before.subarray(0, 500));
    expect((await command('verify')).code).toBe(1);
    await expect.poll(async () => (await app.health()).archive, PATIENCE).toEqual({ ok: true });
    expect(readFileSync(report.path).equals(before)).toBe(true);
    const kinds = app.status.study(study)?.events.map(({ kind }) => kind);
    expect(kinds).toEqual(expect.arrayContaining(['file-damaged', 'file-restored']));
    expect((await command('verify')).code).toBe(0);
  });

  it('are superseded by a report of its own where they would not be the same any more', async () => {
    await using app = await start('report: { researchText: Another text }');
    const { report } = filesOf(app);
    await rm(report.path);
    expect((await command('resend', study)).code).toBe(0);
    const again = await untilReported(app, study, 2);
    const [first, repeated] = again.analyses.map(({ outcome }) => outcome);
    expect(repeated).toBe(first);
    const second = again.objects.find(
      (one) => one.revision === 2 && one.kind === 'sr' && one.fallbackFor === null,
    );
    expect(second?.sopInstanceUid).not.toBe(report.sopInstanceUid);
    const written = readSourceDataset(await readFile(join(data, second?.file ?? '')));
    const named = written
      .items('PredecessorDocumentsSequence')
      .flatMap((one) => one.items('ReferencedSeriesSequence'))
      .flatMap((one) => one.items('ReferencedSOPSequence'))
      .map((one) => one.text('ReferencedSOPInstanceUID'));
    expect(named).toEqual([report.sopInstanceUid]);
    const lost = deliveriesOf(app).find((one) => one.sopInstanceUid === report.sopInstanceUid);
    expect(lost?.state).toBe('replaced');
    expect(pacs.received.map((one) => one.sopInstanceUid)).toContain(second?.sopInstanceUid);
  });
});
