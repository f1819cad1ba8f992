import { describe, expect, it } from 'vitest';
import { Status } from '../../../src/dicom/status.js';
import { CommandElement } from '../../../src/receive/dimse.js';
import { type RawScu, releaseRq } from '../receive/raw-scu.js';
import { slice } from '../receive/receive-rig.js';
import { create, ended, scanner, set } from '../receive/step-scu.js';
import { settingsIn, startNode, temporaryFolder } from './node-rig.js';

const IMAGES = ['1.2.3.4.11', '1.2.3.4.12', '1.2.3.4.13'];
const STEP = '1.2.3.9';
const WAITS = 'completeness: { likelySeconds: 3, unknownSeconds: 3 }';

async function store(scu: RawScu, uids: readonly string[]): Promise<void> {
  for (const uid of uids) {
    scu.store(uid, slice(uid));
    expect((await scu.response()).status).toBe(Status.Success);
  }
  scu.send(releaseRq);
  expect((await scu.next())?.type).toBe(6);
}

describe('what a procedure step says of a series', () => {
  it.each([
    ['COMPLETED', 'all that it names', IMAGES, 'all-listed', 'proven'],
    ['COMPLETED', 'less than it names', IMAGES.slice(0, 2), 'listed-missing', 'unknown'],
    ['DISCONTINUED', 'all that it names', IMAGES, 'discontinued', 'unknown'],
  ])('%s, over a restart: %s is there', async (status, _, sent, code, confidence) => {
    await using folder = await temporaryFolder();
    const settings = settingsIn(folder.path, WAITS);
    {
      await using app = await startNode(settings);
      await using scu = await scanner(app.ports.dicom);
      expect((await create(scu, STEP)).number(CommandElement.Status)).toBe(Status.Success);
    }
    await using app = await startNode(settings);
    await using scu = await scanner(app.ports.dicom);
    const answer = await set(scu, STEP, ended(status, IMAGES));
    expect(answer.number(CommandElement.Status)).toBe(Status.Success);
    await store(scu, sent);
    await expect
      .poll(() => app.status.study('1.2.3'), { timeout: 20_000 })
      .toMatchObject({
        series: [{ state: 'complete', completionCode: code, confidence }],
        steps: [{ sopInstanceUid: STEP, state: status.toLowerCase(), series: 1, instances: 3 }],
      });
  });

  it.each([
    ['DISCONTINUED', IMAGES, 'discontinued'],
    ['COMPLETED', [...IMAGES, '1.2.3.4.14'], 'listed-missing'],
  ])('%s after the series was taken for whole: it is judged again', async (status, named, code) => {
    await using folder = await temporaryFolder();
    const quick = 'completeness: { likelySeconds: 0.1, unknownSeconds: 0.1 }';
    await using app = await startNode(settingsIn(folder.path, quick));
    await using scu = await scanner(app.ports.dicom);
    await create(scu, STEP);
    for (const uid of IMAGES) {
      scu.store(uid, slice(uid));
      expect((await scu.response()).status).toBe(Status.Success);
    }
    const series = () => app.status.study('1.2.3')?.series;
    await expect
      .poll(series, { timeout: 20_000 })
      .toMatchObject([{ state: 'complete', completionCode: 'association-open' }]);
    const answer = await set(scu, STEP, ended(status, named));
    expect(answer.number(CommandElement.Status)).toBe(Status.Success);
    await expect
      .poll(series, { timeout: 20_000 })
      .toMatchObject([{ state: 'complete', completionCode: code, confidence: 'unknown' }]);
    const kinds = app.status.study('1.2.3')?.events.map(({ kind }) => kind);
    expect(kinds).toContain('series-reopened');
  });
});
