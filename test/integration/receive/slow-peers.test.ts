import { describe, expect, it } from 'vitest';
import { openHandles, untilReleased } from '../../fixtures/open-handles.js';
import { associateRqBody, pdu, pdv } from '../../unit/receive/pdu-bytes.js';
import { heldTimers } from '../held-timers.js';
import { CT_CONTEXT, commandPdu, RawScu, releaseRq, storeCommand } from './raw-scu.js';
import { ReceiveRig, slice } from './receive-rig.js';
import { SlowFile } from './slow-file.js';

const request = pdu(1, associateRqBody({ contexts: [CT_CONTEXT] }));
const command = storeCommand({ sopInstanceUid: '1.1' });
const part = pdu(4, pdv(1, { command: false, last: false }, slice('1.1').subarray(0, 900)));

/** The beginning of a PDU with one value of 10000 bytes. */
function longValue(isCommand: boolean): Buffer {
  const header = pdv(1, { command: isCommand, last: true }, Buffer.alloc(10_000)).subarray(0, 6);
  return pdu(4, header, 10_006);
}

/** Sends single bytes, over and over, until the connection is gone. */
async function trickle(scu: RawScu, bytes: Buffer): Promise<void> {
  let sent = 0;
  const timer = setInterval(() => {
    scu.socket.write(bytes.subarray(sent % bytes.length, (sent % bytes.length) + 1));
    sent += 1;
  }, 10);
  await scu.closed();
  clearInterval(timer);
}

describe('a peer that is gone without a word', () => {
  it.each<[string, Buffer[]]>([
    ['before it has asked for an association', []],
    ['within its request', [request.subarray(0, 100)]],
    ['after its association was accepted', [request]],
    ['within a PDU header', [request, command.subarray(0, 3)]],
    ['within a command', [request, command.subarray(0, 40)]],
    ['before the dataset', [request, command]],
    ['within the dataset', [request, command, part]],
    ['within the release', [request, releaseRq.subarray(0, 7)]],
    ['after the release', [request, releaseRq]],
    ['after its abort', [request, pdu(7, Buffer.alloc(4)).subarray(0, 9)]],
  ])('%s, is given up and leaves nothing open', async (_, bytes) => {
    await using rig = await ReceiveRig.start({ artimMs: 60, idleMs: 60 });
    const before = openHandles(rig.folder);
    {
      await using scu = await RawScu.connect(rig.port);
      scu.send(...bytes);
      await scu.closed();
    }
    await untilReleased(rig.folder, before);
    expect(rig.scp.openAssociations).toBe(0);
    expect(await rig.incoming()).toEqual([]);
    expect(rig.errors).toEqual([]);
  });
});

describe('a peer that sends a byte at a time', () => {
  it.each<[string, Buffer[], Buffer]>([
    ['its request', [], request],
    ['what comes after its request was refused', [pdu(1, Buffer.alloc(100))], request],
    ['a command', [request, longValue(true)], Buffer.from([0])],
    ['a dataset in one PDU', [request, command, longValue(false)], Buffer.from([0])],
    [
      'a dataset in tiny PDUs',
      [request, command],
      pdu(4, pdv(1, { command: false, last: false }, Buffer.from([0]))),
    ],
    ['a second request within the association', [request, pdu(1, Buffer.alloc(0), 200_000)], part],
    ['a release', [request, pdu(5, Buffer.alloc(0), 4).subarray(0, 5)], Buffer.from([0])],
  ])('has no more time for it: %s', async (_, first, bytes) => {
    await using rig = await ReceiveRig.start({ artimMs: 200, idleMs: 200 });
    const before = openHandles(rig.folder);
    {
      await using scu = await RawScu.connect(rig.port);
      if (first.length > 0) scu.send(...first);
      await trickle(scu, bytes);
    }
    await untilReleased(rig.folder, before);
    expect(rig.scp.openAssociations).toBe(0);
    expect(await rig.incoming()).toEqual([]);
  });

  it('is told from one that is slow and steady, and from one that waits between images', async () => {
    const timers = heldTimers({ standStill: true });
    const received: SlowFile[] = [];
    const files = {
      create: () => {
        received.push(new SlowFile(Infinity));
        return received.at(-1) as SlowFile;
      },
    };
    await using rig = await ReceiveRig.start({
      files,
      catalog: { accept: () => 'stored' },
      idleMs: 400,
    });
    await using scu = await RawScu.associated(rig.port);
    for (const uid of ['1.1', '1.2', '1.3']) {
      const bytes = slice(uid, 4000);
      scu.send(storeCommand({ sopInstanceUid: uid }));
      for (let start = 0; start < bytes.length; start += 200) {
        const end = Math.min(start + 200, bytes.length);
        const last = end === bytes.length;
        scu.send(pdu(4, pdv(1, { command: false, last }, bytes.subarray(start, end))));
        await expect.poll(() => received.at(-1)?.taken).toBe(end);
        if (!last) timers.pass(150);
      }
      expect((await scu.response()).status).toBe(0);
      timers.pass(300);
    }
  });
});

describe('a peer that takes no answers', () => {
  it('is given up, whatever it still sends, and leaves nothing open', async () => {
    await using rig = await ReceiveRig.start({ artimMs: 1000, idleMs: 500 });
    const before = openHandles(rig.folder);
    const memory = process.memoryUsage().rss;
    {
      await using scu = await RawScu.associated(rig.port);
      scu.socket.pause();
      const echoes = Array.from({ length: 500 }, () =>
        commandPdu(1, [
          [0x00000100, 'US', 0x0030],
          [0x00000110, 'US', 1],
          [0x00000800, 'US', 0x0101],
        ]),
      );
      const closed = rig.told('closed');
      const flood = () => {
        while (!scu.socket.destroyed && scu.socket.write(Buffer.concat(echoes)));
      };
      scu.socket.on('drain', flood);
      flood();
      expect(await closed).toEqual(['aborted']);
    }
    await untilReleased(rig.folder, before);
    expect(process.memoryUsage().rss - memory).toBeLessThan(256 * 2 ** 20);
  });
});
