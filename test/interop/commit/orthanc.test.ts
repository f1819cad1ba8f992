import { existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CT_IMAGE } from '../../../src/dicom/sop-classes.js';
import { headPhantomStudy } from '../../../src/simulate/head-phantom.js';
import { settingsIn, startNode, temporaryFolder } from '../../integration/node/node-rig.js';
import { freePort, startOrthanc } from '../servers.js';
import { requireTools } from '../tools.js';

interface Commitment {
  readonly Status: 'Pending' | 'Success' | 'Failure';
  readonly Success: readonly { readonly SOPInstanceUID: string }[];
  readonly Failures: readonly { readonly SOPInstanceUID: string; readonly FailureReason: number }[];
}

describe.runIf(requireTools('Orthanc'))('storage commitment with Orthanc', () => {
  it('tells Orthanc which of the instances that it sent are safe', async () => {
    await using folder = await temporaryFolder();
    const port = await freePort();
    await using orthanc = await startOrthanc(join(folder.path, 'orthanc'), {
      vigil: ['VIGIL', port],
    });
    const settings = settingsIn(
      folder.path,
      `
completeness: { likelySeconds: 60, unknownSeconds: 60 }
scanners:
  orthanc: { aeTitle: ORTHANC, host: 127.0.0.1, port: ${orthanc.port} }
`,
    );
    await using app = await startNode({ ...settings, node: { ...settings.node, port } });
    const { images, studyInstanceUid, seriesInstanceUid } = headPhantomStudy({ seed: 21 });
    const sent = images.slice(0, 4);
    for (const { part10 } of sent) expect((await orthanc.post('/instances', part10)).ok).toBe(true);
    const ids = (await (await orthanc.get('/instances')).json()) as string[];
    const stored = await orthanc.post('/modalities/vigil/store', JSON.stringify(ids));
    expect(stored.ok).toBe(true);
    const uids = sent.map(({ sopInstanceUid }) => sopInstanceUid);
    const series = join(folder.path, 'data/instances', studyInstanceUid, seriesInstanceUid);
    const lost = join(series, `${uids[0]}.dcm`);
    // An image is acknowledged before it is in its place.
    await expect.poll(() => existsSync(lost), { timeout: 20_000 }).toBe(true);
    await rm(lost);

    const request = [...uids, '1.2.3.4'].map((uid) => [CT_IMAGE, uid]);
    const answer = await orthanc.post(
      '/modalities/vigil/storage-commitment',
      JSON.stringify({ DicomInstances: request }),
    );
    const { Path } = (await answer.json()) as { Path: string };
    const report = async () => (await (await orthanc.get(Path)).json()) as Commitment;

    await expect.poll(async () => (await report()).Status, { timeout: 20_000 }).toBe('Failure');
    const { Success, Failures } = await report();
    expect(Success.map((one) => one.SOPInstanceUID).sort()).toEqual(uids.slice(1).sort());
    expect(
      Object.fromEntries(Failures.map((one) => [one.SOPInstanceUID, one.FailureReason])),
    ).toEqual({
      [uids[0] as string]: 0x0112,
      '1.2.3.4': 0x0112,
    });
    await expect
      .poll(() => app.status.study(studyInstanceUid)?.commitments, { timeout: 20_000 })
      .toMatchObject([{ callingAeTitle: 'ORTHANC', state: 'reported', instances: 5, failed: 2 }]);
  });
});
