import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { runEcho } from '../../../src/commands/echo.js';
import { runSend } from '../../../src/commands/send.js';
import { type PacsOptions, SimulatedPacs } from '../../../src/simulate/pacs.js';
import { COMPREHENSIVE_3D_SR, temporaryFolder, writeObject } from './objects.js';

let out: string[];
let err: string[];

beforeEach(() => {
  out = [];
  err = [];
  vi.spyOn(console, 'log').mockImplementation((line: string) => out.push(line));
  vi.spyOn(console, 'error').mockImplementation((line: string) => err.push(line));
});

afterEach(() => {
  vi.restoreAllMocks();
});

async function startPacs(
  folder: string,
  options: Partial<PacsOptions> = {},
): Promise<SimulatedPacs> {
  const pacs = new SimulatedPacs({ folder: join(folder, 'pacs'), aeTitle: 'PACS', ...options });
  await pacs.start();
  return pacs;
}

/** Two objects, one of them deeper, beside what is no DICOM. */
async function mixedFolder(folder: string): Promise<string> {
  const path = join(folder, 'study');
  await mkdir(join(path, 'series'), { recursive: true });
  await writeObject(path, 1);
  await writeObject(join(path, 'series'), 2, { sopClassUid: COMPREHENSIVE_3D_SR });
  await writeFile(join(path, 'README'), 'no DICOM');
  await writeFile(join(path, 'empty'), '');
  return path;
}

describe('vigil send', () => {
  it.each([1, 2])(
    'sends what is DICOM in folders at any depth, over %i associations',
    async (n) => {
      await using folder = await temporaryFolder();
      await using pacs = await startPacs(folder.path);
      const paths = [await mixedFolder(folder.path)];
      const to = `PACS@127.0.0.1:${pacs.port}`;
      expect(await runSend({ paths, to, calling: 'CT1', associations: n, json: true })).toBe(0);
      expect(JSON.parse(out[0] ?? '')).toMatchObject({
        ok: true,
        stored: 2,
        failed: 0,
        skipped: 2,
      });
      expect(pacs.received.map((object) => object.callingAeTitle)).toEqual(['CT1', 'CT1']);
    },
  );

  it('fails when any object was refused, and says which and why', async () => {
    await using folder = await temporaryFolder();
    await using pacs = await startPacs(folder.path, { refusedSopClasses: [COMPREHENSIVE_3D_SR] });
    const paths = [await mixedFolder(folder.path)];
    const to = `PACS@127.0.0.1:${pacs.port}`;
    expect(await runSend({ paths, to, json: false })).toBe(1);
    expect(out[0]).toMatch(/^1 of 2 objects stored .*; 2 files are no DICOM$/);
    expect(err.join()).toMatch(/2\.dcm {2}sop-class-not-accepted/);
    expect(await runSend({ paths, to, json: true })).toBe(1);
    expect(JSON.parse(out[1] ?? '').failures).toMatchObject([{ code: 'sop-class-not-accepted' }]);
  });

  it('tells a wrong command line from a failed transfer', async () => {
    await using folder = await temporaryFolder();
    const paths = [folder.path];
    expect(await runSend({ paths, to: 'nobody', json: false })).toBe(2);
    expect(await runSend({ paths, to: 'PACS@127.0.0.1:104', json: false })).toBe(2);
    const missing = [join(folder.path, 'missing')];
    expect(await runSend({ paths: missing, to: 'PACS@127.0.0.1:104', json: false })).toBe(2);
  });
});

describe('vigil echo', () => {
  it('ends with what the peer said', async () => {
    await using folder = await temporaryFolder();
    await using pacs = await startPacs(folder.path);
    expect(await runEcho({ config: 'none', to: `PACS@127.0.0.1:${pacs.port}`, json: true })).toBe(
      0,
    );
    expect(JSON.parse(out[0] ?? '')).toMatchObject({ ok: true });
    expect(await runEcho({ config: 'none', to: `OTHER@127.0.0.1:${pacs.port}`, json: false })).toBe(
      1,
    );
    expect(err[0]).toContain('called AE title not recognized');
    expect(await runEcho({ config: 'none', to: 'PACS', json: false })).toBe(2);
  });
});
