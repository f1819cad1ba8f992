import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SimulatedPacs } from '../../../src/simulate/pacs.js';
import { scan } from '../../../src/simulate/scanner.js';
import { JPEG_LOSSLESS, temporaryFolder, writeObject } from '../deliver/objects.js';

async function part10Files(folder: string, count: number): Promise<Buffer[]> {
  const files: Buffer[] = [];
  for (let i = 0; i < count; i += 1) {
    const transferSyntaxUid = i === 0 ? JPEG_LOSSLESS : undefined;
    const overrides = { size: 2000, ...(transferSyntaxUid && { transferSyntaxUid }) };
    files.push(await readFile((await writeObject(folder, i, overrides)).file));
  }
  return files;
}

describe('scan', () => {
  it.each([1, 3])('sends every image as it is over %i associations', async (associations) => {
    await using folder = await temporaryFolder();
    await using pacs = new SimulatedPacs({ folder: join(folder.path, 'pacs') });
    await pacs.start();
    let opened = 0;
    pacs.on('association', () => {
      opened += 1;
    });
    const files = await part10Files(folder.path, 10);
    const target = { host: '127.0.0.1', port: pacs.port, calledAeTitle: 'PACS', associations };
    const acknowledged = await scan(target, files);
    expect(acknowledged.map((a) => a.status)).toEqual(new Array(10).fill(0));
    expect(opened).toBe(associations);
    const received = await Promise.all(pacs.received.map(({ file }) => readFile(file)));
    const datasets = new Set(received.map((bytes) => bytes.subarray(-2400).toString('latin1')));
    for (const file of files) expect(datasets).toContain(file.subarray(-2400).toString('latin1'));
  });

  it('keeps its pace', async () => {
    await using folder = await temporaryFolder();
    await using pacs = new SimulatedPacs({ folder: join(folder.path, 'pacs') });
    await pacs.start();
    const files = await part10Files(folder.path, 5);
    const target = { host: '127.0.0.1', port: pacs.port, calledAeTitle: 'PACS' };
    const begin = Date.now();
    await scan({ ...target, imagesPerSecond: 20 }, files);
    expect(Date.now() - begin).toBeGreaterThanOrEqual(195);
  });

  it('says what the node took before it failed', async () => {
    await using folder = await temporaryFolder();
    let count = 0;
    await using pacs = new SimulatedPacs({
      folder: join(folder.path, 'pacs'),
      answer: () => (++count > 2 ? 'drop-connection' : undefined),
    });
    await pacs.start();
    const files = await part10Files(folder.path, 4);
    const target = { host: '127.0.0.1', port: pacs.port, calledAeTitle: 'PACS' };
    await expect(scan(target, files)).rejects.toMatchObject({
      name: 'ScannerError',
      acknowledged: [{ status: 0 }, { status: 0 }],
    });
  });

  it('fails where it is rejected', async () => {
    await using folder = await temporaryFolder();
    await using pacs = new SimulatedPacs({ folder: join(folder.path, 'pacs'), aeTitle: 'OTHER' });
    await pacs.start();
    const files = await part10Files(folder.path, 1);
    const target = { host: '127.0.0.1', port: pacs.port, calledAeTitle: 'PACS' };
    await expect(scan(target, files)).rejects.toMatchObject({ code: 'association-rejected' });
  });
});
