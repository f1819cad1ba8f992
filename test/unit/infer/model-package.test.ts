import { execFileSync } from 'node:child_process';
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openModelPackage } from '../../../src/infer/model-package.js';
import { requireTools } from '../../interop/tools.js';

const shipped = fileURLToPath(new URL('../../../models/vigil-ich-small', import.meta.url));

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vigil-model-'));
  await cp(shipped, folder, { recursive: true });
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function editManifest(edit: (manifest: Record<string, unknown>) => void): Promise<void> {
  const file = join(folder, 'manifest.json');
  const manifest = JSON.parse(await readFile(file, 'utf8')) as Record<string, unknown>;
  edit(manifest);
  await writeFile(file, JSON.stringify(manifest));
}

describe('a model package', () => {
  it('is taken with its identity', async () => {
    const { identity, manifest } = await openModelPackage(folder, 'any');
    expect(identity).toMatchObject({ name: 'vigil-ich-small', version: manifest.version });
    expect(identity.hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is refused where a file was changed', async () => {
    await writeFile(join(folder, 'cam.onnx'), 'x');
    await expect(openModelPackage(folder, 'any')).rejects.toMatchObject({
      code: 'hash-mismatch',
      message: expect.stringContaining('cam.onnx'),
    });
  });

  it('is refused where a file is missing', async () => {
    await rm(join(folder, 'cam.onnx'));
    await expect(openModelPackage(folder, 'any')).rejects.toMatchObject({
      code: 'file-unreadable',
    });
  });

  it('is refused without a manifest', async () => {
    await rm(join(folder, 'manifest.json'));
    await expect(openModelPackage(folder, 'any')).rejects.toMatchObject({
      code: 'manifest-unreadable',
    });
  });

  it('is refused with a manifest that is not JSON', async () => {
    await writeFile(join(folder, 'manifest.json'), '{');
    await expect(openModelPackage(folder, 'any')).rejects.toMatchObject({
      code: 'manifest-invalid',
    });
  });

  it.each<[string, (manifest: Record<string, unknown>) => void, string]>([
    ['another schema', (m) => Object.assign(m, { schema: 2 }), 'schema'],
    ['classes in another order', (m) => (m['classes'] as string[]).reverse(), 'classes'],
    [
      'no calibration for a class',
      (m) => delete (m['decision'] as { calibration: Record<string, unknown> }).calibration['any'],
      'calibration',
    ],
    [
      'thresholds the wrong way round',
      (m) =>
        Object.assign((m['decision'] as { thresholds: { any: object } }).thresholds.any, {
          negativeBelow: 0.9,
          positiveFrom: 0.1,
        }),
      'thresholds',
    ],
    [
      'a graph that is not listed',
      (m) => delete (m['files'] as Record<string, unknown>)['cnn.onnx'],
      'files',
    ],
    [
      'a file outside its folder',
      (m) => Object.assign(m['files'] as object, { '../x': '0'.repeat(64) }),
      'files',
    ],
  ])('is refused with %s', async (_name, edit, path) => {
    await editManifest(edit);
    await expect(openModelPackage(folder, 'any')).rejects.toMatchObject({
      code: 'manifest-invalid',
      message: expect.stringContaining(path),
    });
  });
});

describe('a signed model package', () => {
  const ours = generateKeyPairSync('ed25519');
  const theirs = generateKeyPairSync('ed25519');

  async function keyFile(name: string, key: KeyObject): Promise<string> {
    const file = join(folder, name);
    await writeFile(file, key.export({ type: 'spki', format: 'pem' }));
    return file;
  }

  async function signedWith(key: KeyObject): Promise<void> {
    const manifest = await readFile(join(folder, 'manifest.json'));
    await writeFile(join(folder, 'manifest.sig'), sign(null, manifest, key));
  }

  it('is taken where one of the keys signed it', async () => {
    const keys = [await keyFile('a.pem', theirs.publicKey), await keyFile('b.pem', ours.publicKey)];
    await signedWith(ours.privateKey);
    await expect(openModelPackage(folder, keys)).resolves.toMatchObject({ folder });
  });

  it.runIf(requireTools('openssl'))('is taken with a signature that OpenSSL made', async () => {
    const privateKey = join(folder, 'key.pem');
    await writeFile(privateKey, ours.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const [manifest, signature] = [join(folder, 'manifest.json'), join(folder, 'manifest.sig')];
    const options = ['-inkey', privateKey, '-in', manifest, '-out', signature];
    execFileSync('openssl', ['pkeyutl', '-sign', '-rawin', ...options]);
    const keys = [await keyFile('ours.pem', ours.publicKey)];
    await expect(openModelPackage(folder, keys)).resolves.toMatchObject({ folder });
  });

  it('is refused with a signature by somebody else', async () => {
    await signedWith(theirs.privateKey);
    const keys = [await keyFile('ours.pem', ours.publicKey)];
    await expect(openModelPackage(folder, keys)).rejects.toMatchObject({ code: 'signature-wrong' });
  });

  it('is refused where the manifest was changed afterwards', async () => {
    await signedWith(ours.privateKey);
    await editManifest((manifest) => Object.assign(manifest, { version: '9.9.9' }));
    const keys = [await keyFile('ours.pem', ours.publicKey)];
    await expect(openModelPackage(folder, keys)).rejects.toMatchObject({ code: 'signature-wrong' });
  });

  it('is refused without a signature, and with a key that is none', async () => {
    const keys = [await keyFile('ours.pem', ours.publicKey)];
    await expect(openModelPackage(folder, keys)).rejects.toMatchObject({
      code: 'signature-missing',
      message: expect.stringContaining('manifest.sig'),
    });
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    for (const file of [await keyFile('rsa.pem', publicKey), join(folder, 'none.pem')]) {
      await expect(openModelPackage(folder, [file])).rejects.toMatchObject({
        code: 'key-unreadable',
        message: expect.stringContaining(file),
      });
    }
  });
});
