import { cp, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, it, vi } from 'vitest';
import { smallStudy } from '../../crash/small-study.js';
import {
  allTo,
  sendTo,
  settingsIn,
  startNode,
  startPacs,
  temporaryFolder,
  untilReported,
} from './node-rig.js';

const SHIPPED = join(import.meta.dirname, '../../../models/vigil-ich-small');
const PATIENCE = { timeout: 120_000, interval: 50 };

it('receives while the model is gone, says so, and reads what waited when it is back', async () => {
  await using folder = await temporaryFolder();
  await using pacs = await startPacs(folder.path);
  const model = join(folder.path, 'model');
  await cp(SHIPPED, model, { recursive: true });
  let child = 0;
  const log = pino({}, { write: (line) => note(JSON.parse(line)) });
  const note = (line: { child?: number }) => {
    child = line.child ?? child;
  };
  const settings = settingsIn(folder.path, allTo(pacs, 'inference: { model: ./model }'));
  await using app = await startNode(settings, log);
  expect((await app.health()).inference).toEqual({ ok: true });

  await rename(model, `${model}-away`);
  process.kill(child, 'SIGKILL');
  await vi.waitFor(async () => {
    const { ok, reason } = (await app.health()).inference;
    expect({ ok, reason }).toEqual({
      ok: false,
      reason: expect.stringContaining('cannot be read'),
    });
  }, PATIENCE);
  const { studyInstanceUid, images } = smallStudy(1, 'away');
  const files = images.map(({ part10 }) => part10);
  const acknowledged = await sendTo(app, files);
  expect(acknowledged.map(({ status }) => status)).toEqual(files.map(() => 0));
  await vi.waitFor(() => {
    expect(app.status.study(studyInstanceUid)?.analyses).toMatchObject([{ state: 'due' }]);
  }, PATIENCE);

  await rename(`${model}-away`, model);
  await vi.waitFor(async () => {
    expect((await app.health()).inference).toEqual({ ok: true });
  }, PATIENCE);
  const study = await untilReported(app, studyInstanceUid);
  expect(study.analyses[0]?.outcome).not.toBe('failed');
  expect(study.events.map(({ kind }) => kind)).not.toContain('analysis-retried');
}, 300_000);
