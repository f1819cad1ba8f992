import { describe, expect, it } from 'vitest';
import { pdu, pdv, random } from '../../unit/receive/pdu-bytes.js';
import { heldTimers } from '../held-timers.js';
import { commandPdu, RawScu, releaseRq, storeCommand } from './raw-scu.js';
import { ReceiveRig, slice } from './receive-rig.js';

const uids = Array.from({ length: 12 }, (_, i) => `1.2.3.4.${i + 1}`);

function shuffled<T>(items: readonly T[], seed: number): T[] {
  const next = random(seed);
  return items
    .map((item) => ({ item, at: next() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** Of the verdicts on what was received, each with how often it came. */
function counting(rig: ReceiveRig): Map<string, number> {
  const counts = new Map<string, number>();
  rig.on('received', (_, verdict) => counts.set(verdict, (counts.get(verdict) ?? 0) + 1));
  return counts;
}

const cancel = (messageId: number, dataSetType = 0x0101) =>
  commandPdu(1, [
    [0x00000100, 'US', 0x0fff],
    [0x00000120, 'US', messageId],
    [0x00000800, 'US', dataSetType],
  ]);

describe('slices in any order', () => {
  it('are kept once each, however often and in what order they come', async () => {
    await using rig = await ReceiveRig.start();
    const verdicts = counting(rig);
    await using scu = await RawScu.associated(rig.port);
    for (const uid of shuffled([...uids, ...uids, ...uids], 3)) {
      scu.store(uid, slice(uid));
      expect((await scu.response()).status).toBe(0);
    }
    rig.ingest.flush();
    expect(Object.fromEntries(verdicts)).toEqual({ stored: 12, duplicate: 24 });
    expect(await rig.incoming()).toEqual([]);
  });

  it('are kept once where two associations send the same one at the same time', async () => {
    await using rig = await ReceiveRig.start();
    const verdicts = counting(rig);
    const scus = [await RawScu.associated(rig.port), await RawScu.associated(rig.port)];
    for (const uid of uids) {
      const bytes = slice(uid, 60_000);
      for (const scu of scus) scu.send(storeCommand({ sopInstanceUid: uid }));
      for (let start = 0; start < bytes.length; start += 10_000) {
        const last = start + 10_000 >= bytes.length;
        const part = bytes.subarray(start, start + 10_000);
        for (const scu of scus) scu.send(pdu(4, pdv(1, { command: false, last }, part)));
      }
      const answers = await Promise.all(scus.map((scu) => scu.response()));
      expect(answers.map(({ status }) => status)).toEqual([0, 0]);
    }
    rig.ingest.flush();
    expect(Object.fromEntries(verdicts)).toEqual({ stored: 12, duplicate: 12 });
    expect(await rig.incoming()).toEqual([]);
    for (const scu of scus) await scu[Symbol.asyncDispose]();
  });

  it('are answered in their order where a sender does not wait for the answers', async () => {
    await using rig = await ReceiveRig.start();
    await using scu = await RawScu.associated(rig.port);
    for (const [i, uid] of uids.entries()) {
      scu.send(storeCommand({ sopInstanceUid: uid, messageId: 100 + i }));
      scu.send(pdu(4, pdv(1, { command: false, last: true }, slice(uid))));
    }
    for (const [i] of uids.entries()) {
      const { status, command } = await scu.response();
      expect([status, command.number(0x0120)]).toEqual([0, 100 + i]);
    }
    scu.send(releaseRq);
    expect((await scu.next())?.type).toBe(6);
  });
});

describe('C-CANCEL', () => {
  it('to nothing, to what is answered and to what was never asked is passed over', async () => {
    await using rig = await ReceiveRig.start();
    await using scu = await RawScu.associated(rig.port);
    scu.send(cancel(1));
    scu.store('1.2.3.4.1', slice('1.2.3.4.1'));
    scu.send(cancel(1), cancel(4711));
    expect((await scu.response()).status).toBe(0);
    scu.send(cancel(1));
    scu.store('1.2.3.4.2', slice('1.2.3.4.2'));
    expect((await scu.response()).status).toBe(0);
    scu.send(cancel(1), releaseRq);
    expect((await scu.next())?.type).toBe(6);
  });

  it.each([
    ['between a command and its dataset', [storeCommand({ sopInstanceUid: '1.2.3.4.9' })]],
    [
      'within a dataset',
      [
        storeCommand({ sopInstanceUid: '1.2.3.4.9' }),
        pdu(4, pdv(1, { command: false, last: false }, slice('1.2.3.4.9').subarray(0, 400))),
      ],
    ],
  ])('%s aborts the association, and nothing of the slice is kept', async (_, before) => {
    const timers = heldTimers();
    await using rig = await ReceiveRig.start();
    const closed = rig.told('closed');
    await using scu = await RawScu.associated(rig.port);
    scu.send(...before, cancel(1));
    expect((await scu.next())?.type).toBe(7);
    expect(await closed).toEqual(['aborted']);
    timers.runOut();
    await scu.closed();
    expect(await rig.incoming()).toEqual([]);
  });

  it('that announces a dataset aborts when the dataset comes', async () => {
    await using rig = await ReceiveRig.start();
    await using scu = await RawScu.associated(rig.port);
    scu.send(cancel(1, 0), pdu(4, pdv(1, { command: false, last: true }, slice('1.2.3.4.9'))));
    expect((await scu.next())?.type).toBe(7);
    expect(rig.errors).toEqual([]);
  });

  it('in pieces within another command aborts', async () => {
    await using rig = await ReceiveRig.start();
    await using scu = await RawScu.associated(rig.port);
    const half = storeCommand({ sopInstanceUid: '1.2.3.4.9' }).subarray(12, 40);
    scu.send(pdu(4, pdv(1, { command: true, last: false }, half)), cancel(1));
    expect((await scu.next())?.type).toBe(7);
    expect(await rig.incoming()).toEqual([]);
  });
});
