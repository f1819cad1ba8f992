import { withoutPadding } from './padding.js';
import type { EncodedInstance } from './verbatim-dataset.js';
import { isShortVrCode } from './vr.js';

/** Vigil's own (PS3.7 D.3.3.2); a new one comes only with a change in how Vigil encodes objects. */
export const IMPLEMENTATION_CLASS_UID = '2.25.133461071236256910653371562591478026773';
export const IMPLEMENTATION_VERSION_NAME = 'VIGIL';

/** What the File Meta Information says (PS3.10 7.1), and where the dataset begins in the file. */
export interface FileMeta extends EncodedInstance {
  readonly datasetOffset: number;
}

const PREAMBLE_LENGTH = 128;
const MEDIA_STORAGE_SOP_CLASS_UID = 0x0002;
const MEDIA_STORAGE_SOP_INSTANCE_UID = 0x0003;
const TRANSFER_SYNTAX_UID = 0x0010;

/**
 * Reads the File Meta Information from the beginning of a Part 10 file, or undefined where the bytes do not begin one
 * or end within it. Its end is where group 0002 ends: some writers state a wrong group length.
 */
export function readFileMeta(bytes: Uint8Array): FileMeta | undefined {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let offset = PREAMBLE_LENGTH + 4;
  if (file.toString('latin1', PREAMBLE_LENGTH, offset) !== 'DICM') return undefined;
  const uids = new Map<number, string>();
  while (offset + 12 <= file.length && file.readUInt16LE(offset) === 0x0002) {
    const long = !isShortVrCode(file.readUInt16BE(offset + 4));
    const length = long ? file.readUInt32LE(offset + 8) : file.readUInt16LE(offset + 6);
    const value = offset + (long ? 12 : 8);
    if (value + length > file.length) return undefined;
    const text = file.toString('latin1', value, value + Math.min(length, 64));
    uids.set(file.readUInt16LE(offset + 2), withoutPadding(text));
    offset = value + length;
  }
  const sopClassUid = uids.get(MEDIA_STORAGE_SOP_CLASS_UID);
  const sopInstanceUid = uids.get(MEDIA_STORAGE_SOP_INSTANCE_UID);
  const transferSyntaxUid = uids.get(TRANSFER_SYNTAX_UID);
  if (!sopClassUid || !sopInstanceUid || !transferSyntaxUid) return undefined;
  return { sopClassUid, sopInstanceUid, transferSyntaxUid, datasetOffset: offset };
}

/** What stands before the dataset in a Part 10 file: preamble, prefix and File Meta Information (PS3.10 7.1). */
export function encodeFileMeta(instance: EncodedInstance): Buffer {
  const elements = Buffer.concat([
    Buffer.from([0x02, 0x00, 0x01, 0x00, 0x4f, 0x42, 0x00, 0x00, 2, 0, 0, 0, 0x00, 0x01]),
    element(MEDIA_STORAGE_SOP_CLASS_UID, 'UI', instance.sopClassUid),
    element(MEDIA_STORAGE_SOP_INSTANCE_UID, 'UI', instance.sopInstanceUid),
    element(TRANSFER_SYNTAX_UID, 'UI', instance.transferSyntaxUid),
    element(0x0012, 'UI', IMPLEMENTATION_CLASS_UID),
    element(0x0013, 'SH', IMPLEMENTATION_VERSION_NAME),
  ]);
  const head = Buffer.alloc(PREAMBLE_LENGTH + 4 + 12);
  head.write('DICM', PREAMBLE_LENGTH, 'latin1');
  head.writeUInt16LE(0x0002, PREAMBLE_LENGTH + 4);
  head.write('UL', PREAMBLE_LENGTH + 8, 'latin1');
  head.writeUInt16LE(4, PREAMBLE_LENGTH + 10);
  head.writeUInt32LE(elements.length, PREAMBLE_LENGTH + 12);
  return Buffer.concat([head, elements]);
}

/** An element of group 0002 with a short explicit length; UIDs are padded with a null, text with a space. */
function element(number: number, vr: 'UI' | 'SH', value: string): Buffer {
  const padding = value.length % 2 === 0 ? '' : vr === 'UI' ? '\0' : ' ';
  const head = Buffer.alloc(8);
  head.writeUInt16LE(0x0002, 0);
  head.writeUInt16LE(number, 2);
  head.write(vr, 4, 'latin1');
  head.writeUInt16LE(value.length + padding.length, 6);
  return Buffer.concat([head, Buffer.from(value + padding, 'latin1')]);
}
