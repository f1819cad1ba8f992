import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Peer } from '../../../src/deliver/association.js';
import { echo } from '../../../src/deliver/echo-scu.js';
import { sendObjects } from '../../../src/deliver/store-scu.js';
import { encodeFileMeta } from '../../../src/dicom/file-meta.js';
import type { AccessRule } from '../../../src/receive/access.js';
import { type Credentials, readCredentials } from '../../../src/tls/credentials.js';
import { TestAuthority, type TestFiles } from '../../fixtures/certificates.js';
import { temporaryFolder, writeObject } from '../../integration/deliver/objects.js';
import { CT, EXPLICIT } from '../../integration/receive/raw-scu.js';
import { ReceiveRig, slice } from '../../integration/receive/receive-rig.js';
import { freePort, startServer } from '../servers.js';
import { requireTools } from '../tools.js';

const run = promisify(execFile);

describe.runIf(requireTools('echoscu', 'storescu', 'storescp', 'openssl'))('DCMTK over TLS', () => {
  let authority: TestAuthority;
  let vigil: Credentials;
  let scanner: TestFiles;

  beforeAll(async () => {
    authority = await TestAuthority.create();
    vigil = await authority.credentials({ name: 'vigil' });
    scanner = await authority.issue({ name: 'ct1' });
  });

  afterAll(() => authority[Symbol.asyncDispose]());

  const start = (access: 'any' | readonly AccessRule[] = 'any') =>
    ReceiveRig.start({
      access,
      tls: {
        host: '127.0.0.1',
        port: 0,
        clientCertificate: 'required',
        credentials: () => vigil,
      },
    });
  const withCertificate = () => [
    '+tls',
    scanner.key,
    scanner.certificate,
    '+cf',
    scanner.authorities,
  ];
  const call = (tool: string, port: number, tls: readonly string[], ...files: readonly string[]) =>
    run(tool, [...tls, '-aet', 'CT1', '127.0.0.1', String(port), ...files]);

  it('storescu sends with certificates on both sides', async () => {
    await using folder = await temporaryFolder();
    await using rig = await start();
    const instance = { sopClassUid: CT, sopInstanceUid: '1.2.3.4.5', transferSyntaxUid: EXPLICIT };
    const file = join(folder.path, 'slice.dcm');
    await writeFile(file, Buffer.concat([encodeFileMeta(instance), slice('1.2.3.4.5')]));
    const received = rig.told('received');
    await call('storescu', rig.scp.tlsPort, withCertificate(), file);
    expect((await received)[0].header.sopInstanceUid).toBe('1.2.3.4.5');
  });

  it('is refused without a certificate, and without TLS, by name', async () => {
    await using rig = await start();
    const anonymous = rig.told('connectionRefused');
    await expect(
      call('echoscu', rig.scp.tlsPort, ['+tla', '+cf', scanner.authorities]),
    ).rejects.toThrow();
    expect(await anonymous).toMatchObject([{ code: 'no-certificate' }]);
    const plain = rig.told('connectionRefused');
    await expect(call('echoscu', rig.scp.tlsPort, [])).rejects.toThrow();
    expect(await plain).toMatchObject([{ code: 'peer-without-tls' }]);
    const wrongPort = rig.told('connectionRefused');
    await expect(call('echoscu', rig.port, withCertificate())).rejects.toThrow();
    expect(await wrongPort).toMatchObject([{ code: 'tls-on-plain-port' }]);
  });

  it('gets in where its certificate fits the rule of its AE title, and is told where not', async () => {
    const rule = { callingAeTitle: 'CT1', from: ['127.0.0.0/8'], users: 'any' };
    await using open = await start([{ ...rule, certificate: ['ct1'] }]);
    await call('echoscu', open.scp.tlsPort, withCertificate());
    await using closed = await start([{ ...rule, certificate: ['ct2'] }]);
    for (const [port, tls] of [
      [closed.scp.tlsPort, withCertificate()],
      [closed.port, []],
    ] as const) {
      const rejected = closed.told('rejected');
      await expect(call('echoscu', port, tls)).rejects.toMatchObject({
        stderr: expect.stringContaining('Rejected Permanent'),
      });
      expect((await rejected)[0].because).toMatch(/^certificate fits no rule/);
    }
  });

  it('storescp gets objects with certificates on both sides', async () => {
    await using folder = await temporaryFolder();
    const port = await freePort();
    const out = join(folder.path, 'out');
    await mkdir(out);
    const pacs = await authority.issue({ name: 'pacs' });
    const security = ['+tls', pacs.key, pacs.certificate, '+cf', pacs.authorities];
    await using _server = await startServer(
      'storescp',
      [...security, '-od', out, String(port)],
      port,
    );
    const credentials = await readCredentials(scanner, Date.now());
    const peer: Peer = {
      aeTitle: 'PACS',
      callingAeTitle: 'VIGIL',
      host: '127.0.0.1',
      port,
      tls: { credentials: () => credentials, serverName: '127.0.0.1' },
    };
    const results = await sendObjects(peer, [await writeObject(folder.path, 1)]);
    expect(results).toEqual([{ type: 'stored', status: 0 }]);
    expect(await readdir(out)).toHaveLength(1);
  });
});

describe.runIf(requireTools('openssl'))('a TLS server with many names', () => {
  it('is told the one that is called', async () => {
    await using authority = await TestAuthority.create();
    const name = 'pacs.hospital.example';
    const {
      cert = '',
      key = '',
      ...rest
    } = await authority.credentials({ name, alternative: `DNS:${name}` });
    const server = createServer({ cert, key }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const connected = once(server, 'secureConnection');
    const peer = { aeTitle: 'PACS', callingAeTitle: 'VIGIL', host: '127.0.0.1', port };
    const called = echo({ ...peer, tls: { credentials: () => rest, serverName: name } });
    const [socket] = await connected;
    expect(socket.servername).toBe(name);
    socket.destroy();
    await expect(called).rejects.toThrow();
    server.close();
  });
});
