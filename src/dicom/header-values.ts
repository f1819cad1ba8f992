import type { ElementHeader } from './element-reader.js';
import { withoutPadding } from './padding.js';
import { UNDEFINED_LENGTH } from './vr.js';

/** Longer than any value of a header; what exceeds it is no value but a mistake. */
export const MAX_VALUE_BYTES = 16 * 1024;

/** Devices pad with more than spaces. */
const PADDING = ' \0\t\n\v\f\r\u00a0';

/** A number as text (PS3.5 6.2, DS). No digit can belong to two parts, so that a long one is read once. */
export const DECIMAL = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$/;

/**
 * Reads values of one item or dataset leniently: what is absent, empty or unreadable is undefined, never an error,
 * because devices write all of these (PS3.5 6.2 notwithstanding).
 */
export class HeaderValues {
  readonly #bytes: Buffer;
  readonly #elements: ReadonlyMap<number, ElementHeader>;
  readonly #charset: 'utf-8' | 'latin1';

  constructor(
    bytes: Buffer,
    elements: ReadonlyMap<number, ElementHeader>,
    charset: 'utf-8' | 'latin1' = 'latin1',
  ) {
    this.#bytes = bytes;
    this.#elements = elements;
    this.#charset = charset;
  }

  element(tag: number): ElementHeader | undefined {
    return this.#elements.get(tag);
  }

  /** All values of a text element, trimmed of padding; none where it is absent or empty. */
  strings(tag: number): string[] {
    const element = this.#elements.get(tag);
    if (!element || element.length === 0 || element.length > MAX_VALUE_BYTES) return [];
    const { value: start, length } = element;
    const text = this.#bytes.toString(this.#charset, start, start + length);
    if (text.includes('\\')) return text.split('\\').map((value) => withoutPadding(value, PADDING));
    const value = withoutPadding(text, PADDING);
    return value === '' ? [] : [value];
  }

  /** The first value. */
  string(tag: number): string | undefined {
    const [first] = this.strings(tag);
    return first === '' ? undefined : first;
  }

  /** A text that may hold backslashes of its own (VRs ST, LT, UT) or is matched as a whole. */
  whole(tag: number): string | undefined {
    const text = this.strings(tag).join('\\');
    return text === '' ? undefined : text;
  }

  /** The numbers of a DS or IS element, or undefined where one of them is none. */
  numbers(tag: number): number[] | undefined {
    const values = this.strings(tag).map(parseNumber);
    return values.length > 0 && values.every(Number.isFinite) ? values : undefined;
  }

  /** The first number of a DS element; it need not be the only one. */
  number(tag: number): number | undefined {
    const text = this.string(tag);
    const value = text === undefined ? Number.NaN : parseNumber(text);
    return Number.isFinite(value) ? value : undefined;
  }

  /** Whether a DS element has a value that is no finite number. */
  isUnreadable(tag: number): boolean {
    return this.string(tag) !== undefined && this.number(tag) === undefined;
  }

  /** The first number of an IS element; some devices write 12.0. */
  integer(tag: number): number | undefined {
    const value = this.number(tag);
    return value !== undefined && Number.isSafeInteger(value) ? value : undefined;
  }

  /** The first value of a US element. */
  unsigned16(tag: number): number | undefined {
    return this.#binary(tag, 2, (at, little) =>
      little ? this.#bytes.readUInt16LE(at) : this.#bytes.readUInt16BE(at),
    );
  }

  /** The first value of an SS element. */
  signed16(tag: number): number | undefined {
    return this.#binary(tag, 2, (at, little) =>
      little ? this.#bytes.readInt16LE(at) : this.#bytes.readInt16BE(at),
    );
  }

  #binary(
    tag: number,
    size: number,
    read: (at: number, littleEndian: boolean) => number,
  ): number | undefined {
    const element = this.#elements.get(tag);
    if (!element || element.length === UNDEFINED_LENGTH || element.length < size) return undefined;
    return read(element.value, element.inner.littleEndian);
  }
}

/** DS and IS allow digits, sign, point and exponent (PS3.5 6.2): Number() would take '' and '0x10' too. */
function parseNumber(text: string): number {
  return DECIMAL.test(text) ? Number(text) : Number.NaN;
}
