import { attributeOf } from './data-dictionary.js';
import { encodeFileMeta } from './file-meta.js';
import { EXPLICIT_VR_LITTLE_ENDIAN } from './transfer-syntaxes.js';
import { isShortVr } from './vr.js';

/** One value or several; a sequence is an array of datasets. Numbers of DS and IS may stand as numbers or as text. */
export type AttributeValue =
  | string
  | number
  | Uint8Array
  | readonly (string | number)[]
  | readonly Dataset[];

/**
 * A dataset by the keywords of PS3.6. An empty string or array is an attribute without a value (type 2); undefined is
 * no attribute.
 */
export interface Dataset {
  readonly [keyword: string]: AttributeValue | undefined;
}

/**
 * The Part 10 file (PS3.10 7) of a dataset in Explicit VR Little Endian. Specific Character Set is ISO_IR 192, whatever
 * the dataset says, because all text is written as UTF-8; pixel data is native.
 *
 * @throws RangeError for an unknown keyword or a value that its VR cannot hold.
 */
export function encodePart10(
  dataset: Dataset & { readonly SOPClassUID: string; readonly SOPInstanceUID: string },
): Buffer {
  const meta = encodeFileMeta({
    sopClassUid: dataset.SOPClassUID,
    sopInstanceUid: dataset.SOPInstanceUID,
    transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
  });
  return Buffer.concat([meta, ...elementsOf({ ...dataset, SpecificCharacterSet: 'ISO_IR 192' })]);
}

/** A dataset's elements in the order of their tags (PS3.5 7.1), sequences and items with their lengths. */
export function encodeDataset(dataset: Dataset): Buffer {
  return Buffer.concat(elementsOf(dataset));
}

/** Each element's header and its value, apart: pixel data is copied once, into what is made of them. */
function elementsOf(dataset: Dataset): Buffer[] {
  const elements: { readonly tag: number; readonly bytes: readonly Buffer[] }[] = [];
  for (const [keyword, value] of Object.entries(dataset)) {
    if (value === undefined) continue;
    const { tag, vr } = attributeOf(keyword);
    elements.push({ tag, bytes: element(tag, vr, encodeValue(keyword, vr, value)) });
  }
  elements.sort((a, b) => a.tag - b.tag);
  return elements.flatMap(({ bytes }) => bytes);
}

function element(tag: number, vr: string, value: Buffer): readonly Buffer[] {
  const short = isShortVr(vr);
  if (short && value.length > 0xffff) throw new RangeError(`A value of ${vr} is too long`);
  const head = Buffer.alloc(short ? 8 : 12);
  writeTag(head, tag);
  head.write(vr, 4, 'latin1');
  if (short) head.writeUInt16LE(value.length, 6);
  else head.writeUInt32LE(value.length, 8);
  return [head, value];
}

/** Values of fixed length, little endian (PS3.5 6.2). */
const NUMERIC: Readonly<Record<string, (value: number) => Buffer>> = {
  US: (value) => fixed(2, (bytes) => bytes.writeUInt16LE(value)),
  SS: (value) => fixed(2, (bytes) => bytes.writeInt16LE(value)),
  UL: (value) => fixed(4, (bytes) => bytes.writeUInt32LE(value)),
  SL: (value) => fixed(4, (bytes) => bytes.writeInt32LE(value)),
  FL: (value) => fixed(4, (bytes) => bytes.writeFloatLE(value)),
  FD: (value) => fixed(8, (bytes) => bytes.writeDoubleLE(value)),
};

function encodeValue(keyword: string, vr: string, value: AttributeValue): Buffer {
  if (vr === 'SQ') {
    if (!isSequence(value)) throw new RangeError(`${keyword} is a sequence`);
    return Buffer.concat(value.map(encodeItem));
  }
  if (value instanceof Uint8Array) {
    return evenLength(Buffer.from(value.buffer, value.byteOffset, value.byteLength), 0);
  }
  if (isSequence(value) && value.length > 0) throw new RangeError(`${keyword} is no sequence`);
  const values = (typeof value === 'object' ? value : [value]) as readonly (string | number)[];
  const numeric = NUMERIC[vr];
  if (numeric) return Buffer.concat(values.filter((v) => v !== '').map((v) => numeric(Number(v))));
  const text = values.map((v) => (typeof v === 'number' ? numberText(vr, v) : v)).join('\\');
  return evenLength(Buffer.from(text, 'utf8'), vr === 'UI' ? 0 : 0x20);
}

/** DS has 16 bytes at most and IS is a whole number (PS3.5 6.2). */
function numberText(vr: string, value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`${vr} cannot hold a value that is no number`);
  if (vr === 'IS') return String(Math.round(value));
  const text = String(value);
  return vr === 'DS' && text.length > 16 ? value.toExponential(8) : text;
}

function encodeItem(item: Dataset): Buffer {
  const content = encodeDataset(item);
  const head = Buffer.alloc(8);
  writeTag(head, 0xfffee000);
  head.writeUInt32LE(content.length, 4);
  return Buffer.concat([head, content]);
}

function isSequence(value: AttributeValue): value is readonly Dataset[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'object');
}

function writeTag(head: Buffer, tag: number): void {
  head.writeUInt16LE(tag >>> 16, 0);
  head.writeUInt16LE(tag & 0xffff, 2);
}

function fixed(length: number, write: (bytes: Buffer) => void): Buffer {
  const bytes = Buffer.alloc(length);
  write(bytes);
  return bytes;
}

function evenLength(bytes: Buffer, padding: number): Buffer {
  return bytes.length % 2 === 0 ? bytes : Buffer.concat([bytes, Buffer.from([padding])]);
}
