import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_TIMEOUTS, type Peer } from '../../../src/deliver/association.js';
import { echo } from '../../../src/deliver/echo-scu.js';
import { findInstances } from '../../../src/deliver/find-scu.js';
import { type OutgoingObject, sendObjects } from '../../../src/deliver/store-scu.js';
import { readFileMeta } from '../../../src/dicom/file-meta.js';
import { readHeader } from '../../../src/dicom/header.js';
import { CT_IMAGE } from '../../../src/dicom/sop-classes.js';
import { EXPLICIT_VR_LITTLE_ENDIAN } from '../../../src/dicom/transfer-syntaxes.js';
import { headPhantomStudy } from '../../../src/simulate/head-phantom.js';
import { scan } from '../../../src/simulate/scanner.js';
import { temporaryFolder } from '../../integration/deliver/objects.js';
import { queueReport } from '../../integration/deliver/queued-reports.js';
import { Stage } from '../../integration/deliver/stage.js';
import { ReceiveRig } from '../../integration/receive/receive-rig.js';
import { startOrthanc } from '../servers.js';
import { requireTools } from '../tools.js';

function peerOf(port: number, aeTitle = 'ORTHANC'): Peer {
  return { aeTitle, callingAeTitle: 'VIGIL', host: '127.0.0.1', port };
}

describe.runIf(requireTools('Orthanc'))('sending to Orthanc', () => {
  it('delivers a study that Orthanc shows whole, and again without harm', async () => {
    await using folder = await temporaryFolder();
    await using peer = await startOrthanc(folder.path);
    const study = headPhantomStudy({ seed: 11 });
    const objects: OutgoingObject[] = [];
    for (const [i, { sopInstanceUid, part10 }] of study.images.entries()) {
      const file = join(folder.path, `${i}.dcm`);
      await writeFile(file, part10);
      const transferSyntaxUid = EXPLICIT_VR_LITTLE_ENDIAN;
      objects.push({ sopClassUid: CT_IMAGE, sopInstanceUid, transferSyntaxUid, file });
    }
    for (let time = 0; time < 2; time += 1) {
      const results = await sendObjects(peerOf(peer.port), objects);
      expect(results).toEqual(objects.map(() => ({ type: 'stored', status: 0 })));
    }
    const instances = (await (await peer.get('/instances?expand')).json()) as {
      ID: string;
      MainDicomTags: { SOPInstanceUID: string };
    }[];
    expect(instances).toHaveLength(32);
    for (const { ID, MainDicomTags } of instances.slice(0, 3)) {
      const file = Buffer.from(await (await peer.get(`/instances/${ID}/file`)).arrayBuffer());
      const sent = study.images.find((i) => i.sopInstanceUid === MainDicomTags.SOPInstanceUID);
      const dataset = sent?.part10.subarray(readFileMeta(sent.part10)?.datasetOffset);
      expect(file.subarray(readFileMeta(file)?.datasetOffset).equals(dataset ?? file)).toBe(true);
    }
  });

  it('finds what it holds, and nothing else', async () => {
    await using folder = await temporaryFolder();
    await using peer = await startOrthanc(folder.path);
    const { images, studyInstanceUid, seriesInstanceUid } = headPhantomStudy({ seed: 11 });
    const [{ sopInstanceUid, part10 } = { sopInstanceUid: '', part10: Buffer.alloc(0) }] = images;
    const file = join(folder.path, 'image.dcm');
    await writeFile(file, part10);
    const transferSyntaxUid = EXPLICIT_VR_LITTLE_ENDIAN;
    await sendObjects(peerOf(peer.port), [
      { sopClassUid: CT_IMAGE, sopInstanceUid, transferSyntaxUid, file },
    ]);
    const keys = { studyInstanceUid, seriesInstanceUid, sopInstanceUid };
    const results = await findInstances(peerOf(peer.port), [
      keys,
      { ...keys, sopInstanceUid: '2.25.1' },
      { ...keys, seriesInstanceUid: '2.25.2' },
      { ...keys, studyInstanceUid: '2.25.3' },
      keys,
    ]);
    expect(results.map(({ type }) => type)).toEqual([
      'found',
      'not-found',
      'not-found',
      'not-found',
      'found',
    ]);
    const dataset = part10.subarray(readFileMeta(part10)?.datasetOffset);
    const { patient } = readHeader(dataset, transferSyntaxUid);
    expect(results[0]).toEqual({ type: 'found', patient });
  });

  it('commits to what it holds, and gets again what somebody deleted there before', async () => {
    await using folder = await temporaryFolder();
    let stage: Stage | undefined;
    await using scp = await ReceiveRig.start({
      commitmentReports: { take: (report) => stage?.verifier.take(report) ?? false },
    });
    await using peer = await startOrthanc(folder.path, { vigil: ['VIGIL', scp.port] });
    const verify = { afterMs: 10_000, attempts: 3, commitment: { reportMs: 600_000 } };
    await using open = await Stage.open(peer.port, {
      aeTitle: 'ORTHANC',
      verify,
      timeouts: DEFAULT_TIMEOUTS,
    });
    stage = open;
    await queueReport(open.rig, 1, 'positive');
    await open.run(5_000);
    expect(open.states()).toEqual({ stored: 2 });
    const [id] = (await (await peer.get('/instances')).json()) as string[];
    expect((await peer.delete(`/instances/${id}`)).status).toBe(200);
    await open.run();
    expect(open.states()).toEqual({ delivered: 2 });
    expect(await (await peer.get('/instances')).json()).toHaveLength(2);
    const looks = open.rig.rows('SELECT looks, attempts FROM delivery ORDER BY looks');
    expect(looks).toEqual([
      { looks: 0, attempts: 1 },
      { looks: 1, attempts: 2 },
    ]);
  });

  it('gets a report again that somebody deleted there before it was proven', async () => {
    await using folder = await temporaryFolder();
    await using peer = await startOrthanc(folder.path);
    const verify = { afterMs: 10_000, attempts: 3 };
    await using stage = await Stage.open(peer.port, {
      aeTitle: 'ORTHANC',
      verify,
      timeouts: DEFAULT_TIMEOUTS,
    });
    await queueReport(stage.rig, 1, 'positive');
    await stage.run(5_000);
    expect(stage.states()).toEqual({ stored: 2 });
    const [id] = (await (await peer.get('/instances')).json()) as string[];
    expect((await peer.delete(`/instances/${id}`)).status).toBe(200);
    await stage.run();
    expect(stage.states()).toEqual({ delivered: 2 });
    expect(await (await peer.get('/instances')).json()).toHaveLength(2);
    const looks = stage.rig.rows('SELECT looks, attempts FROM delivery ORDER BY looks');
    expect(looks).toEqual([
      { looks: 0, attempts: 1 },
      { looks: 1, attempts: 2 },
    ]);
  });

  it('takes the simulated scanner over several associations', async () => {
    await using folder = await temporaryFolder();
    await using peer = await startOrthanc(folder.path);
    const { images, localizer } = headPhantomStudy({ seed: 12 });
    const target = { host: '127.0.0.1', port: peer.port, calledAeTitle: 'ORTHANC' };
    const files = [localizer, ...images].map(({ part10 }) => part10);
    const acknowledged = await scan({ ...target, associations: 4 }, files);
    expect(acknowledged.every(({ status }) => status === 0)).toBe(true);
    expect(await (await peer.get('/series')).json()).toHaveLength(2);
  });

  it('gets an echo under its AE title, and the reason under another', async () => {
    await using folder = await temporaryFolder();
    await using peer = await startOrthanc(folder.path);
    expect((await echo(peerOf(peer.port))).roundTripMs).toBeGreaterThan(0);
    await expect(echo(peerOf(peer.port, 'OTHER'))).rejects.toMatchObject({
      code: 'association-rejected',
      message: expect.stringContaining('called AE title not recognized'),
    });
  });
});
