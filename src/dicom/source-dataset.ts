import { decodeText } from './character-sets.js';
import { attributeOf } from './data-dictionary.js';
import {
  DatasetStructureError,
  type ElementHeader,
  ElementReader,
  type Encoding,
  IMPLICIT_LITTLE_ENDIAN,
} from './element-reader.js';
import { readFileMeta } from './file-meta.js';
import { MAX_VALUE_BYTES } from './header-values.js';
import { inflatePrefix } from './inflate-prefix.js';
import { withoutPadding } from './padding.js';
import {
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_BIG_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
} from './transfer-syntaxes.js';

/** The first group of pixels, overlays and the like: what is read here lies before. */
const END_OF_HEADER = 0x50000000;
const SPECIFIC_CHARACTER_SET = 0x00080005;
/** VRs whose values are bytes, or items; neither has a text. */
const WITHOUT_TEXT = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'UN', 'SQ']);

/** Values of fixed length (PS3.5 Table 6.2-1): how long, and the text of the one at an offset. */
const BINARY: Readonly<
  Record<string, readonly [size: number, read: (b: Buffer, at: number, little: boolean) => string]>
> = {
  US: [2, (b, at, little) => String(little ? b.readUInt16LE(at) : b.readUInt16BE(at))],
  SS: [2, (b, at, little) => String(little ? b.readInt16LE(at) : b.readInt16BE(at))],
  UL: [4, (b, at, little) => String(little ? b.readUInt32LE(at) : b.readUInt32BE(at))],
  SL: [4, (b, at, little) => String(little ? b.readInt32LE(at) : b.readInt32BE(at))],
  FL: [4, (b, at, little) => String(little ? b.readFloatLE(at) : b.readFloatBE(at))],
  FD: [8, (b, at, little) => String(little ? b.readDoubleLE(at) : b.readDoubleBE(at))],
  UV: [8, (b, at, little) => String(little ? b.readBigUInt64LE(at) : b.readBigUInt64BE(at))],
  SV: [8, (b, at, little) => String(little ? b.readBigInt64LE(at) : b.readBigInt64BE(at))],
  AT: [4, (b, at, little) => tagText(b, at, little)],
};

function tagText(bytes: Buffer, at: number, little: boolean): string {
  const half = (from: number) => (little ? bytes.readUInt16LE(from) : bytes.readUInt16BE(from));
  return [half(at), half(at + 2)].map((part) => part.toString(16).padStart(4, '0')).join('');
}

/** VRs in which a backslash is a character of its own (PS3.5 Table 6.2-1). */
const SINGLE_VALUED = new Set(['LT', 'ST', 'UR', 'UT']);

/** The attributes of a received dataset or of one item of it, decoded by its Specific Character Set. */
export class SourceDataset {
  readonly #reader: ElementReader;
  readonly #elements: ReadonlyMap<number, ElementHeader>;
  readonly #characterSet: readonly string[];

  constructor(
    reader: ElementReader,
    elements: ReadonlyMap<number, ElementHeader>,
    inherited: readonly string[] = [],
  ) {
    this.#reader = reader;
    this.#elements = elements;
    const own = rawBytes(reader, elements.get(SPECIFIC_CHARACTER_SET));
    this.#characterSet = own
      ? own
          .toString('latin1')
          .split('\\')
          .map((value) => withoutPadding(value))
      : inherited;
  }

  /** Whether the attribute is there, with a value or without. */
  has(keyword: string): boolean {
    return this.#elements.has(attributeOf(keyword).tag);
  }

  /** All values as text, without padding; none where the attribute is absent or empty. Tags are eight hex digits. */
  values(keyword: string): readonly string[] {
    const { tag, vr } = attributeOf(keyword);
    const element = this.#elements.get(tag);
    const bytes = rawBytes(this.#reader, element);
    if (!element || !bytes || WITHOUT_TEXT.has(vr)) return [];
    const [size, read] = BINARY[vr] ?? [0, undefined];
    if (read !== undefined) {
      return Array.from({ length: Math.floor(bytes.length / size) }, (_, i) =>
        read(bytes, i * size, element.inner.littleEndian),
      );
    }
    const text = decodeText(bytes, this.#characterSet, vr === 'PN');
    const values = (SINGLE_VALUED.has(vr) ? [text] : text.split('\\')).map((value) =>
      withoutPadding(value),
    );
    return values.every((value) => value === '') ? [] : values;
  }

  /** The first value, or an empty string. */
  text(keyword: string): string {
    return this.values(keyword)[0] ?? '';
  }

  /** The first value of a US attribute, or undefined. */
  unsigned(keyword: string): number | undefined {
    const element = this.#elements.get(attributeOf(keyword).tag);
    const bytes = rawBytes(this.#reader, element);
    if (!element || !bytes || bytes.length < 2) return undefined;
    return element.inner.littleEndian ? bytes.readUInt16LE() : bytes.readUInt16BE();
  }

  /** The items of a sequence; none where it is absent or cannot be followed. */
  items(keyword: string): readonly SourceDataset[] {
    const sequence = this.#elements.get(attributeOf(keyword).tag);
    if (!sequence) return [];
    try {
      return this.#reader
        .items(sequence)
        .map((elements) => new SourceDataset(this.#reader, elements, this.#characterSet));
    } catch (error) {
      if (error instanceof DatasetStructureError) return [];
      throw error;
    }
  }
}

/**
 * Reads the attributes before the pixels of a Part 10 file in any transfer syntax. What cannot be followed is left
 * out: patient and study stand at the beginning, and a report needs no more.
 *
 * @throws RangeError where the bytes begin no Part 10 file.
 */
export function readSourceDataset(part10: Uint8Array): SourceDataset {
  return readSourcePrefix(part10).dataset;
}

/** As `readSourceDataset`, for the beginning of a file too: `ended` says whether all was there. */
export function readSourcePrefix(part10: Uint8Array): {
  readonly dataset: SourceDataset;
  readonly ended: 'end-of-header' | 'end-of-bytes' | 'within-element';
} {
  const meta = readFileMeta(part10);
  if (!meta) throw new RangeError('The bytes are no Part 10 file');
  const dataset = part10.subarray(meta.datasetOffset);
  const deflated = meta.transferSyntaxUid === DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN;
  const reader = new ElementReader(deflated ? inflatePrefix(dataset) : dataset);
  const elements = new Map<number, ElementHeader>();
  let ended: 'end-of-header' | 'end-of-bytes' | 'within-element' = 'within-element';
  try {
    const encoding = encodingOf(meta.transferSyntaxUid);
    const next = reader.read(elements, encoding, 0, reader.bytes.length, END_OF_HEADER);
    ended = next === undefined ? 'end-of-bytes' : 'end-of-header';
  } catch (error) {
    if (!(error instanceof DatasetStructureError)) throw error;
  }
  return { dataset: new SourceDataset(reader, elements), ended };
}

/**
 * Reads a dataset that is there whole, in an uncompressed transfer syntax.
 *
 * @throws DatasetStructureError where its structure cannot be followed.
 */
export function decodeDataset(bytes: Uint8Array, transferSyntaxUid: string): SourceDataset {
  const reader = new ElementReader(bytes);
  const elements = new Map<number, ElementHeader>();
  reader.read(elements, encodingOf(transferSyntaxUid), 0, reader.bytes.length);
  return new SourceDataset(reader, elements);
}

function encodingOf(transferSyntaxUid: string): Encoding {
  if (transferSyntaxUid === IMPLICIT_VR_LITTLE_ENDIAN) return IMPLICIT_LITTLE_ENDIAN;
  return { littleEndian: transferSyntaxUid !== EXPLICIT_VR_BIG_ENDIAN, explicitVr: true };
}

/** None of a value that is longer than any is: no object could hold it (PS3.5 7.1.2). */
function rawBytes(reader: ElementReader, element: ElementHeader | undefined): Buffer | undefined {
  if (!element || element.length === 0 || element.length > MAX_VALUE_BYTES) return undefined;
  return reader.bytes.subarray(element.value, element.value + element.length);
}
