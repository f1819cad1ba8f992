import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readFileMeta } from '../../../src/dicom/file-meta.js';
import { openHandles, untilReleased } from '../../fixtures/open-handles.js';
import { associateRqBody, pdu, pdv, random } from '../../unit/receive/pdu-bytes.js';
import { CT_CONTEXT, RawScu, releaseRq, storeCommand } from './raw-scu.js';
import { ReceiveRig, slice } from './receive-rig.js';

/** A C-STORE session as bytes: association, one image in PDUs of 16 KiB, release. */
function sessionOf(sopInstanceUid: string, image: Buffer) {
  const request = pdu(1, associateRqBody({ contexts: [CT_CONTEXT] }));
  const pdus = [storeCommand({ sopInstanceUid })];
  for (let start = 0; start < image.length; start += 16_000) {
    const last = start + 16_000 >= image.length;
    pdus.push(pdu(4, pdv(1, { command: false, last }, image.subarray(start, start + 16_000))));
  }
  const whole = Buffer.concat([request, ...pdus, releaseRq]);
  return { bytes: whole, imageEnd: whole.length - releaseRq.length };
}

type End = 'FIN' | 'RST';

/**
 * Plays a session up to a byte and ends the connection there. An image that was sent whole is waited for: resolves to
 * whether it was acknowledged.
 */
async function breakOff(
  port: number,
  { bytes, imageEnd }: ReturnType<typeof sessionOf>,
  length: number,
  end: End,
): Promise<boolean> {
  await using scu = await RawScu.connect(port);
  let acknowledged = false;
  const sendUpTo = (from: number, to: number) =>
    new Promise<void>((sent) => scu.socket.write(bytes.subarray(from, to), () => sent()));
  const first = Math.min(length, imageEnd);
  if (first > 0) await sendUpTo(0, first);
  if (length >= imageEnd) {
    expect((await scu.next())?.type).toBe(2);
    acknowledged = (await scu.response()).status === 0;
    if (length > first) await sendUpTo(first, length);
  }
  if (end === 'FIN') scu.socket.end();
  else scu.socket.resetAndDestroy();
  await scu.closed();
  return acknowledged;
}

/** Whether the archive holds the instance, byte for byte; throws where it holds other bytes. */
async function isStored(rig: ReceiveRig, sopInstanceUid: string, image: Buffer): Promise<boolean> {
  const path = join(rig.folder, 'instances', '1.2.3', '1.2.3.4', `${sopInstanceUid}.dcm`);
  const file = await readFile(path).catch(() => undefined);
  if (file === undefined) return false;
  expect(file.subarray(readFileMeta(file)?.datasetOffset).equals(image)).toBe(true);
  return true;
}

describe('a connection that breaks off', () => {
  it.each<End>(['FIN', 'RST'])(
    'by %s, at any byte of a session, leaves nothing behind and loses no acknowledged image',
    async (end) => {
      await using rig = await ReceiveRig.start();
      const { bytes } = sessionOf('1.2.10000', slice('1.2.10000', 64));
      const before = openHandles(rig.folder);
      let acknowledged = 0;
      const attempt = async (length: number) => {
        const uid = `1.2.${10_000 + length}`;
        const image = slice(uid, 64);
        const isAcknowledged = await breakOff(rig.port, sessionOf(uid, image), length, end);
        if (!isAcknowledged) return;
        acknowledged += 1;
        rig.ingest.flush();
        expect(await isStored(rig, uid, image)).toBe(true);
      };
      for (let length = 0; length <= bytes.length; length += 8) {
        const some = Array.from({ length: 8 }, (_, i) => length + i);
        await Promise.all(some.filter((one) => one <= bytes.length).map(attempt));
      }
      expect(acknowledged).toBe(releaseRq.length + 1);
      await untilReleased(rig.folder, before);
      expect(await rig.incoming()).toEqual([]);
      expect(rig.scp.openAssociations).toBe(0);
      expect(rig.errors).toEqual([]);
    },
  );

  it.each([1, 2, 3])(
    'at random bytes of a 512 by 512 image, is as if it had not been begun (seed %i)',
    async (seed) => {
      await using rig = await ReceiveRig.start();
      const next = random(seed);
      const image = (uid: string) => slice(uid, 512 * 512 * 2);
      const before = openHandles(rig.folder);
      for (let round = 0; round < 10; round += 1) {
        const attempt = async (i: number) => {
          const uid = `1.2.${1000 + 10 * round + i}`;
          const session = sessionOf(uid, image(uid));
          const length = Math.floor(next() * session.bytes.length);
          const end = next() < 0.5 ? 'FIN' : 'RST';
          const acknowledged = await breakOff(rig.port, session, length, end);
          rig.ingest.flush();
          const stored = await isStored(rig, uid, image(uid));
          expect(stored || !acknowledged).toBe(true);
          expect(stored && length < session.imageEnd).toBe(false);
        };
        await Promise.all([0, 1, 2, 3].map(attempt));
      }
      await untilReleased(rig.folder, before);
      expect(await rig.incoming()).toEqual([]);
      expect(rig.errors).toEqual([]);
    },
  );

  it('while the answer is on its way keeps the image or nothing, and goes on', async () => {
    await using rig = await ReceiveRig.start();
    const before = openHandles(rig.folder);
    for (let i = 0; i < 50; i += 1) {
      const uid = `1.2.${100 + i}`;
      await using scu = await RawScu.associated(rig.port);
      const closed = rig.told('closed');
      await new Promise<void>((sent) => {
        const { bytes, imageEnd } = sessionOf(uid, slice(uid));
        const request = bytes.readUInt32BE(2) + 6;
        scu.socket.write(bytes.subarray(request, imageEnd), () => sent());
      });
      scu.socket.resetAndDestroy();
      expect(await closed).toEqual(['lost']);
    }
    await untilReleased(rig.folder, before);
    rig.ingest.flush();
    expect(await rig.incoming()).toEqual([]);
    for (let i = 0; i < 50; i += 1) await isStored(rig, `1.2.${100 + i}`, slice(`1.2.${100 + i}`));
    expect(rig.errors).toEqual([]);
  });
});
