import { inflateRawSync } from 'node:zlib';
import dicomParser, { type DataSet, type Element } from 'dicom-parser';
import { decompress, type FrameLayout } from './codecs.js';
import { readFileMeta } from './file-meta.js';
import { encapsulatedFrame } from './frame-bytes.js';
import { PixelError } from './pixel-error.js';
import {
  EXPLICIT_VR_BIG_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
} from './transfer-syntaxes.js';

/** More than any CT: a header that claims more is wrong or hostile. */
const MAX_PIXELS = 4096 * 4096;
/** Deflate reaches 1000:1; a multi-frame CT of 250 frames has 128 MiB. */
const MAX_INFLATED_BYTES = 128 * 1024 * 1024;

/** Without frames of their own, and so without tables of where they begin. */
const NATIVE_SYNTAXES: ReadonlySet<string> = new Set([
  IMPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_BIG_ENDIAN,
]);

/** One frame's samples, and how they are read. */
export interface StoredImage {
  readonly rows: number;
  readonly columns: number;
  readonly bitsStored: number;
  readonly highBit: number;
  readonly signed: boolean;
  /** As they are allocated, with what else lies in their bits; `storedValue` says what each stands for. */
  readonly samples: Uint8Array | Uint16Array;
  /** Stored values that stand for "no pixel here", both ends included (PS3.3 C.7.5.1.1.2). */
  readonly padding?: { readonly from: number; readonly to: number };
}

/**
 * One frame (from 1) of a Part 10 file with 8 or 16 bits allocated and one sample per pixel (PS3.5 8.1, PS3.3 C.7.6.3).
 * MONOCHROME1 only says how to display: the values are as stored.
 * @throws PixelError
 */
export async function readStoredImage(part10: Uint8Array, frame = 1): Promise<StoredImage> {
  try {
    return await frameOf(parse(part10), frame);
  } catch (error) {
    // dicom-parser throws strings: here where an element that is asked for has its value cut off.
    if (typeof error !== 'string') throw error;
    throw new PixelError('not-dicom', 'An element of the image is cut off', { cause: error });
  }
}

/** The stored value that a sample stands for, sign extended and freed of the bits beyond Bits Stored. */
export function storedValue(
  { bitsStored, highBit, signed }: Pick<StoredImage, 'bitsStored' | 'highBit' | 'signed'>,
  sample: number,
): number {
  const top = sample << (31 - highBit);
  return signed ? top >> (32 - bitsStored) : top >>> (32 - bitsStored);
}

async function frameOf(dataSet: DataSet, frame: number): Promise<StoredImage> {
  const layout = layoutOf(dataSet);
  const frames = dataSet.intString('x00280008') ?? 1;
  if (!Number.isInteger(frame) || frame < 1 || frame > frames) {
    throw new PixelError('frame-missing', `The image has ${frames} frames, not ${frame}`);
  }
  const element = dataSet.elements['x7fe00010'];
  if (!element) throw new PixelError('no-pixel-data', 'The dataset has no Pixel Data');

  const syntax = dataSet.string('x00020010') ?? '';
  const bytes = element.encapsulatedPixelData
    ? await decompress(syntax, encapsulatedFrame(dataSet, element, frame, frames), layout)
    : nativeFrame(dataSet, element, frame, layout, syntax === EXPLICIT_VR_BIG_ENDIAN);
  const { rows, columns, bitsStored, highBit, signed } = layout;
  const samples = samplesOf(bytes, rows * columns);
  const padding = paddingOf(dataSet, layout);
  return { rows, columns, bitsStored, highBit, signed, samples, ...(padding && { padding }) };
}

/** A multi-frame object is read frame by frame from the same bytes: its header is parsed once. */
const parsed = new WeakMap<Uint8Array, DataSet>();

function parse(part10: Uint8Array): DataSet {
  const known = parsed.get(part10);
  if (known) return known;
  let dataSet: DataSet;
  try {
    const isNative = NATIVE_SYNTAXES.has(readFileMeta(part10)?.transferSyntaxUid ?? '');
    const parseable = isNative ? part10 : offsetTablesAsOb(part10);
    dataSet = dicomParser.parseDicom(parseable, { inflater: inflateBounded });
  } catch (error) {
    if (error instanceof PixelError) throw error;
    throw new PixelError('not-dicom', 'The bytes are not a readable DICOM file', { cause: error });
  }
  parsed.set(part10, dataSet);
  return dataSet;
}

/**
 * dicom-parser takes the length of an OV element for 16 bits wide and loses its place. Only the Extended Offset Table
 * and its lengths have that VR in an image, right before Pixel Data: a copy calls them OB.
 */
function offsetTablesAsOb(part10: Uint8Array): Uint8Array {
  const bytes = Buffer.from(part10.buffer, part10.byteOffset, part10.byteLength);
  const table = bytes.indexOf(Buffer.from('e07f01004f560000', 'hex'));
  if (table < 0) return part10;
  const copy = Buffer.from(bytes);
  copy.write('OB', table + 4, 'latin1');
  const lengths = table + 12 + copy.readUInt32LE(table + 8);
  if (copy.subarray(lengths, lengths + 6).equals(Buffer.from('e07f02004f56', 'hex'))) {
    copy.write('OB', lengths + 4, 'latin1');
  }
  return copy;
}

/** The file with its dataset inflated: dicom-parser goes on reading behind the meta information. */
function inflateBounded(bytes: Uint8Array, position: number): Uint8Array {
  try {
    const inflated = inflateRawSync(bytes.subarray(position), {
      maxOutputLength: MAX_INFLATED_BYTES,
    });
    return Buffer.concat([bytes.subarray(0, position), inflated]);
  } catch (error) {
    const tooLarge = error instanceof RangeError;
    throw new PixelError(
      tooLarge ? 'too-large' : 'not-dicom',
      tooLarge ? 'The deflated dataset is too large' : 'The deflated dataset is broken',
      { cause: error },
    );
  }
}

interface Layout extends FrameLayout {
  readonly highBit: number;
}

/** Image Pixel Module (PS3.3 C.7.6.3). */
function layoutOf(dataSet: DataSet): Layout {
  const rows = dataSet.uint16('x00280010') ?? 0;
  const columns = dataSet.uint16('x00280011') ?? 0;
  if (rows === 0 || columns === 0 || rows * columns > MAX_PIXELS) {
    throw new PixelError('dimensions-invalid', `Rows ${rows} and Columns ${columns} are no CT's`);
  }
  const samples = dataSet.uint16('x00280002') ?? 1;
  const photometric = dataSet.string('x00280004') ?? 'MONOCHROME2';
  if (samples !== 1 || !photometric.startsWith('MONOCHROME')) {
    throw new PixelError('not-monochrome', `${samples} samples per pixel, ${photometric}`);
  }
  const bitsAllocated = dataSet.uint16('x00280100') ?? 16;
  const bitsStored = dataSet.uint16('x00280101') ?? bitsAllocated;
  const highBit = dataSet.uint16('x00280102') ?? bitsStored - 1;
  const fits = bitsStored >= 1 && bitsStored - 1 <= highBit && highBit < bitsAllocated;
  if (!(bitsAllocated === 8 || bitsAllocated === 16) || !fits) {
    throw new PixelError(
      'bits-unsupported',
      `Bits Allocated ${bitsAllocated}, Bits Stored ${bitsStored}, High Bit ${highBit}`,
    );
  }
  const signed = dataSet.uint16('x00280103') === 1;
  return { rows, columns, bitsAllocated, bitsStored, highBit, signed };
}

/** The frame's bytes, at an even address. */
function nativeFrame(
  dataSet: DataSet,
  element: Element,
  frame: number,
  layout: Layout,
  bigEndian: boolean,
): Uint8Array {
  const length = (layout.rows * layout.columns * layout.bitsAllocated) / 8;
  const start = (frame - 1) * length;
  if (
    start + length > element.length ||
    element.dataOffset + start + length > dataSet.byteArray.length
  ) {
    throw new PixelError(
      'pixel-data-too-short',
      `Frame ${frame} needs ${start + length} bytes of Pixel Data, there are ${element.length}`,
    );
  }
  const from = element.dataOffset + start;
  const bytes = dataSet.byteArray.subarray(from, from + length);
  const swapped = bigEndian && layout.bitsAllocated === 16;
  if (bytes.byteOffset % 2 === 0 && !swapped) return bytes;
  const copy = new Uint8Array(bytes);
  if (swapped) Buffer.from(copy.buffer).swap16();
  return copy;
}

function samplesOf(bytes: Uint8Array, pixels: number): Uint8Array | Uint16Array {
  if (bytes.length < pixels) {
    throw new PixelError('pixel-data-too-short', `${bytes.length} bytes for ${pixels} pixels`);
  }
  const wide = bytes.length >= 2 * pixels;
  return wide ? new Uint16Array(bytes.buffer, bytes.byteOffset, pixels) : bytes.subarray(0, pixels);
}

/**
 * Pixel Padding Value and Range Limit. Their VR follows Pixel Representation (PS3.5 A.1) and writers get it wrong, so
 * the two bytes are read as the pixels are.
 */
function paddingOf(dataSet: DataSet, layout: Layout): StoredImage['padding'] {
  const stored = (tag: string) => {
    const value = dataSet.uint16(tag);
    if (value === undefined) return undefined;
    const right = 32 - layout.bitsStored;
    return layout.signed ? (value << right) >> right : (value << right) >>> right;
  };
  const value = stored('x00280120');
  if (value === undefined) return undefined;
  const limit = stored('x00280121') ?? value;
  return { from: Math.min(value, limit), to: Math.max(value, limit) };
}
