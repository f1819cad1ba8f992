import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../../src/config/load-settings.js';
import { askWhatIsTaken } from '../../../src/deliver/peer-check.js';
import { judgeDestination } from '../../../src/destination-check.js';
import { SimulatedPacs } from '../../../src/simulate/pacs.js';
import { COMPREHENSIVE_3D_SR, temporaryFolder } from '../../integration/deliver/objects.js';
import { freePort, startOrthanc, startServer } from '../servers.js';
import { requireTools } from '../tools.js';

const EXPLICIT = 'Explicit VR Little Endian';
const IMPLICIT = 'Implicit VR Little Endian';

/** Asks a peer that a route sends everything to. */
async function check(port: number, aeTitle: string, more = '') {
  const { settings } = parseSettings(
    `destinations: { pacs: { aeTitle: ${aeTitle}, host: 127.0.0.1, port: ${port} ${more} } }
routes: [{ name: all, send: { to: [pacs] }, forward: { to: [pacs] } }]`,
    '/x/vigil.yaml',
    {},
  );
  const peer = { aeTitle, callingAeTitle: 'VIGIL', host: '127.0.0.1', port };
  const { kinds, find } = judgeDestination(await askWhatIsTaken(peer), settings, 'pacs');
  return { find, kinds: Object.fromEntries(kinds.map((line) => [line.kind, line])) };
}

async function storescp(folder: string, ...options: string[]) {
  const output = join(folder, 'received');
  await mkdir(output);
  const port = await freePort();
  const server = await startServer('storescp', ['-od', output, ...options, String(port)], port);
  return { port, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}

describe.runIf(requireTools('storescp'))('asking DCMTK storescp what it takes', () => {
  it('finds uncompressed objects alone where it is told so, and no C-FIND', async () => {
    await using folder = await temporaryFolder();
    await using peer = await storescp(folder.path);
    const { kinds, find } = await check(peer.port, 'STORESCP', ', verifyByFind: true');
    expect(kinds['sr']).toMatchObject({ transferSyntaxes: [EXPLICIT, IMPLICIT], ok: true });
    expect(kinds['sr']?.advice).toBeUndefined();
    const original = kinds['original'];
    expect(original?.transferSyntaxes).toContain('Explicit VR Big Endian');
    expect(original?.advice).toMatch(/JPEG 2000.* are refused/);
    expect(find).toEqual({ accepted: false, advice: expect.stringMatching(/has to be false/) });
  });

  it('finds Implicit VR Little Endian where that is all', async () => {
    await using folder = await temporaryFolder();
    await using peer = await storescp(folder.path, '--implicit');
    const { kinds } = await check(peer.port, 'STORESCP');
    expect(kinds['summary']).toMatchObject({
      transferSyntaxes: [IMPLICIT],
      ok: true,
      advice: 'goes in Implicit VR Little Endian',
    });
  });

  it('finds every syntax with --accept-all', async () => {
    await using folder = await temporaryFolder();
    await using peer = await storescp(folder.path, '--accept-all');
    const { kinds } = await check(peer.port, 'STORESCP');
    expect(kinds['original']?.transferSyntaxes).toContain('JPEG 2000 Lossless Only');
  });
});

describe.runIf(requireTools('Orthanc'))('asking Orthanc what it takes', () => {
  it('finds all kinds and C-FIND, and the syntax that is switched off refused', async () => {
    await using folder = await temporaryFolder();
    await using peer = await startOrthanc(
      folder.path,
      {},
      { Jpeg2000TransferSyntaxAccepted: false },
    );
    const { kinds, find } = await check(peer.port, 'ORTHANC');
    for (const kind of ['sr', 'comprehensive-sr', 'heatmap', 'summary', 'key-objects']) {
      expect(kinds[kind]).toMatchObject({ transferSyntaxes: [EXPLICIT, IMPLICIT], ok: true });
    }
    expect(kinds['original']?.transferSyntaxes).toContain('JPEG-LS Lossless');
    expect(kinds['original']?.transferSyntaxes).not.toContain('JPEG 2000 Lossless Only');
    expect(find).toEqual({ accepted: true });
  });
});

describe('asking a PACS that takes no 3D SR', () => {
  it('proposes the fallback, and says where a route sends in vain', async () => {
    await using folder = await temporaryFolder();
    const refused = [COMPREHENSIVE_3D_SR, '1.2.840.10008.5.1.4.1.1.88.59'];
    await using pacs = new SimulatedPacs({ folder: folder.path, refusedSopClasses: refused });
    await pacs.start();
    const { kinds } = await check(pacs.port, 'PACS');
    expect(kinds['sr']).toMatchObject({ transferSyntaxes: [], ok: true });
    expect(kinds['sr']?.advice).toMatch(/Comprehensive SR goes in its place/);
    expect(kinds['key-objects']).toMatchObject({ ok: false, routes: ['all'] });
  });
});
