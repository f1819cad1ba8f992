import { once } from 'node:events';
import { expect, it } from 'vitest';
import { reportCommitment } from '../../../src/deliver/commitment-report-scu.js';
import type { CommitmentReport } from '../../../src/domain/commitment.js';
import { headPhantomStudy } from '../../../src/simulate/head-phantom.js';
import {
  sendTo,
  settingsIn,
  startNode,
  startPacs,
  temporaryFolder,
  untilReported,
} from './node-rig.js';

it('counts results as delivered when the PACS reports after a restart that it is committed to them', async () => {
  await using folder = await temporaryFolder();
  const reports: CommitmentReport[] = [];
  const { images, studyInstanceUid } = headPhantomStudy({ seed: 31 });
  await using pacs = await startPacs(folder.path, {
    onCommitment: (report) => {
      reports.push(report);
      pacs.emit('association');
    },
  });
  const settings = settingsIn(
    folder.path,
    `
completeness: { likelySeconds: 0.1, unknownSeconds: 1, studyQuietSeconds: 1 }
destinations:
  pacs: { aeTitle: PACS, host: 127.0.0.1, port: ${pacs.port}, verifyByCommitment: true, verifyAfterSeconds: 0.1 }
routes:
  - { name: everything, send: { to: [pacs] } }
`,
  );
  const asked = () =>
    new Set(reports.flatMap(({ instances }) => instances.map((one) => one.sopInstanceUid)));
  {
    await using app = await startNode(settings);
    await sendTo(
      app,
      images.map(({ part10 }) => part10),
    );
    const isAsked = () => {
      const { analyses = [], deliveries = [] } = app.status.study(studyInstanceUid) ?? {};
      // The report is asked for before its pictures are there.
      return analyses[0]?.state === 'reported' && deliveries.length === asked().size;
    };
    while (!isAsked()) await once(pacs, 'association');
    const { deliveries = [] } = app.status.study(studyInstanceUid) ?? {};
    expect(new Set(deliveries.map(({ state }) => state))).toEqual(new Set(['stored']));
  }
  await using app = await startNode(settings);
  const vigil = {
    aeTitle: 'VIGIL',
    callingAeTitle: 'PACS',
    host: '127.0.0.1',
    port: app.ports.dicom,
  };
  for (const report of reports)
    expect(await reportCommitment(vigil, report)).toEqual({ status: 0 });
  const { deliveries } = await untilReported(app, studyInstanceUid);
  expect(new Set(deliveries.map(({ state }) => state))).toEqual(new Set(['delivered']));
});
