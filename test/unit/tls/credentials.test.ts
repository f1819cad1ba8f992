import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readCredentials, type TlsFiles } from '../../../src/tls/credentials.js';
import { TestAuthority, type TestFiles } from '../../fixtures/certificates.js';
import { requireTools } from '../../interop/tools.js';

const DAY = 24 * 60 * 60 * 1000;

describe.runIf(requireTools('openssl'))('TLS files', () => {
  let authority: TestAuthority;
  let good: TestFiles;

  beforeAll(async () => {
    authority = await TestAuthority.create();
    good = await authority.issue({ name: 'good', days: 10 });
  });

  afterAll(() => authority[Symbol.asyncDispose]());

  const read = (files: Partial<TlsFiles>, now = Date.now()) =>
    readCredentials({ ...good, ...files }, now);

  it('are read, with the day when the first of them expires', async () => {
    const { expiresAt } = await read({});
    const days = (expiresAt - Date.now()) / DAY;
    expect(days).toBeGreaterThan(9.9);
    expect(days).toBeLessThanOrEqual(10);
  });

  it.each([
    ['is missing', 'unreadable', 'certificate', () => ({ certificate: '/nowhere/vigil.crt' })],
    ['is no certificate', 'no-pem', 'authorities', () => ({ authorities: good.key })],
    ['is no key', 'no-pem', 'key', () => ({ key: good.certificate })],
    [
      'is the key of another',
      'key-mismatch',
      'key',
      () => ({ key: join(authority.folder, 'ca.key') }),
    ],
  ])('say when one %s', async (_, code, key, files) => {
    await expect(read(files())).rejects.toMatchObject({ code, key });
  });

  it('say when a key needs a passphrase', async () => {
    const key = join(authority.folder, 'secret.key');
    await writeFile(
      key,
      '-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIH0\n-----END ENCRYPTED PRIVATE KEY-----\n',
    );
    await expect(read({ key })).rejects.toThrow(/is encrypted/);
  });

  it('say when a certificate is damaged', async () => {
    const certificate = join(authority.folder, 'damaged.crt');
    const text = await readFile(good.certificate, 'utf8');
    await writeFile(certificate, text.replace(/\n[A-Za-z0-9+/]{20}/, '\nAAAAAAAAAAAAAAAAAAAA'));
    await expect(read({ certificate })).rejects.toMatchObject({ key: 'certificate' });
  });

  it('say when a certificate has expired, or is not valid yet', async () => {
    await expect(read({}, Date.now() + 11 * DAY)).rejects.toMatchObject({ code: 'expired' });
    await expect(read({}, Date.now() - DAY)).rejects.toMatchObject({ code: 'not-yet-valid' });
  });
});
