import { deflateRawSync } from 'node:zlib';
import { type StoredImage, storedValue } from '../../../src/dicom/pixels.js';

/** Values of the attributes that a test image needs, by (group, element) in hex; numbers are US. */
export type Attributes = Readonly<Record<string, number | string | Uint8Array>>;

export interface TestImage {
  readonly transferSyntaxUid?: string;
  readonly rows: number;
  readonly columns: number;
  readonly bitsAllocated?: number;
  readonly bitsStored?: number;
  readonly highBit?: number;
  readonly signed?: boolean;
  readonly frames?: number;
  readonly padding?: number;
  readonly paddingLimit?: number;
  readonly samples?: number;
  readonly photometric?: string;
  /** Native pixel data, or the fragments of encapsulated pixel data, Basic Offset Table first. */
  readonly pixels: Uint8Array | readonly Uint8Array[];
  readonly more?: Attributes;
}

const EXPLICIT_LITTLE = '1.2.840.10008.1.2.1';
const IMPLICIT_LITTLE = '1.2.840.10008.1.2';
const EXPLICIT_BIG = '1.2.840.10008.1.2.2';
const DEFLATED = '1.2.840.10008.1.2.1.99';

/** A Part 10 file (PS3.10 7) with just the attributes that pixels need. */
export function part10Of(image: TestImage): Buffer {
  const syntax = image.transferSyntaxUid ?? EXPLICIT_LITTLE;
  const big = syntax === EXPLICIT_BIG;
  const explicit = syntax !== IMPLICIT_LITTLE;
  const bitsAllocated = image.bitsAllocated ?? 16;
  const bitsStored = image.bitsStored ?? bitsAllocated;
  const attributes: Attributes = {
    '00280002': image.samples ?? 1,
    '00280004': image.photometric ?? 'MONOCHROME2',
    ...(image.frames && { '00280008': String(image.frames) }),
    '00280010': image.rows,
    '00280011': image.columns,
    '00280100': bitsAllocated,
    '00280101': bitsStored,
    '00280102': image.highBit ?? bitsStored - 1,
    '00280103': image.signed ? 1 : 0,
    ...(image.padding !== undefined && { '00280120': image.padding & 0xffff }),
    ...(image.paddingLimit !== undefined && { '00280121': image.paddingLimit & 0xffff }),
    ...image.more,
  };
  const dataset = Buffer.concat([
    ...Object.entries(attributes)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([tag, value]) => element(tag, vrOf(tag, value), bytesOf(value, big), explicit, big)),
    image.pixels instanceof Uint8Array
      ? element('7FE00010', bitsAllocated === 8 ? 'OB' : 'OW', image.pixels, explicit, big)
      : encapsulated(image.pixels),
  ]);
  const uid = (tag: string, value: string) => element(tag, 'UI', padded(value, 0), true, false);
  const meta = Buffer.concat([
    uid('00020002', '1.2.840.10008.5.1.4.1.1.2'),
    uid('00020003', '1.2.3.4'),
    uid('00020010', syntax),
  ]);
  return Buffer.concat([
    Buffer.alloc(128),
    Buffer.from('DICM'),
    element('00020000', 'UL', uint32(meta.length), true, false),
    meta,
    syntax === DEFLATED ? deflateRawSync(dataset) : dataset,
  ]);
}

/** An empty Basic Offset Table, then one item for each fragment. */
function encapsulated(items: readonly Uint8Array[]): Buffer {
  const header = Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff]);
  const parts = items.map((item) => {
    const even = item.length % 2 ? Buffer.concat([item, Buffer.alloc(1)]) : item;
    return Buffer.concat([Buffer.from([0xfe, 0xff, 0x00, 0xe0]), uint32(even.length), even]);
  });
  return Buffer.concat([header, ...parts, Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0])]);
}

function vrOf(tag: string, value: number | string | Uint8Array): string {
  if (value instanceof Uint8Array) return 'OV';
  if (typeof value === 'number') return 'US';
  return tag === '00280008' ? 'IS' : 'CS';
}

function bytesOf(value: number | string | Uint8Array, big: boolean): Uint8Array {
  if (value instanceof Uint8Array) return value;
  if (typeof value === 'string') return padded(value, 0x20);
  const bytes = Buffer.alloc(2);
  if (big) bytes.writeUInt16BE(value);
  else bytes.writeUInt16LE(value);
  return bytes;
}

function element(
  tag: string,
  vr: string,
  value: Uint8Array,
  explicit: boolean,
  big: boolean,
): Buffer {
  const group = Number.parseInt(tag.slice(0, 4), 16);
  const number = Number.parseInt(tag.slice(4), 16);
  const long = ['OB', 'OW', 'OV'].includes(vr);
  const header = Buffer.alloc(!explicit || !long ? 8 : 12);
  const write16 = (v: number, at: number) =>
    big ? header.writeUInt16BE(v, at) : header.writeUInt16LE(v, at);
  const write32 = (v: number, at: number) =>
    big ? header.writeUInt32BE(v, at) : header.writeUInt32LE(v, at);
  write16(group, 0);
  write16(number, 2);
  if (explicit) header.write(vr, 4, 'latin1');
  if (!explicit) write32(value.length, 4);
  else if (long) write32(value.length, 8);
  else write16(value.length, 6);
  return Buffer.concat([header, value]);
}

function padded(text: string, filler: number): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  return bytes.length % 2 ? Buffer.concat([bytes, Buffer.from([filler])]) : bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

/** Little-endian 16-bit samples. */
export function samples16(values: readonly number[]): Uint8Array {
  return new Uint8Array(Uint16Array.from(values, (value) => value & 0xffff).buffer);
}

/** The stored values of an image. */
export function valuesOf(image: StoredImage): number[] {
  return Array.from(image.samples, (sample) => storedValue(image, sample));
}
