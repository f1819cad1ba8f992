import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OutgoingObject } from '../../../src/deliver/store-scu.js';
import { encodeFileMeta } from '../../../src/dicom/file-meta.js';

export const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7';
export const COMPREHENSIVE_SR = '1.2.840.10008.5.1.4.1.1.88.33';
export const COMPREHENSIVE_3D_SR = '1.2.840.10008.5.1.4.1.1.88.34';
export const IMPLICIT_LITTLE = '1.2.840.10008.1.2';
export const EXPLICIT_LITTLE = '1.2.840.10008.1.2.1';
export const JPEG_LOSSLESS = '1.2.840.10008.1.2.4.70';

/** A temporary folder that is gone with its scope. */
export async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'vigil-test-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** An element in Explicit VR Little Endian with a short length. */
export function element(tag: number, vr: string, value: string | Buffer): Buffer {
  const bytes = Buffer.from(value as string, 'latin1');
  const padded =
    bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.from(PAD[vr] ?? ' ')]);
  const head = Buffer.alloc(8);
  head.writeUInt16LE(tag >>> 16, 0);
  head.writeUInt16LE(tag & 0xffff, 2);
  head.write(vr, 4, 'latin1');
  head.writeUInt16LE(padded.length, 6);
  return Buffer.concat([head, padded]);
}

const PAD: Readonly<Record<string, string>> = { UI: '\0', OB: '\0' };

/** A sequence of undefined length with one item of defined length. */
export function sequence(tag: number, item: Buffer): Buffer {
  const head = Buffer.alloc(12 + 8);
  head.writeUInt16LE(tag >>> 16, 0);
  head.writeUInt16LE(tag & 0xffff, 2);
  head.write('SQ', 4, 'latin1');
  head.writeUInt32LE(0xffffffff, 8);
  head.writeUInt32LE(0xe000fffe, 12);
  head.writeUInt32LE(item.length, 16);
  const end = Buffer.alloc(8);
  end.writeUInt32LE(0xe0ddfffe, 0);
  return Buffer.concat([head, item, end]);
}

export interface TestObject extends OutgoingObject {
  readonly dataset: Buffer;
}

/** Writes an object whose dataset has what encoders like to change: private elements and a foreign character set. */
export async function writeObject(
  folder: string,
  number: number,
  overrides: Partial<OutgoingObject> & {
    size?: number;
    studyInstanceUid?: string;
    seriesInstanceUid?: string;
  } = {},
): Promise<TestObject> {
  const {
    size = 20_000,
    studyInstanceUid = '2.25.4712',
    seriesInstanceUid = '2.25.4713',
    ...rest
  } = overrides;
  const instance = {
    sopClassUid: SECONDARY_CAPTURE,
    sopInstanceUid: `2.25.4711.${number}`,
    transferSyntaxUid: EXPLICIT_LITTLE,
    ...rest,
  };
  const dataset = Buffer.concat([
    element(0x00080005, 'CS', 'ISO_IR 100'),
    element(0x00080016, 'UI', instance.sopClassUid),
    element(0x00080018, 'UI', instance.sopInstanceUid),
    sequence(0x00081140, element(0x00081155, 'UI', '1.2.3')),
    element(0x00090010, 'LO', 'A PRIVATE CREATOR'),
    element(0x00091001, 'ST', 'PRIVATE'),
    element(0x00100010, 'PN', 'M\xfcller^Synthetic'),
    element(0x0020000d, 'UI', studyInstanceUid),
    element(0x0020000e, 'UI', seriesInstanceUid),
    pixelData(size, number),
  ]);
  const file = join(folder, `${number}.dcm`);
  await writeFile(file, Buffer.concat([encodeFileMeta(instance), dataset]));
  return { ...instance, file, dataset };
}

/** Pixel Data (OW) of the given even length. */
function pixelData(size: number, seed: number): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt32LE(0x00107fe0, 0);
  head.write('OW', 4, 'latin1');
  head.writeUInt32LE(size, 8);
  return Buffer.concat([head, Buffer.alloc(size, (seed * 37) % 251)]);
}
