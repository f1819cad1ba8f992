import { EventEmitter, once } from 'node:events';
import { copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../../src/app.js';
import { echo } from '../../../src/deliver/echo-scu.js';
import type { Credentials } from '../../../src/tls/credentials.js';
import { type CertificateOptions, TestAuthority } from '../../fixtures/certificates.js';
import { requireTools } from '../../interop/tools.js';
import { settingsIn, startNode, temporaryFolder } from './node-rig.js';

const DAY = 24 * 60 * 60 * 1000;

interface LogLine {
  readonly msg: string;
  readonly use?: string;
  readonly code?: string;
  readonly reason?: string;
}

/** A node on a TLS port whose certificate lies in a folder of its own, and what it logs. */
async function start(authority: TestAuthority, certificate: CertificateOptions) {
  const folder = await temporaryFolder();
  const lines: LogLine[] = [];
  const told = new EventEmitter<Record<string, [LogLine]>>();
  const note = (line: LogLine): void => {
    lines.push(line);
    told.emit(line.msg, line);
  };
  /** As a tool for certificates does: one file after the other. */
  const put = async (options: CertificateOptions): Promise<void> => {
    const files = await authority.issue(options);
    await copyFile(files.certificate, join(folder.path, 'vigil.crt'));
    await copyFile(files.key, join(folder.path, 'vigil.key'));
  };
  await put(certificate);
  await copyFile(authority.certificate, join(folder.path, 'ca.crt'));
  const settings = settingsIn(
    folder.path,
    `receive:
  tls: { port: 0, certificate: ./vigil.crt, key: ./vigil.key, authorities: ./ca.crt }
`,
  );
  const log = pino({}, { write: (line) => note(JSON.parse(line) as LogLine) });
  const app = await startNode(settings, log);
  return {
    app,
    lines,
    put,
    folder: folder.path,
    /** Resolves to the next line with that message. */
    logged: async (message: string): Promise<LogLine> => (await once(told, message))[0] as LogLine,
    [Symbol.asyncDispose]: async () => {
      await app.stop();
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function metric(app: App, name: string): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${app.ports.admin}/metrics`);
  const line = new RegExp(`^vigil_${name}\\{use="receive.tls"\\} (.+)$`, 'm');
  return Number(line.exec(await answer.text())?.[1]);
}

describe.runIf(requireTools('openssl'))('the certificate of a running node', () => {
  let authority: TestAuthority;
  let scanner: Credentials;

  beforeAll(async () => {
    authority = await TestAuthority.create();
    scanner = await authority.credentials({ name: 'ct1' });
  });
  afterAll(() => authority[Symbol.asyncDispose]());

  const call = (app: App) =>
    echo({
      aeTitle: 'VIGIL',
      callingAeTitle: 'CT1',
      host: '127.0.0.1',
      port: app.ports.dicomTls,
      tls: { credentials: () => scanner, serverName: '127.0.0.1' },
    });

  /** Common Name of the certificate that the next connection is shown. */
  async function served(app: App): Promise<string> {
    const { ca, cert, key } = scanner;
    const own = cert && key ? { cert, key } : {};
    const socket = connect({ port: app.ports.dicomTls, host: '127.0.0.1', ca, ...own });
    await once(socket, 'secureConnect');
    const { subject } = socket.getPeerCertificate();
    socket.destroy();
    return String(subject.CN);
  }

  it('is the renewed one for the next association, while those that last go on', async () => {
    await using node = await start(authority, { name: 'first' });
    expect(await served(node.app)).toBe('first');
    const renewed = node.logged('TLS certificate in force');
    await node.put({ name: 'second' });
    expect(await renewed).toMatchObject({ use: 'receive.tls' });
    expect(await served(node.app)).toBe('second');
    await expect(call(node.app)).resolves.toBeDefined();
  });

  it('stays in force where its replacement is broken, which is said until it is mended', async () => {
    await using node = await start(authority, { name: 'sound' });
    const refused = node.logged('TLS certificate refused: the one before stays in force');
    await writeFile(join(node.folder, 'vigil.crt'), 'no certificate');
    expect(await refused).toMatchObject({
      use: 'receive.tls',
      code: 'no-pem',
      reason: expect.stringContaining('vigil.crt holds no certificate'),
    });
    expect(await served(node.app)).toBe('sound');
    await expect(call(node.app)).resolves.toBeDefined();
    expect(await metric(node.app, 'tls_certificate_refused')).toBe(1);
    expect((await node.app.health()).certificates).toMatchObject({
      ok: true,
      reason: expect.stringContaining('changed files refused'),
    });

    const mended = node.logged('TLS certificate in force');
    await node.put({ name: 'mended' });
    await mended;
    expect(await served(node.app)).toBe('mended');
    expect(await metric(node.app, 'tls_certificate_refused')).toBe(0);
    expect((await node.app.health()).certificates).toEqual({ ok: true });
  });

  it('stays in force where the key of another comes, and where one that has expired does', async () => {
    await using node = await start(authority, { name: 'kept' });
    const message = 'TLS certificate refused: the one before stays in force';
    const mismatch = node.logged(message);
    const { key } = await authority.issue({ name: 'other' });
    await copyFile(key, join(node.folder, 'vigil.key'));
    expect(await mismatch).toMatchObject({ code: 'key-mismatch' });
    const expired = node.logged(message);
    await node.put({ name: 'old', days: -1 });
    expect(await expired).toMatchObject({ code: expect.stringMatching(/expired|key-mismatch/) });
    expect(await served(node.app)).toBe('kept');
  });

  it('is warned of before it expires, and its day is a metric', async () => {
    await using node = await start(authority, { name: 'short', days: 10 });
    const warning = expect.stringMatching(/^a certificate expires in (9|10) days, on \d{4}-/);
    const text = (line: LogLine) => line.msg.replace(/^receive\.tls: /, '');
    const lines = node.lines.filter(({ use }) => use === 'receive.tls').map(text);
    expect(lines).toContainEqual(warning);
    const { ok, reason } = (await node.app.health()).certificates;
    expect(ok).toBe(true);
    expect(reason?.replace(/^receive\.tls: /, '')).toEqual(warning);
    const seconds = await metric(node.app, 'tls_certificate_expires_timestamp_seconds');
    const days = (seconds * 1000 - Date.now()) / DAY;
    expect(days).toBeGreaterThan(9);
    expect(days).toBeLessThanOrEqual(10);
  });

  it('is served though it has expired, where there is no other, and health fails', async () => {
    await using node = await start(authority, { name: 'expired', days: -1 });
    expect((await node.app.health()).certificates).toEqual({
      ok: false,
      reason: 'receive.tls: a certificate has expired',
    });
    await expect(call(node.app)).rejects.toMatchObject({ code: 'certificate-expired' });
    expect(await metric(node.app, 'tls_certificate_refused')).toBe(1);
  });
});
