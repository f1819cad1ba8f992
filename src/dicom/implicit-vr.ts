import { isShortVr, UNDEFINED_LENGTH } from './vr.js';

/** Item, Item Delimitation and Sequence Delimitation have no VR in any transfer syntax (PS3.5 7.5). */
const DELIMITER_GROUP = 0xfffe;
const ITEM = 0xe000;
const ITEM_DELIMITATION = 0xe00d;
const SEQUENCE_DELIMITATION = 0xe0dd;

/**
 * Encodes a dataset of Explicit VR Little Endian as Implicit VR Little Endian (PS3.5 7.1.3): headers lose their VR,
 * values stay as they are, and sequences and items become undefined in length. Native pixel data only.
 *
 * @throws RangeError where the dataset is cut off or nested against PS3.5 7.5.
 */
export function explicitToImplicit(dataset: Uint8Array): Buffer {
  const source = Buffer.from(dataset.buffer, dataset.byteOffset, dataset.byteLength);
  const parts: Buffer[] = [];
  const end = convertElements(source, 0, source.length, parts);
  if (end !== source.length) throw new RangeError('A delimiter stands outside of any sequence');
  return Buffer.concat(parts);
}

/** Converts elements up to `end` or an item delimitation, which it consumes; returns the offset after them. */
function convertElements(source: Buffer, start: number, end: number, parts: Buffer[]): number {
  let offset = start;
  while (offset < end) {
    if (source.readUInt16LE(offset) === DELIMITER_GROUP) return offset;
    const vr = source.toString('latin1', offset + 4, offset + 6);
    const long = !isShortVr(vr);
    const length = long ? source.readUInt32LE(offset + 8) : source.readUInt16LE(offset + 6);
    const value = offset + (long ? 12 : 8);
    const tag = source.subarray(offset, offset + 4);
    if (vr === 'SQ') {
      parts.push(tag, uint32(UNDEFINED_LENGTH));
      offset = convertItems(source, value, length, parts);
      parts.push(delimiter(SEQUENCE_DELIMITATION));
    } else if (length === UNDEFINED_LENGTH) {
      // UN of undefined length is already implicit inside (PS3.5 6.2.2 note 2); fragments cannot come here.
      throw new RangeError('An element other than a sequence has an undefined length');
    } else {
      if (value + length > end) throw new RangeError('An element is longer than its dataset');
      // Group lengths (PS3.5 7.2) would be wrong now, and nobody needs them.
      if (source.readUInt16LE(offset + 2) !== 0) {
        parts.push(tag, uint32(length), source.subarray(value, value + length));
      }
      offset = value + length;
    }
  }
  return offset;
}

/** Converts the items of a sequence; returns the offset after it. */
function convertItems(source: Buffer, start: number, length: number, parts: Buffer[]): number {
  const end = length === UNDEFINED_LENGTH ? source.length : start + length;
  let offset = start;
  while (offset < end) {
    const element = source.readUInt16LE(offset + 2);
    const itemLength = source.readUInt32LE(offset + 4);
    offset += 8;
    if (element === SEQUENCE_DELIMITATION) return offset;
    if (element !== ITEM) throw new RangeError('A sequence holds something other than items');
    parts.push(uint16(DELIMITER_GROUP), uint16(ITEM), uint32(UNDEFINED_LENGTH));
    const itemEnd = itemLength === UNDEFINED_LENGTH ? end : offset + itemLength;
    offset = convertElements(source, offset, itemEnd, parts);
    if (itemLength === UNDEFINED_LENGTH) offset += 8;
    parts.push(delimiter(ITEM_DELIMITATION));
  }
  return offset;
}

function delimiter(element: number): Buffer {
  return Buffer.concat([uint16(DELIMITER_GROUP), uint16(element), uint32(0)]);
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}
