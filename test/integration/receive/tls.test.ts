import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Peer } from '../../../src/deliver/association.js';
import { echo } from '../../../src/deliver/echo-scu.js';
import type { Credentials } from '../../../src/tls/credentials.js';
import { TestAuthority } from '../../fixtures/certificates.js';
import { requireTools } from '../../interop/tools.js';
import { ReceiveRig } from './receive-rig.js';

let ours: TestAuthority;
let theirs: TestAuthority;
let server: Credentials;
let scanner: Credentials;

beforeAll(async () => {
  ours = await TestAuthority.create();
  theirs = await TestAuthority.create('Another CA');
  server = await ours.credentials({ name: 'vigil' });
  scanner = await ours.credentials({ name: 'ct1' });
});

afterAll(async () => {
  await ours[Symbol.asyncDispose]();
  await theirs[Symbol.asyncDispose]();
});

const listener = (
  more: { clientCertificate?: 'optional'; credentials?: () => Credentials } = {},
) => ({
  host: '127.0.0.1',
  port: 0,
  clientCertificate: 'required' as const,
  credentials: () => server,
  ...more,
});

const peer = (port: number, credentials?: Credentials, serverName = '127.0.0.1'): Peer => ({
  aeTitle: 'VIGIL',
  host: '127.0.0.1',
  port,
  callingAeTitle: 'CT1',
  ...(credentials && { tls: { credentials: () => credentials, serverName } }),
});

const openssl = requireTools('openssl');

describe.runIf(openssl)('DICOM over TLS', () => {
  it('verifies with certificates on both sides, beside plain DICOM', async () => {
    await using rig = await ReceiveRig.start({ tls: listener() });
    await expect(echo(peer(rig.scp.tlsPort, scanner))).resolves.toBeDefined();
    await expect(echo(peer(rig.port))).resolves.toBeDefined();
  });

  it('can be all there is', async () => {
    await using rig = await ReceiveRig.start({ port: 'off', tls: listener() });
    expect(rig.port).toBe(0);
    expect(rig.scp.isListening).toBe(true);
    await expect(echo(peer(rig.scp.tlsPort, scanner))).resolves.toBeDefined();
  });

  it('takes a sender without a certificate only where that is optional', async () => {
    const { ca, expiresAt } = scanner;
    const bare = { ca, expiresAt };
    await using strict = await ReceiveRig.start({ tls: listener() });
    const refused = strict.told('connectionRefused');
    await expect(echo(peer(strict.scp.tlsPort, bare))).rejects.toMatchObject({
      code: 'connection-lost',
    });
    await expect(refused).resolves.toMatchObject([{ code: 'no-certificate' }]);
    await using lenient = await ReceiveRig.start({
      tls: listener({ clientCertificate: 'optional' }),
    });
    await expect(echo(peer(lenient.scp.tlsPort, bare))).resolves.toBeDefined();
  });

  it.each(['required', 'optional'] as const)(
    'names what is wrong with a certificate that is %s',
    async (clientCertificate) => {
      await using rig = await ReceiveRig.start({ tls: { ...listener(), clientCertificate } });
      const old = await ours.credentials({ name: 'old', days: -1 });
      const stranger = { ...(await theirs.credentials({ name: 'stranger' })), ca: scanner.ca };
      for (const [credentials, code] of [
        [old, 'certificate-expired'],
        [stranger, 'certificate-authority-unknown'],
      ] as const) {
        const refused = rig.told('connectionRefused');
        await expect(echo(peer(rig.scp.tlsPort, credentials))).rejects.toThrow();
        await expect(refused).resolves.toMatchObject([{ code }]);
      }
    },
  );

  it('takes other credentials for the connections that come', async () => {
    let current = server;
    await using rig = await ReceiveRig.start({ tls: listener({ credentials: () => current }) });
    current = { ...(await theirs.credentials({ name: 'renewed' })), ca: scanner.ca };
    rig.scp.credentialsChanged();
    await expect(echo(peer(rig.scp.tlsPort, scanner))).rejects.toMatchObject({
      code: 'certificate-authority-unknown',
    });
    const { ca } = await theirs.credentials({ name: 'again' });
    await expect(echo(peer(rig.scp.tlsPort, { ...scanner, ca }))).resolves.toBeDefined();
  });

  it('ends a connection within its handshake when it stops', async () => {
    const rig = await ReceiveRig.start({ tls: listener() });
    const socket = connect(rig.scp.tlsPort, '127.0.0.1');
    socket.on('error', () => {}).resume();
    await once(socket, 'connect');
    const closed = once(socket, 'close');
    await rig[Symbol.asyncDispose]();
    await closed;
  });
});

describe.runIf(openssl)('the wrong port', () => {
  it('is named where a plain peer calls the TLS port', async () => {
    await using rig = await ReceiveRig.start({ tls: listener() });
    const refused = rig.told('connectionRefused');
    await expect(echo(peer(rig.scp.tlsPort))).rejects.toThrow(/it may expect TLS/);
    await expect(refused).resolves.toMatchObject([{ code: 'peer-without-tls' }]);
  });

  it('is named where a TLS peer calls the plain port', async () => {
    await using rig = await ReceiveRig.start();
    const refused = rig.told('connectionRefused');
    await expect(echo(peer(rig.port, scanner))).rejects.toMatchObject({ code: 'peer-without-tls' });
    await expect(refused).resolves.toMatchObject([{ code: 'tls-on-plain-port' }]);
  });

  it('is named where a TLS server answers our plain request with an alert', async () => {
    const alerting = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', () => socket.end(Buffer.from([0x15, 3, 1, 0, 2, 2, 70])));
    }).listen(0, '127.0.0.1');
    await once(alerting, 'listening');
    const { port } = alerting.address() as AddressInfo;
    await expect(echo(peer(port))).rejects.toMatchObject({ code: 'peer-expects-tls' });
    alerting.close();
  });
});

describe.runIf(openssl)("a peer's certificate", () => {
  it.each([
    ['of an unknown authority', 'certificate-authority-unknown'],
    ['of another name', 'certificate-wrong-name'],
    ['that has expired', 'certificate-expired'],
  ])('%s gets no byte of ours', async (kind, code) => {
    const credentials =
      kind === 'of an unknown authority'
        ? await theirs.credentials({ name: 'far' })
        : await ours.credentials({ name: 'near', days: kind === 'that has expired' ? -1 : 30 });
    const name = kind === 'of another name' ? 'pacs.example' : '127.0.0.1';
    let bytes = 0;
    const pacs = createTlsServer({ cert: credentials.cert, key: credentials.key }, (socket) => {
      socket.on('error', () => {});
      socket.on('data', (chunk) => {
        bytes += chunk.length;
      });
    }).listen(0, '127.0.0.1');
    await once(pacs, 'listening');
    const { port } = pacs.address() as AddressInfo;
    await expect(echo(peer(port, scanner, name))).rejects.toMatchObject({ code });
    const closed = once(pacs, 'close');
    pacs.close();
    await closed;
    expect(bytes).toBe(0);
  });

  it('may have a name that is not the host', async () => {
    server = await ours.credentials({ name: 'vigil', alternative: 'DNS:vigil.hospital.example' });
    await using rig = await ReceiveRig.start({ tls: listener() });
    await expect(
      echo(peer(rig.scp.tlsPort, scanner, 'vigil.hospital.example')),
    ).resolves.toBeDefined();
  });
});
