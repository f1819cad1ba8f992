import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../../src/receive/store-scp.js';
import { pdu, pdv } from '../../unit/receive/pdu-bytes.js';
import { heldTimers } from '../held-timers.js';
import { RawScu, releaseRq, storeCommand } from './raw-scu.js';
import { ReceiveRig, slice } from './receive-rig.js';

describe('an association', () => {
  it('is accepted with what was negotiated, and released', async () => {
    await using rig = await ReceiveRig.start();
    await using scu = await RawScu.connect(rig.port);
    const opened = rig.told('opened');
    const answer = await scu.associate({ callingAeTitle: 'CT-1', calledAeTitle: 'NODE' });
    expect(answer?.type).toBe(2);
    expect(answer?.body.toString('latin1', 4, 36)).toBe('NODE            CT-1            ');
    expect((await opened)[0]).toMatchObject({
      callingAeTitle: 'CT-1',
      calledAeTitle: 'NODE',
      remoteAddress: '127.0.0.1',
    });
    const closed = rig.told('closed');
    scu.send(releaseRq);
    expect((await scu.next())?.type).toBe(6);
    expect(await closed).toEqual(['released']);
  });

  it('is rejected for an AE title that is not ours', async () => {
    await using rig = await ReceiveRig.start({ calledAeTitles: ['NODE'] });
    await using scu = await RawScu.connect(rig.port);
    const rejected = rig.told('rejected');
    const answer = await scu.associate({ calledAeTitle: 'OTHER' });
    expect(answer?.type).toBe(3);
    expect(Array.from(answer?.body ?? [])).toEqual([0, 1, 1, 7]);
    expect((await rejected)[0]).toMatchObject({ result: 1, source: 1, reason: 7 });
  });

  it('is rejected beyond the limit, for as long as the others last', async () => {
    await using rig = await ReceiveRig.start({ maximumAssociations: 1 });
    await using first = await RawScu.associated(rig.port);
    await using second = await RawScu.connect(rig.port);
    const answer = await second.associate();
    expect(answer?.type).toBe(3);
    expect(Array.from(answer?.body ?? [])).toEqual([0, 2, 3, 2]);
    first.send(releaseRq);
    await first.next();
    await using third = await RawScu.associated(rig.port);
    expect(rig.scp.openAssociations).toBe(1);
    third.send(releaseRq);
  });

  it('does not come about where there are too many connections', async () => {
    await using rig = await ReceiveRig.start({ maximumConnections: 1 });
    await using first = await RawScu.associated(rig.port);
    const dropped = rig.told('dropped');
    await using second = await RawScu.connect(rig.port);
    await dropped;
    await second.closed();
    first.send(releaseRq);
  });

  it.each([
    ['an invalid A-ASSOCIATE-RQ', pdu(1, Buffer.alloc(100)), 0],
    ['P-DATA-TF', pdu(4, pdv(1, { command: true, last: true }, Buffer.alloc(10))), 0],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n'), 0],
    ['A-RELEASE-RQ', releaseRq, 0],
  ])('is not begun by %s: A-ABORT', async (_, bytes, source) => {
    await using rig = await ReceiveRig.start();
    await using scu = await RawScu.connect(rig.port);
    scu.send(bytes);
    const abort = await scu.next();
    expect([abort?.type, abort?.body[2]]).toEqual([7, source]);
  });

  it('has to be requested in time', async () => {
    await using rig = await ReceiveRig.start({ artimMs: 50 });
    await using silentScu = await RawScu.connect(rig.port);
    await using slowScu = await RawScu.connect(rig.port);
    slowScu.send(Buffer.from([1, 0, 0, 0, 0, 200]));
    await silentScu.closed();
    await slowScu.closed();
    expect(await silentScu.next()).toBeUndefined();
  });

  it('has its connection closed where the requestor does not', async () => {
    const timers = heldTimers();
    await using rig = await ReceiveRig.start();
    await using scu = await RawScu.associated(rig.port);
    scu.send(releaseRq);
    expect((await scu.next())?.type).toBe(6);
    timers.runOut();
    await scu.closed();
  });

  it('is aborted when nothing happens on it', async () => {
    const timers = heldTimers();
    await using rig = await ReceiveRig.start();
    await using scu = await RawScu.associated(rig.port);
    const closed = rig.told('closed');
    timers.pass(DEFAULT_LIMITS.idleMs + 1);
    const abort = await scu.next();
    expect(Array.from(abort?.body ?? [])).toEqual([0, 0, 0, 0]);
    expect(await closed).toEqual(['aborted']);
    timers.runOut();
    await scu.closed();
  });
});

describe('stopping', () => {
  it('lets a C-STORE that has begun come to its answer, then aborts', async () => {
    await using rig = await ReceiveRig.start();
    await using scu = await RawScu.associated(rig.port);
    await using idle = await RawScu.associated(rig.port);
    const bytes = slice('1.1', 5000);
    scu.send(storeCommand({ sopInstanceUid: '1.1' }));
    scu.send(pdu(4, pdv(1, { command: false, last: false }, bytes.subarray(0, 2000))));
    await rig.begun();
    const port = rig.port;
    const stopped = rig.scp.stop();
    expect((await idle.next())?.type).toBe(7);
    await idle.closed();
    await expect(RawScu.connect(port)).rejects.toThrow();
    scu.send(pdu(4, pdv(1, { command: false, last: true }, bytes.subarray(2000))));
    expect((await scu.response()).status).toBe(0);
    expect((await scu.next())?.type).toBe(7);
    await stopped;
  });

  it('waits no longer than its limit', async () => {
    await using rig = await ReceiveRig.start({ drainMs: 50 });
    await using scu = await RawScu.associated(rig.port);
    scu.send(storeCommand({ sopInstanceUid: '1.1' }));
    scu.send(pdu(4, pdv(1, { command: false, last: false }, slice('1.1').subarray(0, 500))));
    await rig.begun();
    const stopped = rig.scp.stop();
    expect((await scu.next())?.type).toBe(7);
    await stopped;
    await expect.poll(() => rig.incoming()).toEqual([]);
  });

  it('can be repeated, and followed by a start', async () => {
    await using rig = await ReceiveRig.start();
    await Promise.all([rig.scp.stop(), rig.scp.stop()]);
    await rig.scp.stop();
    await rig.scp.start();
    await rig.scp.start();
    await using scu = await RawScu.associated(rig.port);
    scu.send(releaseRq);
    expect((await scu.next())?.type).toBe(6);
  });
});
