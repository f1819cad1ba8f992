import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DEFAULT_TIMEOUTS, type Peer, type Timeouts } from '../../../src/deliver/association.js';
import { sendObjects } from '../../../src/deliver/store-scu.js';
import { readFileMeta } from '../../../src/dicom/file-meta.js';
import { explicitToImplicit } from '../../../src/dicom/implicit-vr.js';
import { type PacsOptions, SimulatedPacs } from '../../../src/simulate/pacs.js';
import { LocalServer } from '../../fixtures/local-server.js';
import { heldTimers } from '../held-timers.js';
import {
  COMPREHENSIVE_3D_SR,
  COMPREHENSIVE_SR,
  EXPLICIT_LITTLE,
  IMPLICIT_LITTLE,
  JPEG_LOSSLESS,
  SECONDARY_CAPTURE,
  type TestObject,
  temporaryFolder,
  writeObject,
} from './objects.js';
import { codes } from './results.js';

async function startPacs(
  folder: string,
  options: Partial<PacsOptions> = {},
): Promise<SimulatedPacs> {
  const pacs = new SimulatedPacs({ folder: join(folder, 'pacs'), ...options });
  await pacs.start();
  return pacs;
}

function peerOf(port: number, timeouts?: Timeouts): Peer {
  return { aeTitle: 'PACS', callingAeTitle: 'VIGIL', host: '127.0.0.1', port, timeouts };
}

/** A peer that speaks raw bytes. */
async function rawPeer(onConnection: (socket: Socket) => void): Promise<LocalServer> {
  const server = new LocalServer(createServer(onConnection));
  await server.listen();
  return server;
}

async function datasetOf(file: string): Promise<Buffer> {
  const bytes = await readFile(file);
  return bytes.subarray(readFileMeta(bytes)?.datasetOffset);
}

describe('sendObjects', () => {
  it('sends datasets byte for byte, in order, with one result for each', async () => {
    await using folder = await temporaryFolder();
    await using pacs = await startPacs(folder.path);
    const objects = [
      await writeObject(folder.path, 1, { sopClassUid: COMPREHENSIVE_3D_SR }),
      await writeObject(folder.path, 2, { size: 600_000 }),
      await writeObject(folder.path, 3, { transferSyntaxUid: JPEG_LOSSLESS }),
      await writeObject(folder.path, 4, { transferSyntaxUid: IMPLICIT_LITTLE }),
    ];
    const seen: number[] = [];
    const results = await sendObjects(peerOf(pacs.port), objects, {
      onResult: (index) => seen.push(index),
    });
    expect(results).toEqual(objects.map(() => ({ type: 'stored', status: 0 })));
    expect(seen).toEqual([0, 1, 2, 3]);
    expect(pacs.received.map((r) => r.sopInstanceUid)).toEqual(
      objects.map((o) => o.sopInstanceUid),
    );
    for (const [i, object] of objects.entries()) {
      const received = pacs.received[i];
      expect(received?.transferSyntaxUid).toBe(object.transferSyntaxUid);
      expect(received?.callingAeTitle).toBe('VIGIL');
      expect((await datasetOf(received?.file ?? '')).equals(object.dataset)).toBe(true);
    }
  });

  it('bounds the objects of one association', async () => {
    await using folder = await temporaryFolder();
    await using pacs = await startPacs(folder.path);
    let associations = 0;
    pacs.on('association', () => {
      associations += 1;
    });
    const objects: TestObject[] = [];
    for (let i = 0; i < 150; i += 1) objects.push(await writeObject(folder.path, i, { size: 100 }));
    const results = await sendObjects(peerOf(pacs.port), objects);
    expect(results.every((r) => r.type === 'stored')).toBe(true);
    expect(pacs.received).toHaveLength(150);
    expect(associations).toBe(3);
  });

  it('settles a refused SOP class and sends the rest', async () => {
    await using folder = await temporaryFolder();
    await using pacs = await startPacs(folder.path, { refusedSopClasses: [COMPREHENSIVE_3D_SR] });
    const results = await sendObjects(peerOf(pacs.port), [
      await writeObject(folder.path, 1, { sopClassUid: COMPREHENSIVE_3D_SR }),
      await writeObject(folder.path, 2, { sopClassUid: COMPREHENSIVE_SR }),
    ]);
    expect(codes(results)).toEqual(['permanent sop-class-not-accepted', 'stored']);
  });

  it('ends cleanly where the peer accepts none of the classes', async () => {
    await using folder = await temporaryFolder();
    await using pacs = await startPacs(folder.path, { refusedSopClasses: [SECONDARY_CAPTURE] });
    const results = await sendObjects(peerOf(pacs.port), [await writeObject(folder.path, 1)]);
    expect(codes(results)).toEqual(['permanent sop-class-not-accepted']);
  });

  it('goes over to implicit VR for a peer that takes nothing else', async () => {
    await using folder = await temporaryFolder();
    await using pacs = await startPacs(folder.path, { transferSyntaxes: [IMPLICIT_LITTLE] });
    const object = await writeObject(folder.path, 1);
    const results = await sendObjects(peerOf(pacs.port), [object]);
    expect(codes(results)).toEqual(['stored']);
    const [received] = pacs.received;
    expect(received?.transferSyntaxUid).toBe(IMPLICIT_LITTLE);
    const dataset = await datasetOf(received?.file ?? '');
    expect(dataset.equals(explicitToImplicit(object.dataset))).toBe(true);
  });

  it('keeps explicit VR where the peer prefers implicit but takes both', async () => {
    await using folder = await temporaryFolder();
    await using pacs = await startPacs(folder.path, {
      transferSyntaxes: [IMPLICIT_LITTLE, EXPLICIT_LITTLE],
    });
    const object = await writeObject(folder.path, 1);
    await sendObjects(peerOf(pacs.port), [object]);
    const dataset = await datasetOf(pacs.received[0]?.file ?? '');
    expect(dataset.equals(object.dataset)).toBe(true);
  });

  it('tells a refused transfer syntax from a refused class, and never sends another dataset', async () => {
    await using folder = await temporaryFolder();
    await using pacs = await startPacs(folder.path, { transferSyntaxes: [EXPLICIT_LITTLE] });
    const results = await sendObjects(peerOf(pacs.port), [
      await writeObject(folder.path, 1, { transferSyntaxUid: JPEG_LOSSLESS }),
      await writeObject(folder.path, 2, { transferSyntaxUid: IMPLICIT_LITTLE }),
      await writeObject(folder.path, 3),
    ]);
    expect(codes(results)).toEqual([
      'permanent transfer-syntax-not-accepted',
      'permanent transfer-syntax-not-accepted',
      'stored',
    ]);
    expect(pacs.received).toHaveLength(1);
  });

  it("keeps each response's own status and comment", async () => {
    await using folder = await temporaryFolder();
    const answers = [
      { status: 0xb000, comment: 'coerced' },
      { status: 0xa700, comment: 'disk full' },
      { status: 0x0000 },
      { status: 0xa900 },
      { status: 0xc123, comment: 'what is this' },
      { status: 0x0122 },
      { status: 0x0124 },
      { status: 0x0110 },
      { status: 0x0111 },
    ];
    let next = 0;
    await using pacs = await startPacs(folder.path, { answer: () => answers[next++] });
    const objects: TestObject[] = [];
    for (let i = 0; i < answers.length; i += 1) objects.push(await writeObject(folder.path, i));
    const results = await sendObjects(peerOf(pacs.port), objects);
    expect(codes(results)).toEqual([
      'stored',
      'transient out-of-resources',
      'stored',
      'permanent dataset-does-not-match',
      'permanent cannot-understand',
      'permanent sop-class-not-accepted',
      'permanent not-authorized',
      'transient processing-failure',
      'stored',
    ]);
    expect(results.map((r) => r.status)).toEqual(answers.map((a) => a.status));
    expect(results.map((r) => r.comment)).toEqual(answers.map((a) => a.comment));
  });

  it.each([
    ['drop-connection', 'ambiguous response-lost'],
    ['abort', 'ambiguous response-lost'],
    ['no-answer', 'ambiguous response-timeout'],
  ] as const)('fails the object alone that is answered by %s', async (answer, expected) => {
    await using folder = await temporaryFolder();
    const timers = heldTimers();
    let count = 0;
    await using pacs = await startPacs(folder.path, {
      answer: () => {
        count += 1;
        if (count !== 2) return undefined;
        if (answer === 'no-answer') timers.runOut();
        return answer;
      },
    });
    const objects = await Promise.all([1, 2, 3].map((i) => writeObject(folder.path, i)));
    const results = await sendObjects(peerOf(pacs.port), objects);
    expect(codes(results)).toEqual(['stored', expected, 'stored']);
  });

  it.each([
    ['drop-connection', 'connection-lost', 8],
    ['abort', 'association-aborted', 8],
    ['no-answer', 'response-timeout', 2],
  ] as const)(
    'leaves a peer alone that meets every object with %s',
    async (answer, untriedCode, asked) => {
      await using folder = await temporaryFolder();
      const timers = heldTimers();
      let associations = 0;
      await using pacs = await startPacs(folder.path, {
        answer: () => {
          if (answer === 'no-answer') timers.runOut();
          return answer;
        },
      });
      pacs.on('association', () => {
        associations += 1;
      });
      const objects: TestObject[] = [];
      for (let i = 0; i < 70; i += 1) objects.push(await writeObject(folder.path, i, { size: 10 }));
      const results = await sendObjects(peerOf(pacs.port), objects);
      expect(associations).toBe(asked);
      expect(results.filter((r) => r.type === 'failed' && !r.untried)).toHaveLength(asked);
      expect(results[69]).toMatchObject({ code: untriedCode, untried: true });
    },
  );

  it('reports a refused connection and an unknown host as transient', async () => {
    await using folder = await temporaryFolder();
    const closed = await rawPeer(() => {});
    const { port } = closed;
    await closed[Symbol.asyncDispose]();
    const object = await writeObject(folder.path, 1);
    expect(await sendObjects(peerOf(port), [object])).toMatchObject([
      { failureClass: 'transient', code: 'connection-refused', untried: true },
    ]);
    const unknown = { ...peerOf(104), host: 'pacs.invalid' };
    expect(codes(await sendObjects(unknown, [object]))).toEqual(['transient host-unknown']);
  });

  it.each([
    ['aeTitle', { aeTitle: 'OTHER' }],
    ['callingAeTitles', { callingAeTitles: ['SOMEBODY'] }],
  ])('says that the association was rejected for %s', async (_, options) => {
    await using folder = await temporaryFolder();
    await using pacs = await startPacs(folder.path, options);
    const results = await sendObjects(peerOf(pacs.port), [await writeObject(folder.path, 1)]);
    expect(codes(results)).toEqual(['permanent association-rejected']);
    expect(results[0]).toMatchObject({ text: expect.stringContaining('AE title not recognized') });
  });

  it('takes a rejection for congestion as transient', async () => {
    await using folder = await temporaryFolder();
    await using peer = await rawPeer((socket) => {
      socket.once('data', () => socket.end(Buffer.from([3, 0, 0, 0, 0, 4, 0, 2, 3, 1])));
    });
    const results = await sendObjects(peerOf(peer.port), [await writeObject(folder.path, 1)]);
    expect(codes(results)).toEqual(['transient association-rejected']);
  });

  it.each<[string, (socket: Socket) => void, string]>([
    ['accepts the connection and says nothing', () => {}, 'transient associate-timeout'],
    ['hangs up at once', (socket) => socket.destroy(), 'transient connection-lost'],
    [
      'resets the connection after the request',
      (socket) => socket.once('data', () => socket.resetAndDestroy()),
      'transient connection-lost',
    ],
    [
      'is no DICOM node',
      (socket) => socket.once('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')),
      'transient protocol-error',
    ],
  ])('survives a peer that %s', async (_, behave, expected) => {
    await using folder = await temporaryFolder();
    await using peer = await rawPeer(behave);
    const isSilent = expected.endsWith('-timeout');
    const timeouts = isSilent ? { ...DEFAULT_TIMEOUTS, associateMs: 300 } : DEFAULT_TIMEOUTS;
    const results = await sendObjects(peerOf(peer.port, timeouts), [
      await writeObject(folder.path, 1),
    ]);
    expect(codes(results)).toEqual([expected]);
  });

  it('survives a peer whose maximum PDU length no fragment fits', async () => {
    await using folder = await temporaryFolder();
    await using peer = await rawPeer((socket) => {
      socket.once('data', (request) => socket.write(acceptWithMaximumLength(request, 6)));
    });
    const results = await sendObjects(peerOf(peer.port), [await writeObject(folder.path, 1)]);
    expect(codes(results)).toEqual(['transient protocol-error']);
  });

  it('fails a missing, altered or foreign file alone, for good, and says which', async () => {
    await using folder = await temporaryFolder();
    await using pacs = await startPacs(folder.path);
    const missing = await writeObject(folder.path, 1);
    const text = join(folder.path, 'note.txt');
    await writeFile(text, 'not DICOM');
    const results = await sendObjects(peerOf(pacs.port), [
      { ...missing, file: join(folder.path, 'nowhere.dcm') },
      { ...missing, file: text },
      { ...missing, sha256: 'f'.repeat(64) },
      await writeObject(folder.path, 2),
    ]);
    expect(codes(results)).toEqual([
      'permanent file-missing',
      'permanent file-altered',
      'permanent file-altered',
      'stored',
    ]);
  });

  it('stops at a signal: what was sent is ambiguous, the rest was not tried', async () => {
    await using folder = await temporaryFolder();
    const controller = new AbortController();
    await using pacs = await startPacs(folder.path, {
      answer: () => {
        controller.abort();
        return 'no-answer';
      },
    });
    const objects = [await writeObject(folder.path, 1), await writeObject(folder.path, 2)];
    const { signal } = controller;
    const results = await sendObjects(peerOf(pacs.port), objects, { signal });
    expect(codes(results)).toEqual(['ambiguous response-lost', 'transient cancelled']);
    expect(codes(await sendObjects(peerOf(pacs.port), objects, { signal }))).toEqual([
      'transient cancelled',
      'transient cancelled',
    ]);
  });
});

/** A-ASSOCIATE-AC for the first presentation context of a request (PS3.8 9.3.3). */
function acceptWithMaximumLength(request: Buffer, maximum: number): Buffer {
  const item = (type: number, body: Buffer): Buffer => {
    const head = Buffer.from([type, 0, 0, 0]);
    head.writeUInt16BE(body.length, 2);
    return Buffer.concat([head, body]);
  };
  const length = Buffer.alloc(4);
  length.writeUInt32BE(maximum);
  const body = Buffer.concat([
    request.subarray(6, 74),
    item(0x10, Buffer.from('1.2.840.10008.3.1.1.1')),
    item(
      0x21,
      Buffer.concat([Buffer.from([1, 0, 0, 0]), item(0x40, Buffer.from(EXPLICIT_LITTLE))]),
    ),
    item(0x50, Buffer.concat([item(0x51, length), item(0x52, Buffer.from('1.2.3'))])),
  ]);
  const head = Buffer.from([2, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(body.length, 2);
  return Buffer.concat([head, body]);
}
