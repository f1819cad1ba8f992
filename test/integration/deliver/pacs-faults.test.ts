import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { DEFAULT_TIMEOUTS, type Peer, type Timeouts } from '../../../src/deliver/association.js';
import { sendObjects } from '../../../src/deliver/store-scu.js';
import { openHandles, untilReleased } from '../../fixtures/open-handles.js';
import { pdu, random } from '../../unit/receive/pdu-bytes.js';
import { temporaryFolder, writeObject } from './objects.js';
import { GOOD, type RawAnswers, RawPacs, storeResponse } from './raw-pacs.js';
import { codes } from './results.js';

const peerOf = (port: number, timeouts: Timeouts = DEFAULT_TIMEOUTS): Peer => ({
  aeTitle: 'PACS',
  callingAeTitle: 'VIGIL',
  host: '127.0.0.1',
  port,
  timeouts,
});

/** Short where that is what the faults lead to, else such that no busy machine runs into them. */
const timeoutsFor = (expected: readonly string[]): Timeouts => ({
  ...DEFAULT_TIMEOUTS,
  ...(expected.includes('transient associate-timeout') && { associateMs: 300 }),
  ...(expected.includes('ambiguous response-timeout') && { responseMs: 300 }),
});

/** Sends single bytes of what repeats for ever. */
function drip(socket: Socket, bytes: Buffer): void {
  let sent = 0;
  const timer = setInterval(() => {
    socket.write(bytes.subarray(sent % bytes.length, (sent % bytes.length) + 1));
    sent += 1;
  }, 10);
  socket.on('close', () => clearInterval(timer));
}

/** Sends as fast as the other side reads. */
function pour(socket: Socket, head: Buffer, bytes: Buffer): void {
  socket.write(head);
  const more = () => {
    while (!socket.destroyed && socket.write(bytes));
  };
  socket.on('drain', more);
  more();
}

const garbage = (seed: number) => {
  const next = random(seed);
  return Buffer.from(Array.from({ length: 65_536 }, () => Math.floor(next() * 256)));
};
const PDU_WITHOUT_END = Buffer.from([4, 0, 0xff, 0xff, 0xff, 0xff]);
const FRAGMENT = pdu(4, Buffer.from([0, 0, 0, 4, 1, 1, 0, 0]));
const FRAGMENTS = Buffer.concat(Array.from({ length: 5000 }, () => FRAGMENT));
const lost = 'ambiguous response-lost';

/** What a PACS does, and what becomes of two objects at it. */
const FAULTS: [string, RawAnswers, string[]][] = [
  ['does not answer A-ASSOCIATE-RQ', {}, Array(2).fill('transient associate-timeout')],
  [
    'does not answer C-STORE',
    { ...GOOD, store: () => {} },
    ['ambiguous response-timeout', 'ambiguous response-timeout'],
  ],
  ['does not answer A-RELEASE', { ...GOOD, release: () => {} }, ['stored', 'stored']],
  [
    'answers A-ASSOCIATE-RQ a byte at a time, without end',
    { associate: (socket) => drip(socket, Buffer.from([2, 0, 0, 0, 255, 255, 0])) },
    Array(2).fill('transient associate-timeout'),
  ],
  [
    'answers C-STORE a byte at a time, without end',
    { ...GOOD, store: (socket) => drip(socket, FRAGMENT) },
    Array(2).fill('ambiguous response-timeout'),
  ],
  [
    'answers A-ASSOCIATE-RQ with garbage',
    { associate: (socket) => pour(socket, Buffer.alloc(0), garbage(1)) },
    Array(2).fill('transient protocol-error'),
  ],
  [
    'answers C-STORE with garbage',
    { ...GOOD, store: (socket) => pour(socket, Buffer.alloc(0), garbage(2)) },
    [lost, lost],
  ],
  [
    'answers A-ASSOCIATE-RQ with a PDU without end',
    { associate: (socket) => pour(socket, PDU_WITHOUT_END, garbage(3)) },
    Array(2).fill('transient protocol-error'),
  ],
  [
    'answers C-STORE with a PDU without end',
    { ...GOOD, store: (socket) => pour(socket, PDU_WITHOUT_END, garbage(4)) },
    [lost, lost],
  ],
  [
    'answers C-STORE with fragments without end',
    { ...GOOD, store: (socket) => pour(socket, FRAGMENT, FRAGMENTS) },
    // By its length or by the time it takes, whichever is first.
    Array(2).fill(expect.stringMatching(/^ambiguous/)),
  ],
  [
    'accepts the association again and again',
    { ...GOOD, associate: (socket, accept) => socket.write(Buffer.concat([accept, accept])) },
    [lost, lost],
  ],
  [
    'answers for a message that was never sent',
    { ...GOOD, store: (socket, seen) => socket.write(storeResponse(seen, { messageId: 999 })) },
    Array(2).fill('ambiguous response-timeout'),
  ],
  [
    'answers for another instance',
    {
      ...GOOD,
      store: (socket, seen) => socket.write(storeResponse(seen, { sopInstanceUid: '9' })),
    },
    [lost, lost],
  ],
  [
    'answers another service',
    {
      ...GOOD,
      store: (socket, seen) => socket.write(storeResponse(seen, { commandField: 0x8030 })),
    },
    [lost, lost],
  ],
  [
    'answers without a status',
    { ...GOOD, store: (socket, seen) => socket.write(storeResponse(seen, { status: 'none' })) },
    [lost, lost],
  ],
  [
    'wants to release the association instead of answering',
    { ...GOOD, store: (socket) => socket.write(pdu(5, Buffer.alloc(4))) },
    [lost, lost],
  ],
  [
    'says that the association is released, unasked',
    { ...GOOD, store: (socket) => socket.write(pdu(6, Buffer.alloc(4))) },
    [lost, lost],
  ],
  [
    'breaks off within its answer',
    { ...GOOD, store: (socket, seen) => socket.end(storeResponse(seen).subarray(0, 20)) },
    [lost, lost],
  ],
  [
    'resets the connection within its answer',
    {
      ...GOOD,
      store: (socket, seen) =>
        socket.write(storeResponse(seen).subarray(0, 20), () => socket.resetAndDestroy()),
    },
    [lost, lost],
  ],
  [
    'answers in single bytes that come to an end',
    {
      ...GOOD,
      store: (socket, seen) => {
        for (const byte of storeResponse(seen)) socket.write(Buffer.from([byte]));
      },
    },
    ['stored', 'stored'],
  ],
];

describe('a PACS that', () => {
  it.each(FAULTS)('%s: no result is made up, nothing stays open', async (_, answers, expected) => {
    await using folder = await temporaryFolder();
    const objects = [await writeObject(folder.path, 1), await writeObject(folder.path, 2)];
    const before = openHandles(folder.path);
    {
      await using pacs = await RawPacs.start(answers);
      const results = await sendObjects(peerOf(pacs.port, timeoutsFor(expected)), objects);
      expect(codes(results)).toEqual(expected);
    }
    await untilReleased(folder.path, before);
  });

  it('answers a request twice gets each object once, under its own answer', async () => {
    await using folder = await temporaryFolder();
    const objects = await Promise.all([1, 2, 3].map((i) => writeObject(folder.path, i)));
    let first = true;
    await using pacs = await RawPacs.start({
      ...GOOD,
      store: (socket, seen) => {
        const response = storeResponse(seen);
        socket.write(first ? Buffer.concat([response, response]) : response);
        first = false;
      },
    });
    const results = await sendObjects(peerOf(pacs.port), objects);
    expect(results[0]).toMatchObject({ type: 'stored' });
    const seen = pacs.requests.map(({ sopInstanceUid }) => sopInstanceUid);
    for (const [i, result] of results.entries()) {
      const { sopInstanceUid = '' } = objects[i] ?? {};
      if (result.type === 'stored') expect(seen).toContain(sopInstanceUid);
      else expect(result.failureClass).toBe('ambiguous');
    }
  });

  it('reads nothing of an object holds up no more than one time limit', async () => {
    await using folder = await temporaryFolder();
    const large = await writeObject(folder.path, 1, { size: 24 * 2 ** 20 });
    await using pacs = await RawPacs.start({
      ...GOOD,
      associate: (socket, accept) => {
        socket.write(accept);
        socket.pause();
      },
    });
    const expected = ['ambiguous response-timeout'];
    const results = await sendObjects(peerOf(pacs.port, timeoutsFor(expected)), [large]);
    expect(codes(results)).toEqual(expected);
  });

  it('reads slowly and steadily gets a large object whole', async () => {
    await using folder = await temporaryFolder();
    const large = await writeObject(folder.path, 1, { size: 32 * 2 ** 20 });
    await using pacs = await RawPacs.start({
      ...GOOD,
      associate: (socket, accept) => {
        socket.write(accept);
        const sips = setInterval(() => {
          socket.resume();
          // What the systems of both sides hold at the end, Vigil cannot see move.
          if (socket.bytesRead > 16 * 2 ** 20) clearInterval(sips);
          else setImmediate(() => socket.pause());
        }, 20);
        socket.pause();
        socket.on('close', () => clearInterval(sips));
      },
    });
    const timeouts = { ...DEFAULT_TIMEOUTS, responseMs: 2500 };
    const results = await sendObjects(peerOf(pacs.port, timeouts), [large]);
    expect(codes(results)).toEqual(['stored']);
  });

  it('does not answer A-RELEASE still gets what does not fit one association', async () => {
    await using folder = await temporaryFolder();
    const objects = [];
    for (let i = 0; i < 65; i += 1) objects.push(await writeObject(folder.path, i, { size: 10 }));
    await using pacs = await RawPacs.start({ ...GOOD, release: (socket) => socket.end() });
    const results = await sendObjects(peerOf(pacs.port), objects);
    expect(codes(results)).toEqual(Array(65).fill('stored'));
  });
});
