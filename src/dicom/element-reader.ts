import { isShortVrCode, isVrCode, UN, UNDEFINED_LENGTH } from './vr.js';

/** How elements are written: the byte order, and whether they carry their VR (PS3.5 Annex A). */
export interface Encoding {
  readonly littleEndian: boolean;
  readonly explicitVr: boolean;
}

/** One element as it lies in the bytes; `length` may be undefined, 0xFFFFFFFF. */
export interface ElementHeader {
  /** Group and element number as one number of 32 bits. */
  readonly tag: number;
  /** Offset of the value. */
  readonly value: number;
  readonly length: number;
  /** Of the elements within: UN of undefined length is implicit little endian inside (PS3.5 6.2.2). */
  readonly inner: Encoding;
}

/** Why a dataset's structure cannot be followed: it ends too early, or it is none. */
export class DatasetStructureError extends Error {
  readonly code: 'truncated' | 'malformed';

  constructor(code: 'truncated' | 'malformed', message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'DatasetStructureError';
    this.code = code;
  }
}

export const IMPLICIT_LITTLE_ENDIAN: Encoding = { littleEndian: true, explicitVr: false };

const ITEM = 0xfffee000;
const ITEM_DELIMITATION = 0xfffee00d;
const SEQUENCE_DELIMITATION = 0xfffee0dd;
/** More than any header has at one level, or any sequence has items; each costs far more memory than its 8 bytes. */
const MAX_ELEMENTS = 65_536;
/** Deeper than any SR tree; a dataset nested deeper is an attack on the stack. */
const MAX_DEPTH = 64;

/**
 * Finds the elements of a dataset without reading their values. Unlike a general parser it tells a dataset that ends
 * too early from one that is malformed, which is what reading one while it arrives needs.
 */
export class ElementReader {
  readonly bytes: Buffer;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /**
   * The elements from `start` by tag, up to `end`, to an item delimitation, or to the first tag of at least `stop`,
   * which is returned as `stoppedAt`. What was found before a structure error stands in `elements` all the same.
   *
   * @throws DatasetStructureError
   */
  read(
    elements: Map<number, ElementHeader>,
    encoding: Encoding,
    start: number,
    end: number,
    stop = Number.POSITIVE_INFINITY,
  ): ElementHeader | undefined {
    let offset = start;
    while (offset < end) {
      const element = this.#header(offset, encoding, end);
      if (element.tag === ITEM_DELIMITATION) return undefined;
      if (element.tag >= stop) return element;
      offset = this.#after(element, end, 0);
      elements.set(element.tag, element);
      if (elements.size > MAX_ELEMENTS) throw malformed('it has too many elements');
    }
    return undefined;
  }

  /** The items of a sequence, each with its elements by tag. @throws DatasetStructureError */
  items(sequence: ElementHeader): Map<number, ElementHeader>[] {
    const items: Map<number, ElementHeader>[] = [];
    const end = this.#endOf(sequence, this.bytes.length);
    let offset = sequence.value;
    while (offset < end) {
      const item = this.#header(offset, sequence.inner, end);
      if (item.tag !== ITEM) break;
      const elements = new Map<number, ElementHeader>();
      const itemEnd = this.#endOf(item, end);
      this.read(elements, sequence.inner, item.value, itemEnd);
      items.push(elements);
      if (items.length > MAX_ELEMENTS) throw malformed('a sequence has too many items');
      offset = this.#after(item, end, 0);
    }
    return items;
  }

  #header(offset: number, encoding: Encoding, limit: number): ElementHeader {
    const { bytes } = this;
    const { littleEndian, explicitVr } = encoding;
    if (offset + 8 > limit) throw truncated();
    const group = littleEndian ? bytes.readUInt16LE(offset) : bytes.readUInt16BE(offset);
    const number = littleEndian ? bytes.readUInt16LE(offset + 2) : bytes.readUInt16BE(offset + 2);
    const tag = group * 0x10000 + number;
    if (!explicitVr || group === 0xfffe) {
      const length = littleEndian ? bytes.readUInt32LE(offset + 4) : bytes.readUInt32BE(offset + 4);
      return { tag, value: offset + 8, length, inner: encoding };
    }
    const vr = bytes.readUInt16BE(offset + 4);
    if (isShortVrCode(vr)) {
      const length = littleEndian ? bytes.readUInt16LE(offset + 6) : bytes.readUInt16BE(offset + 6);
      return { tag, value: offset + 8, length, inner: encoding };
    }
    if (!isVrCode(vr)) throw malformed('an element has no VR');
    if (offset + 12 > limit) throw truncated();
    const length = littleEndian ? bytes.readUInt32LE(offset + 8) : bytes.readUInt32BE(offset + 8);
    const implicitInside = vr === UN && length === UNDEFINED_LENGTH;
    const inner = implicitInside ? IMPLICIT_LITTLE_ENDIAN : encoding;
    return { tag, value: offset + 12, length, inner };
  }

  #endOf(element: ElementHeader, limit: number): number {
    if (element.length === UNDEFINED_LENGTH) return limit;
    const end = element.value + element.length;
    if (end > limit) throw truncated();
    return end;
  }

  /**
   * The offset after an element or item and all that it holds. Nothing reaches beyond what holds it: else each of many
   * items could claim all that follow, and reading them would cost the square of their number.
   */
  #after(element: ElementHeader, limit: number, depth: number): number {
    if (element.length !== UNDEFINED_LENGTH) return this.#endOf(element, limit);
    if (depth > MAX_DEPTH) throw malformed('sequences are nested too deep');
    const closing = element.tag === ITEM ? ITEM_DELIMITATION : SEQUENCE_DELIMITATION;
    let offset = element.value;
    for (;;) {
      const child = this.#header(offset, element.inner, limit);
      if (child.tag === closing) return child.value;
      if (closing === SEQUENCE_DELIMITATION && child.tag !== ITEM) {
        throw malformed('a sequence holds something other than items');
      }
      offset = this.#after(child, limit, depth + 1);
    }
  }
}

function truncated(): DatasetStructureError {
  return new DatasetStructureError('truncated', 'The dataset ends within an element');
}

function malformed(what: string): DatasetStructureError {
  return new DatasetStructureError('malformed', `The dataset is malformed: ${what}`);
}
