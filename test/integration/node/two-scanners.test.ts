import { expect, it } from 'vitest';
import { readFileMeta } from '../../../src/dicom/file-meta.js';
import { smallStudy } from '../../crash/small-study.js';
import { RawScu } from '../receive/raw-scu.js';
import {
  allTo,
  settingsIn,
  startNode,
  startPacs,
  temporaryFolder,
  untilReported,
} from './node-rig.js';

it('reads a study once whose slices two scanners send at the same time, in turn and twice', async () => {
  await using folder = await temporaryFolder();
  await using pacs = await startPacs(folder.path);
  await using app = await startNode(settingsIn(folder.path, allTo(pacs)));
  const { studyInstanceUid, images } = smallStudy(2, 'two-scanners');
  const scanners = [
    await RawScu.associated(app.ports.dicom, { callingAeTitle: 'CT1' }),
    await RawScu.associated(app.ports.dicom, { callingAeTitle: 'CT2' }),
  ] as const;
  // Each begins at another end, so that every slice comes twice, once early and once late.
  for (const [i, first] of images.entries()) {
    const second = images[images.length - 1 - i] as typeof first;
    const sent = [first, second].map(({ sopInstanceUid, part10 }, at) => {
      const bytes = part10.subarray(readFileMeta(part10)?.datasetOffset);
      scanners[at === 0 ? 0 : 1].store(sopInstanceUid, bytes);
      return scanners[at === 0 ? 0 : 1].response();
    });
    for (const { status } of await Promise.all(sent)) expect(status).toBe(0);
  }
  for (const scanner of scanners) await scanner[Symbol.asyncDispose]();

  const study = await untilReported(app, studyInstanceUid);
  expect(study.analyses.map(({ revision }) => revision)).toEqual([1]);
  expect(study.conflicts).toEqual([]);
  const kept = study.series.reduce((sum, { instances }) => sum + instances, 0);
  expect(kept).toBe(images.length);
  const reports = study.deliveries.filter(({ kind }) => kind === 'sr');
  expect(reports).toHaveLength(1);
}, 300_000);
