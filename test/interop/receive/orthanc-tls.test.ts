import { expect, it } from 'vitest';
import { echo } from '../../../src/deliver/echo-scu.js';
import { sendObjects } from '../../../src/deliver/store-scu.js';
import { encodeFileMeta } from '../../../src/dicom/file-meta.js';
import { readCredentials } from '../../../src/tls/credentials.js';
import { TestAuthority } from '../../fixtures/certificates.js';
import { temporaryFolder, writeObject } from '../../integration/deliver/objects.js';
import { CT, EXPLICIT } from '../../integration/receive/raw-scu.js';
import { ReceiveRig, slice } from '../../integration/receive/receive-rig.js';
import { startOrthanc } from '../servers.js';
import { requireTools } from '../tools.js';

it.runIf(requireTools('Orthanc', 'openssl'))(
  'Orthanc sends to Vigil and takes from it over TLS, with certificates on both sides',
  async () => {
    await using folder = await temporaryFolder();
    await using authority = await TestAuthority.create();
    await using stranger = await TestAuthority.create('Another CA');
    const vigil = await authority.credentials({ name: 'vigil' });
    const orthanc = await authority.issue({ name: 'orthanc' });
    await using rig = await ReceiveRig.start({
      port: 'off',
      access: [
        { callingAeTitle: 'ORTHANC', from: ['127.0.0.1'], certificate: ['orthanc'], users: 'any' },
      ],
      tls: {
        host: '127.0.0.1',
        port: 0,
        clientCertificate: 'required',
        credentials: () => vigil,
      },
    });
    const security = {
      DicomTlsEnabled: true,
      DicomTlsCertificate: orthanc.certificate,
      DicomTlsPrivateKey: orthanc.key,
      DicomTlsTrustedCertificates: orthanc.authorities,
      DicomTlsRemoteCertificateRequired: true,
      DicomModalities: {
        vigil: { AET: 'VIGIL', Host: '127.0.0.1', Port: rig.scp.tlsPort, UseDicomTls: true },
      },
    };
    await using pacs = await startOrthanc(folder.path, {}, security);

    expect((await pacs.post('/modalities/vigil/echo', '{}')).status).toBe(200);
    const instance = { sopClassUid: CT, sopInstanceUid: '1.2.3.4.5', transferSyntaxUid: EXPLICIT };
    const part10 = Buffer.concat([encodeFileMeta(instance), slice('1.2.3.4.5')]);
    const posted = await pacs.post('/instances', part10);
    const { ID } = (await posted.json()) as { ID: string };
    const received = rig.told('received');
    expect((await pacs.post('/modalities/vigil/store', ID)).status).toBe(200);
    expect((await received)[0].header.sopInstanceUid).toBe('1.2.3.4.5');

    const own = await readCredentials(await authority.issue({ name: 'ct1' }), Date.now());
    const peer = { aeTitle: 'ORTHANC', callingAeTitle: 'VIGIL', host: '127.0.0.1' };
    const over = (credentials: typeof own) => ({
      ...peer,
      port: pacs.port,
      tls: { credentials: () => credentials, serverName: '127.0.0.1' },
    });
    const object = await writeObject(folder.path, 1);
    const results = await sendObjects(over(own), [object]);
    expect(results).toEqual([{ type: 'stored', status: 0 }]);
    const stored = (await (await pacs.get('/instances?expand')).json()) as {
      MainDicomTags: { SOPInstanceUID: string };
    }[];
    expect(stored.map(({ MainDicomTags }) => MainDicomTags.SOPInstanceUID)).toContain(
      object.sopInstanceUid,
    );

    const unknown = { ...(await stranger.credentials({ name: 'ct9' })), ca: own.ca };
    await expect(echo(over(unknown))).rejects.toMatchObject({ failureClass: 'transient' });
    await expect(echo({ ...peer, port: pacs.port })).rejects.toThrow();
  },
  120_000,
);
