import { describe, expect, it } from 'vitest';
import { associateRqBody, pdu, pdv, random } from '../../unit/receive/pdu-bytes.js';
import { CT_CONTEXT, RawScu, releaseRq, storeCommand } from './raw-scu.js';
import { ReceiveRig, slice } from './receive-rig.js';

/** A whole session: association, one image in three values, release. */
const image = slice('1.2.3.4.5', 3000);
const session = Buffer.concat([
  pdu(1, associateRqBody({ contexts: [CT_CONTEXT] })),
  storeCommand({ sopInstanceUid: '1.2.3.4.5' }),
  pdu(
    4,
    Buffer.concat([
      pdv(1, { command: false, last: false }, image.subarray(0, 500)),
      pdv(1, { command: false, last: false }, image.subarray(500, 1200)),
      pdv(1, { command: false, last: true }, image.subarray(1200)),
    ]),
  ),
  releaseRq,
]);

describe('sessions with wrong bytes', () => {
  it.each([1, 2, 3, 4])('end, and harm nobody else (seed %i)', async (seed) => {
    await using rig = await ReceiveRig.start({ artimMs: 2000, idleMs: 2000 });
    const next = random(seed);
    const attack = async () => {
      const bytes = Buffer.from(session);
      // Most changes hit the association request and the headers, which come first.
      const reach = next() < 0.5 ? 1000 : bytes.length;
      for (let change = 0; change < 1 + next() * 5; change += 1) {
        bytes[Math.floor(next() * reach)] = Math.floor(next() * 256);
      }
      await using scu = await RawScu.connect(rig.port);
      scu.send(bytes);
      scu.socket.end();
      await scu.closed();
    };
    for (let round = 0; round < 15; round += 1) {
      await Promise.all(Array.from({ length: 8 }, attack));
    }
    await using scu = await RawScu.associated(rig.port);
    scu.store('1.1', slice('1.1'));
    expect((await scu.response()).status).toBe(0);
    rig.ingest.flush();
    await expect.poll(() => rig.incoming()).toEqual([]);
    expect(rig.errors).toEqual([]);
  });

  it.each([
    ['a session', session],
    ['garbage', Buffer.alloc(500, 0xff)],
  ])('are not read behind an A-ABORT: %s', async (_, bytes) => {
    await using rig = await ReceiveRig.start();
    await using scu = await RawScu.associated(rig.port);
    scu.send(pdu(7, Buffer.alloc(4)), bytes);
    await scu.closed();
    expect(rig.errors).toEqual([]);
  });
});
