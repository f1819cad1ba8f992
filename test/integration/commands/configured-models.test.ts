import { cp, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/config/problems.js';
import { checkText } from '../../../src/config-check.js';

const MODEL = resolve('models/vigil-ich-small');

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vigil-models-'));
});
afterEach(() => rm(folder, { recursive: true }));

const check = (inference: string) =>
  checkText(`inference: { ${inference} }\n`, join(folder, 'vigil.yaml'), {});

async function problemsOf(inference: string) {
  const failure = await check(inference).then(
    () => undefined,
    (error: unknown) => error,
  );
  return failure instanceof ConfigError ? failure.problems : [];
}

describe('a check of the configuration', () => {
  it('accepts packages that are there', async () => {
    await expect(
      check(`model: ${MODEL}, prevalence: 0.1, secondReaders: { c: { model: ${MODEL} } }`),
    ).resolves.toBeDefined();
  });

  it('names every package and calibration that the next start would not find', async () => {
    const text =
      'model: ./nowhere, secondReaders: { one: { model: ./nothing }, two: { model: vigil-ich-small, calibration: ./none.json } }';
    expect(await problemsOf(text)).toMatchObject([
      { path: 'inference.model', message: expect.stringContaining('no readable manifest.json') },
      { path: 'inference.secondReaders.one.model', message: expect.stringContaining('nothing') },
      {
        path: 'inference.secondReaders.two.calibration',
        message: expect.stringContaining('none.json'),
      },
    ]);
  });

  it('names a calibration that is none, a key that signed nothing, and a package without a file', async () => {
    await writeFile(join(folder, 'site.json'), '{}');
    expect(await problemsOf('calibration: ./site.json')).toMatchObject([
      { path: 'inference.calibration' },
    ]);
    expect(await problemsOf('signedBy: [./missing.pem]')).toMatchObject([
      { path: 'inference.signedBy' },
    ]);
    await cp(MODEL, join(folder, 'copy'), { recursive: true });
    await rm(join(folder, 'copy', 'cnn.onnx'));
    expect(await problemsOf('model: ./copy')).toMatchObject([
      { path: 'inference.model', message: expect.stringContaining('cnn.onnx') },
    ]);
    await truncate(join(folder, 'copy', 'manifest.json'), 10);
    expect(await problemsOf('model: ./copy')).toMatchObject([{ path: 'inference.model' }]);
  });
});
