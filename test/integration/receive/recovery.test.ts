import { mkdtemp, open, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readHeader } from '../../../src/dicom/header.js';
import { openCatalog } from '../../../src/store/database.js';
import { Ingest } from '../../../src/store/ingest.js';
import { InstanceFiles, type RecoveredInstance } from '../../../src/store/instance-files.js';
import { CT, EXPLICIT } from './raw-scu.js';
import { silent, slice } from './receive-rig.js';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vigil-files-'));
});

afterEach(() => rm(folder, { recursive: true }));

const openFiles = () => InstanceFiles.open(folder, { minimumFreeBytes: 0, log: silent });

const sender = { associationId: 42, callingAeTitle: 'CT-1', calledAeTitle: 'VIGIL' };

/** Receives a slice up to its answer, as if the node ended right then. */
async function receive(files: InstanceFiles, sopInstanceUid: string, bytes: Buffer) {
  const incoming = files.create({
    sopClassUid: CT,
    sopInstanceUid,
    transferSyntaxUid: EXPLICIT,
    ...sender,
  });
  for (let start = 0; start < bytes.length; start += 65_536) {
    await incoming.write(bytes.subarray(start, start + 65_536));
  }
  return incoming.finish();
}

async function recovered(): Promise<RecoveredInstance[]> {
  await using files = await openFiles();
  const found: RecoveredInstance[] = [];
  for await (const instance of files.recover()) found.push(instance);
  return found;
}

describe('recovery of the incoming folder', () => {
  it.each([2048, 900_000, 5_000_000])(
    'finds a whole instance of %i pixel bytes',
    async (length) => {
      const bytes = slice('1.2.3.4.5', length);
      await using files = await openFiles();
      const finished = await receive(files, '1.2.3.4.5', bytes);
      expect(await recovered()).toEqual([
        { ...sender, ...finished, header: readHeader(bytes, EXPLICIT) },
      ]);
      const file = await readFile(finished.file);
      expect(file.subarray(-bytes.length).equals(bytes)).toBe(true);
    },
  );

  it('finds them in the order in which they came', async () => {
    await using files = await openFiles();
    for (let i = 1; i <= 12; i += 1) await receive(files, `1.${i}`, slice(`1.${i}`));
    const uids = (await recovered()).map(({ header }) => header.sopInstanceUid);
    expect(uids).toEqual(Array.from({ length: 12 }, (_, i) => `1.${i + 1}`));
  });

  it('removes what was not received whole', async () => {
    await using files = await openFiles();
    const begun = files.create({
      sopClassUid: CT,
      sopInstanceUid: '1.1',
      transferSyntaxUid: EXPLICIT,
      ...sender,
    });
    for (let i = 0; i < 40; i += 1) await begun.write(Buffer.alloc(65_536));
    const truncated = await receive(files, '1.2', slice('1.2'));
    await truncate(truncated.file, (await stat(truncated.file)).size - 1);
    const corrupt = await receive(files, '1.3', slice('1.3'));
    const handle = await open(corrupt.file, 'r+');
    await handle.write(Buffer.from([0xaa]), 0, 1, (await handle.stat()).size - 10);
    await handle.close();
    await writeFile(join(folder, 'incoming', 'empty.dcm'), '');
    const whole = await receive(files, '1.4', slice('1.4'));
    expect((await recovered()).map(({ file }) => file)).toEqual([whole.file]);
    expect(await readdir(join(folder, 'incoming'))).toHaveLength(1);
    await begun.discard();
  });

  it('ends with each instance in its place, once, with its row', async () => {
    await using files = await openFiles();
    const catalogFile = join(folder, 'catalog.db');
    const ingestOf = () =>
      new Ingest({ catalog: openCatalog(catalogFile), files, onCommit: () => {}, log: silent });
    const first = ingestOf();
    const bytes = slice('1.2.3.4.5');
    const header = readHeader(bytes, EXPLICIT);
    first.associationOpened({ ...sender, remoteAddress: '10.0.0.1', openedAt: 0 });
    first.accept({ ...sender, ...(await receive(files, '1.2.3.4.5', bytes)), header });
    first.flush();
    await receive(files, '1.2.3.4.5', bytes);
    await receive(files, '1.2.3.4.6', slice('1.2.3.4.6'));

    const second = ingestOf();
    for await (const instance of files.recover()) second.recover(instance);
    second.flush();
    expect(await readdir(join(folder, 'incoming'))).toEqual([]);
    const series = join(folder, 'instances', '1.2.3', '1.2.3.4');
    expect((await readdir(series)).sort()).toEqual(['1.2.3.4.5.dcm', '1.2.3.4.6.dcm']);
  });
});

describe('places', () => {
  const header = readHeader(slice('1.2.3.4.5'), EXPLICIT);

  it('are by study, series and instance', async () => {
    await using files = await openFiles();
    expect(files.instancePath(header)).toBe('instances/1.2.3/1.2.3.4/1.2.3.4.5.dcm');
    expect(files.conflictPath(header, 'ab'.repeat(32))).toBe(
      'conflicts/1.2.3.4.5.abababababababab.dcm',
    );
  });

  it('are taken once, and never by overwriting a file that is not in the catalog', async () => {
    await using files = await openFiles();
    const path = files.instancePath(header);
    const first = await receive(files, '1.2.3.4.5', slice('1.2.3.4.5'));
    files.place(first.file, path);
    files.place(first.file, path);
    const second = await receive(files, '1.2.3.4.5', slice('1.2.3.4.5', 4096));
    files.place(second.file, path);
    expect((await stat(join(folder, path))).size).toBeGreaterThan(4096);
    expect(await readdir(join(folder, 'conflicts'))).toHaveLength(1);
    expect(() =>
      files.place(join(folder, 'incoming', 'none.dcm'), 'instances/1/2/3.dcm'),
    ).toThrow();
  });
});

describe('an incoming file', () => {
  it('says that the storage failed where its folder is gone', async () => {
    await using files = await openFiles();
    await rm(join(folder, 'incoming'), { recursive: true });
    const incoming = files.create({
      sopClassUid: CT,
      sopInstanceUid: '1.1',
      transferSyntaxUid: EXPLICIT,
      ...sender,
    });
    for (let i = 0; i < 40; i += 1) await incoming.write(Buffer.alloc(65_536));
    await expect(incoming.finish()).rejects.toMatchObject({ code: 'storage-failed' });
    await incoming.discard();
  });

  it('is refused while free space is under the minimum', async () => {
    await using files = await InstanceFiles.open(folder, {
      minimumFreeBytes: Number.MAX_SAFE_INTEGER,
      log: silent,
    });
    expect(() =>
      files.create({
        sopClassUid: CT,
        sopInstanceUid: '1.1',
        transferSyntaxUid: EXPLICIT,
        ...sender,
      }),
    ).toThrow(expect.objectContaining({ code: 'storage-full' }));
    expect(await files.freeBytes()).toBeGreaterThan(0);
  });
});
