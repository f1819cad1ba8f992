import { describe, expect, it } from 'vitest';
import type { IncomingFiles } from '../../../src/receive/needs.js';
import { DEFAULT_LIMITS } from '../../../src/receive/store-scp.js';
import { pdu, pdv } from '../../unit/receive/pdu-bytes.js';
import { heldTimers } from '../held-timers.js';
import { RawScu, storeCommand } from './raw-scu.js';
import { ReceiveRig, slice } from './receive-rig.js';
import { SlowFile } from './slow-file.js';

describe('a slow disk', () => {
  it('pauses the sender, with bounded memory, and lets it go on', async () => {
    const file = new SlowFile(100_000);
    const files: IncomingFiles = { create: () => file };
    await using rig = await ReceiveRig.start({ files, catalog: { accept: () => 'stored' } });
    await using scu = await RawScu.associated(rig.port);
    // More than the socket buffers of both sides hold.
    const bytes = slice('1.1', 48 * 1024 * 1024);
    scu.send(storeCommand({ sopInstanceUid: '1.1' }));
    for (let start = 0; start < bytes.length; start += 100_000) {
      const last = start + 100_000 >= bytes.length;
      scu.send(pdu(4, pdv(1, { command: false, last }, bytes.subarray(start, start + 100_000))));
    }
    await expect.poll(() => file.taken).toBeGreaterThan(100_000);
    await expect.poll(() => scu.socket.writableNeedDrain).toBe(true);
    const before = scu.socket.writableLength;
    const nothingMoves = () => scu.socket.writableLength === before && file.taken < 300_000;
    expect(nothingMoves()).toBe(true);
    file.release();
    expect((await scu.response()).status).toBe(0);
    expect(file.taken).toBe(bytes.length);
  });

  it('does not make the association idle', async () => {
    const file = new SlowFile(0);
    const files: IncomingFiles = { create: () => file };
    const timers = heldTimers();
    await using rig = await ReceiveRig.start({ files, catalog: { accept: () => 'stored' } });
    await using scu = await RawScu.associated(rig.port);
    scu.store('1.1', slice('1.1'));
    await expect.poll(() => file.taken).toBeGreaterThan(0);
    await using other = await RawScu.associated(rig.port);
    timers.pass(DEFAULT_LIMITS.idleMs + 1);
    expect((await other.next())?.type).toBe(7);
    file.release();
    expect((await scu.response()).status).toBe(0);
  });
});

describe('a sender that reads no answers', () => {
  it('is not read from any more', async () => {
    await using rig = await ReceiveRig.start({ idleMs: 500, artimMs: 1000 });
    await using scu = await RawScu.associated(rig.port);
    scu.socket.pause();
    const echo = storeCommand({ sopInstanceUid: '../' });
    const dataset = pdu(4, pdv(1, { command: false, last: true }, Buffer.alloc(2)));
    const requests = Buffer.concat(Array.from({ length: 2000 }, () => [echo, dataset]).flat());
    const closed = rig.told('closed');
    const flood = () => {
      while (!scu.socket.destroyed && scu.socket.write(requests));
    };
    scu.socket.on('drain', flood);
    flood();
    expect(await closed).toEqual(['aborted']);
    expect(scu.socket.writableNeedDrain).toBe(true);
  });
});
