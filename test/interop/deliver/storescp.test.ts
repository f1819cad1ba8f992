import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Peer } from '../../../src/deliver/association.js';
import { echo } from '../../../src/deliver/echo-scu.js';
import { sendObjects } from '../../../src/deliver/store-scu.js';
import { readFileMeta } from '../../../src/dicom/file-meta.js';
import {
  COMPREHENSIVE_3D_SR,
  IMPLICIT_LITTLE,
  JPEG_LOSSLESS,
  temporaryFolder,
  writeObject,
} from '../../integration/deliver/objects.js';
import { freePort, startServer } from '../servers.js';
import { requireTools } from '../tools.js';

/** A SOP class that storescp does not know. */
const PRIVATE_SOP_CLASS = '1.2.840.113619.4.30';

function peerOf(port: number): Peer {
  return { aeTitle: 'STORESCP', callingAeTitle: 'VIGIL', host: '127.0.0.1', port };
}

/** storescp that writes datasets as it reads them into a folder. */
async function storescp(folder: string, ...options: string[]) {
  const output = join(folder, 'received');
  await mkdir(output);
  const port = await freePort();
  const args = ['--bit-preserving', '--output-directory', output, ...options, String(port)];
  const server = await startServer('storescp', args, port);
  return { port, output, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

describe.runIf(requireTools('storescp'))('sending to DCMTK storescp', () => {
  it('delivers datasets byte for byte in any transfer syntax', async () => {
    await using folder = await temporaryFolder();
    await using peer = await storescp(folder.path, '--accept-all');
    const objects = [
      await writeObject(folder.path, 1, { sopClassUid: COMPREHENSIVE_3D_SR }),
      await writeObject(folder.path, 2, { size: 900_000 }),
      await writeObject(folder.path, 3, { transferSyntaxUid: JPEG_LOSSLESS }),
      await writeObject(folder.path, 4, { transferSyntaxUid: IMPLICIT_LITTLE }),
    ];
    const results = await sendObjects(peerOf(peer.port), objects);
    expect(results).toEqual(objects.map(() => ({ type: 'stored', status: 0 })));
    const names = await readdir(peer.output);
    for (const object of objects) {
      const name = names.find((candidate) => candidate.endsWith(object.sopInstanceUid)) ?? '';
      const bytes = await readFile(join(peer.output, name));
      const meta = readFileMeta(bytes);
      expect(meta?.transferSyntaxUid).toBe(object.transferSyntaxUid);
      expect(bytes.subarray(meta?.datasetOffset).equals(object.dataset)).toBe(true);
    }
  });

  it('hears which classes and transfer syntaxes it refuses', async () => {
    await using folder = await temporaryFolder();
    await using peer = await storescp(folder.path);
    const results = await sendObjects(peerOf(peer.port), [
      await writeObject(folder.path, 1, { sopClassUid: PRIVATE_SOP_CLASS }),
      await writeObject(folder.path, 2, { transferSyntaxUid: JPEG_LOSSLESS }),
      await writeObject(folder.path, 3),
    ]);
    expect(results).toMatchObject([
      { type: 'failed', failureClass: 'permanent', code: 'sop-class-not-accepted' },
      { type: 'failed', failureClass: 'permanent', code: 'transfer-syntax-not-accepted' },
      { type: 'stored' },
    ]);
  });

  it('goes over to implicit VR for one that takes nothing else', async () => {
    await using folder = await temporaryFolder();
    await using peer = await storescp(folder.path, '--implicit');
    const object = await writeObject(folder.path, 1);
    expect(await sendObjects(peerOf(peer.port), [object])).toMatchObject([{ type: 'stored' }]);
    const [name = ''] = await readdir(peer.output);
    const bytes = await readFile(join(peer.output, name));
    expect(readFileMeta(bytes)?.transferSyntaxUid).toBe(IMPLICIT_LITTLE);
  });

  it('hears a rejection', async () => {
    await using folder = await temporaryFolder();
    await using peer = await storescp(folder.path, '--refuse');
    const results = await sendObjects(peerOf(peer.port), [await writeObject(folder.path, 1)]);
    expect(results).toMatchObject([{ type: 'failed', code: 'association-rejected' }]);
    await expect(echo(peerOf(peer.port))).rejects.toMatchObject({ code: 'association-rejected' });
  });

  it('hears a peer that aborts while it is sent to', async () => {
    await using folder = await temporaryFolder();
    await using peer = await storescp(folder.path, '--abort-during');
    const results = await sendObjects(peerOf(peer.port), [await writeObject(folder.path, 1)]);
    expect(results).toMatchObject([{ type: 'failed', failureClass: 'ambiguous' }]);
  });

  it('gets an echo', async () => {
    await using folder = await temporaryFolder();
    await using peer = await storescp(folder.path);
    const { roundTripMs } = await echo(peerOf(peer.port));
    expect(roundTripMs).toBeGreaterThan(0);
  });
});
