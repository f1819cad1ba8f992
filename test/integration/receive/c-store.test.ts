import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readFileMeta } from '../../../src/dicom/file-meta.js';
import { IncomingFile } from '../../../src/store/incoming-file.js';
import { SpareFiles } from '../../../src/store/spare-files.js';
import { dataset } from '../../unit/dicom-header/dataset-bytes.js';
import { pdu, pdv, random, split } from '../../unit/receive/pdu-bytes.js';
import { CT_CONTEXT, commandPdu, EXPLICIT, RawScu, releaseRq, storeCommand } from './raw-scu.js';
import { ReceiveRig, slice } from './receive-rig.js';

describe('C-STORE', () => {
  it('keeps the dataset as it was sent, under its UIDs', async () => {
    await using rig = await ReceiveRig.start();
    await using scu = await RawScu.associated(rig.port);
    const bytes = slice('1.2.3.4.5', 300_000);
    const received = rig.told('received');
    scu.store('1.2.3.4.5', bytes);
    expect(await scu.response()).toMatchObject({ status: 0x0000, comment: '' });
    const [instance, verdict] = await received;
    expect(verdict).toBe('stored');
    expect(instance).toMatchObject({
      bytes: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      callingAeTitle: 'SCANNER',
      calledAeTitle: 'VIGIL',
    });
    rig.ingest.flush();
    const file = await readFile(join(rig.folder, rig.files.instancePath(instance.header)));
    const meta = readFileMeta(file);
    expect(meta).toMatchObject({ sopInstanceUid: '1.2.3.4.5', transferSyntaxUid: EXPLICIT });
    expect(file.subarray(meta?.datasetOffset).equals(bytes)).toBe(true);
    expect(await rig.incoming()).toEqual([]);
  });

  it('takes many instances, however the stream is cut', async () => {
    await using rig = await ReceiveRig.start();
    await using scu = await RawScu.associated(rig.port);
    const next = random(11);
    for (let i = 1; i <= 20; i += 1) {
      const bytes = slice(`1.2.3.4.${i}`, 3000 + i);
      const stream = Buffer.concat([
        storeCommand({ sopInstanceUid: `1.2.3.4.${i}`, messageId: i }),
        pdu(
          4,
          Buffer.concat([
            pdv(1, { command: false, last: false }, bytes.subarray(0, 1000)),
            pdv(1, { command: false, last: false }, Buffer.alloc(0)),
            pdv(1, { command: false, last: true }, bytes.subarray(1000)),
          ]),
        ),
      ]);
      for (const piece of split(stream, next, 400)) {
        await new Promise<void>((sent) => scu.socket.write(piece, () => sent()));
      }
      expect((await scu.response()).status).toBe(0);
    }
    scu.send(releaseRq);
    expect((await scu.next())?.type).toBe(6);
  });

  it('takes command and dataset in one PDU, and a request that comes before the answer', async () => {
    await using rig = await ReceiveRig.start();
    await using scu = await RawScu.associated(rig.port);
    const values = (uid: string) => [
      storeCommand({ sopInstanceUid: uid }).subarray(6),
      pdv(1, { command: false, last: true }, slice(uid)),
    ];
    scu.send(
      pdu(4, Buffer.concat([...values('1.1'), ...values('1.2'), ...values('1.3')])),
      releaseRq,
    );
    for (const uid of ['1.1', '1.2', '1.3']) {
      const { status, command } = await scu.response();
      expect([status, command.uid(0x1000)]).toEqual([0, uid]);
    }
    expect((await scu.next())?.type).toBe(6);
  });

  it('answers repeated bytes with success and other bytes too, as a conflict', async () => {
    await using rig = await ReceiveRig.start();
    await using scu = await RawScu.associated(rig.port);
    const verdicts: string[] = [];
    rig.on('received', (_, verdict) => verdicts.push(verdict));
    for (const pixels of [2048, 2048, 4096]) {
      scu.store('1.2.3.4.5', slice('1.2.3.4.5', pixels));
      expect((await scu.response()).status).toBe(0);
    }
    expect(verdicts).toEqual(['stored', 'duplicate', 'conflict']);
  });

  const good = slice('1.2.3.4.5');
  const refusals: [
    string,
    number,
    Buffer | undefined,
    Partial<Parameters<typeof storeCommand>[0]>?,
  ][] = [
    ['a dataset of another instance', 0xa900, slice('1.2.3.4.6')],
    [
      'a dataset of another SOP Class',
      0xa900,
      slice('1.2.3.4.5', 8, [0x00080016, 'UI', '1.2.840.10008.5.1.4.1.1.4']),
    ],
    ['garbage', 0xc000, Buffer.from('this is not DICOM, however long it may be')],
    ['garbage that is long', 0xc000, Buffer.alloc(400_000, 0x41)],
    ['a dataset without Study Instance UID', 0xc000, slice('1.2.3.4.5', 8, [0x0020000d, 'UI', ''])],
    [
      'a UID that would leave the archive',
      0xc000,
      slice('1.2.3.4.5', 8, [0x0020000d, 'UI', '../../../tmp']),
    ],
    ['a dataset cut off in its header', 0xc000, good.subarray(0, 300)],
    ['a dataset cut off in its pixel data', 0xc000, good.subarray(0, good.length - 100)],
    ['a command for another SOP Class', 0x0122, good, { sopClassUid: '1.2.840.10008.5.1.4.1.1.4' }],
    ['a command with an invalid UID', 0x0117, good, { sopInstanceUid: '../1' }],
    ['a command without a dataset', 0xc000, undefined, { dataSetType: 0x0101 }],
  ];

  it.each(refusals)(
    'refuses %s, keeps nothing and goes on',
    async (_, status, bytes, change = {}) => {
      await using rig = await ReceiveRig.start();
      await using scu = await RawScu.associated(rig.port);
      const refused = rig.told('refused');
      scu.send(storeCommand({ sopInstanceUid: '1.2.3.4.5', ...change }));
      if (bytes) {
        for (let start = 0; start < bytes.length; start += 16_000) {
          const last = start + 16_000 >= bytes.length;
          scu.send(pdu(4, pdv(1, { command: false, last }, bytes.subarray(start, start + 16_000))));
        }
      }
      const response = await scu.response();
      expect(response.status).toBe(status);
      expect(response.comment.length).toBeGreaterThan(0);
      expect(response.comment.length).toBeLessThanOrEqual(64);
      expect((await refused)[0]).toMatchObject({ status, reason: response.comment });
      scu.store('1.2.3.4.9', slice('1.2.3.4.9'));
      expect((await scu.response()).status).toBe(0);
      rig.ingest.flush();
      expect(await rig.incoming()).toEqual([]);
    },
  );

  it('answers 0xA700 while the disk is too full, and goes on', async () => {
    await using rig = await ReceiveRig.start({ minimumFreeBytes: Number.MAX_SAFE_INTEGER });
    await using scu = await RawScu.associated(rig.port);
    for (const uid of ['1.1', '1.2']) {
      scu.store(uid, slice(uid, 200_000));
      expect((await scu.response()).status).toBe(0xa700);
    }
    expect(await rig.incoming()).toEqual([]);
  });

  it('answers 0xA700 to a dataset beyond its limit, keeps nothing of it, and goes on', async () => {
    const limit = slice('1.1', 200_000).length;
    await using rig = await ReceiveRig.start({ maximumDatasetBytes: limit });
    await using scu = await RawScu.associated(rig.port);
    const refused = rig.told('refused');
    scu.store('1.1', slice('1.1', 200_002));
    expect((await scu.response()).status).toBe(0xa700);
    expect((await refused)[0].reason).toBe('The dataset is longer than the limit here');
    scu.store('1.2', slice('1.2', 3_000_000));
    expect((await scu.response()).status).toBe(0xa700);
    await expect.poll(() => rig.incoming()).toEqual([]);
    scu.store('1.1', slice('1.1', 200_000));
    expect((await scu.response()).status).toBe(0);
  });

  it('leaves the reserve of the disk alone when it falls short while a long dataset comes', async () => {
    await using rig = await ReceiveRig.start();
    await using spares = new SpareFiles(join(rig.folder, 'incoming'));
    let hasRoom = true;
    const file = new IncomingFile({
      spare: spares.take(),
      head: Buffer.alloc(200),
      sender: { associationId: 1, callingAeTitle: 'A', calledAeTitle: 'B' },
      hasRoom: () => hasRoom,
    });
    file.write(Buffer.alloc(2 ** 20));
    await file.write(Buffer.alloc(2 ** 20));
    hasRoom = false;
    file.write(Buffer.alloc(2 ** 20));
    await expect(file.finish()).rejects.toThrow('The storage is full');
    await file.discard();
    expect(await rig.incoming()).toEqual([]);
  });

  it('answers 0xA700 while the catalog takes nothing, and keeps no file', async () => {
    const catalog = {
      accept: () => {
        throw new Error('no rows today');
      },
    };
    await using rig = await ReceiveRig.start({ catalog });
    await using scu = await RawScu.associated(rig.port);
    scu.store('1.1', slice('1.1'));
    expect((await scu.response()).status).toBe(0xa700);
    await using other = await RawScu.associated(rig.port);
    other.store('1.2', slice('1.2'));
    await other.response();
    expect(await rig.incoming()).toHaveLength(0);
  });

  it('keeps nothing of an instance that was not sent whole', async () => {
    await using rig = await ReceiveRig.start();
    for (const end of ['abort', 'reset'] as const) {
      await using scu = await RawScu.associated(rig.port);
      const closed = rig.told('closed');
      scu.send(storeCommand({ sopInstanceUid: '1.1' }));
      scu.send(pdu(4, pdv(1, { command: false, last: false }, slice('1.1').subarray(0, 900))));
      if (end === 'abort') scu.send(pdu(7, Buffer.alloc(4)));
      else scu.socket.resetAndDestroy();
      expect(await closed).toEqual([end === 'abort' ? 'aborted' : 'lost']);
      await scu.closed();
    }
    await rig.scp.stop();
    await expect.poll(() => rig.incoming()).toEqual([]);
  });
});

describe('other services', () => {
  it('answers C-ECHO', async () => {
    await using rig = await ReceiveRig.start();
    await using scu = await RawScu.associated(rig.port, {
      contexts: [
        { id: 5, abstractSyntax: '1.2.840.10008.1.1', transferSyntaxes: ['1.2.840.10008.1.2'] },
      ],
    });
    scu.send(
      commandPdu(5, [
        [0x00000002, 'UI', '1.2.840.10008.1.1'],
        [0x00000100, 'US', 0x0030],
        [0x00000110, 'US', 9],
        [0x00000800, 'US', 0x0101],
      ]),
    );
    const { status, command } = await scu.response();
    expect([status, command.number(0x0100), command.number(0x0120)]).toEqual([0, 0x8030, 9]);
  });

  it('answers 0x0211 to a service that it does not have, and drops its dataset', async () => {
    await using rig = await ReceiveRig.start();
    await using scu = await RawScu.associated(rig.port);
    scu.send(
      commandPdu(1, [
        [0x00000002, 'UI', '1.2.840.10008.5.1.4.1.2.2.1'],
        [0x00000100, 'US', 0x0020],
        [0x00000110, 'US', 2],
        [0x00000800, 'US', 0],
      ]),
      pdu(4, pdv(1, { command: false, last: true }, dataset([[0x00080052, 'CS', 'STUDY']]))),
    );
    expect((await scu.response()).status).toBe(0x0211);
    scu.store('1.1', slice('1.1'));
    expect((await scu.response()).status).toBe(0);
  });
});

describe('messages that break the protocol', () => {
  const store = storeCommand({ sopInstanceUid: '1.1' });
  const command = (length: number) =>
    pdu(4, pdv(1, { command: true, last: false }, Buffer.alloc(length)));
  const cases: [string, Buffer[], number][] = [
    ['a context that was not accepted', [commandPdu(7, [[0x00000100, 'US', 1]])], 6],
    [
      'a dataset without a command',
      [pdu(4, pdv(1, { command: false, last: true }, slice('1.1')))],
      6,
    ],
    ['a command within a dataset', [store, store], 6],
    [
      'a dataset of another context',
      [store, pdu(4, pdv(3, { command: false, last: true }, slice('1.1')))],
      6,
    ],
    ['a command without end', Array.from({ length: 3 }, () => command(8000)), 6],
    [
      'a command that is none',
      [pdu(4, pdv(1, { command: true, last: true }, Buffer.from('nonsense')))],
      6,
    ],
    [
      'a response to no request',
      [
        commandPdu(1, [
          [0x00000100, 'US', 0x8001],
          [0x00000110, 'US', 1],
          [0x00000800, 'US', 0x0101],
        ]),
      ],
      6,
    ],
    ['a PDU of 4 GiB', [pdu(4, Buffer.alloc(0), 0xffffffff)], 6],
    ['an unknown PDU', [pdu(0x47, Buffer.alloc(4))], 1],
    ['a second A-ASSOCIATE-RQ', [pdu(1, Buffer.alloc(200))], 6],
    ['an A-RELEASE-RP', [pdu(6, Buffer.alloc(4))], 2],
  ];

  it.each(cases)('are answered with A-ABORT: %s', async (_, pdus, reason) => {
    await using rig = await ReceiveRig.start();
    await using scu = await RawScu.associated(rig.port, {
      contexts: [CT_CONTEXT, { ...CT_CONTEXT, id: 3 }],
    });
    const closed = rig.told('closed');
    scu.send(...pdus);
    const abort = await scu.next();
    expect(abort?.type).toBe(7);
    expect(Array.from(abort?.body ?? [])).toEqual([0, 0, 2, reason]);
    expect(await closed).toEqual(['aborted']);
    await expect.poll(() => rig.incoming()).toEqual([]);
  });
});
