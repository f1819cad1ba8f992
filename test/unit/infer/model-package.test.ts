import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openModelPackage } from '../../../src/infer/model-package.js';

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
    const { identity, manifest } = await openModelPackage(folder);
    expect(identity).toMatchObject({ name: 'vigil-ich-small', version: manifest.version });
    expect(identity.hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is refused where a file was changed', async () => {
    await writeFile(join(folder, 'cam.onnx'), 'x');
    await expect(openModelPackage(folder)).rejects.toMatchObject({
      code: 'hash-mismatch',
      message: expect.stringContaining('cam.onnx'),
    });
  });

  it('is refused where a file is missing', async () => {
    await rm(join(folder, 'cam.onnx'));
    await expect(openModelPackage(folder)).rejects.toMatchObject({ code: 'file-unreadable' });
  });

  it('is refused without a manifest', async () => {
    await rm(join(folder, 'manifest.json'));
    await expect(openModelPackage(folder)).rejects.toMatchObject({ code: 'manifest-unreadable' });
  });

  it('is refused with a manifest that is not JSON', async () => {
    await writeFile(join(folder, 'manifest.json'), '{');
    await expect(openModelPackage(folder)).rejects.toMatchObject({ code: 'manifest-invalid' });
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
    await expect(openModelPackage(folder)).rejects.toMatchObject({
      code: 'manifest-invalid',
      message: expect.stringContaining(path),
    });
  });
});
