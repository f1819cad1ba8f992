import { TextDecoder } from 'node:util';

/** How the bytes of one character set become text: a label of the WHATWG Encoding Standard, and what to do before. */
interface CharacterSet {
  readonly label: string;
  /** Two bytes from 21H to 7EH a character, written with the high bit set in the encoding of the label. */
  readonly doubleByte?: boolean;
  /** Goes before each character in the encoding of the label. */
  readonly prefix?: number;
}

const ASCII: CharacterSet = { label: 'windows-1252' };

/** Character sets without code extensions (PS3.3 Table C.12-2, C.12-5), and those that forbid them. */
const SINGLE: Readonly<Record<string, string>> = {
  '': 'windows-1252',
  'ISO_IR 6': 'windows-1252',
  'ISO_IR 100': 'windows-1252',
  'ISO_IR 101': 'iso-8859-2',
  'ISO_IR 109': 'iso-8859-3',
  'ISO_IR 110': 'iso-8859-4',
  'ISO_IR 144': 'iso-8859-5',
  'ISO_IR 127': 'iso-8859-6',
  'ISO_IR 126': 'iso-8859-7',
  'ISO_IR 138': 'iso-8859-8',
  'ISO_IR 148': 'windows-1254',
  'ISO_IR 203': 'iso-8859-15',
  'ISO_IR 13': 'shift_jis',
  'ISO_IR 166': 'windows-874',
  'ISO_IR 192': 'utf-8',
  GB18030: 'gb18030',
  GBK: 'gbk',
};

/** Escape sequences of code extensions (PS3.3 Table C.12-3, C.12-4), after ESC, and which half they change. */
const ESCAPES: Readonly<
  Record<string, { readonly half: 'g0' | 'g1'; readonly set: CharacterSet }>
> = {
  '(B': { half: 'g0', set: ASCII },
  '(J': { half: 'g0', set: ASCII },
  '-A': { half: 'g1', set: { label: 'windows-1252' } },
  '-B': { half: 'g1', set: { label: 'iso-8859-2' } },
  '-C': { half: 'g1', set: { label: 'iso-8859-3' } },
  '-D': { half: 'g1', set: { label: 'iso-8859-4' } },
  '-L': { half: 'g1', set: { label: 'iso-8859-5' } },
  '-G': { half: 'g1', set: { label: 'iso-8859-6' } },
  '-F': { half: 'g1', set: { label: 'iso-8859-7' } },
  '-H': { half: 'g1', set: { label: 'iso-8859-8' } },
  '-M': { half: 'g1', set: { label: 'windows-1254' } },
  '-b': { half: 'g1', set: { label: 'iso-8859-15' } },
  '-T': { half: 'g1', set: { label: 'windows-874' } },
  ')I': { half: 'g1', set: { label: 'shift_jis' } },
  $B: { half: 'g0', set: { label: 'euc-jp', doubleByte: true } },
  '$(D': { half: 'g0', set: { label: 'euc-jp', doubleByte: true, prefix: 0x8f } },
  '$)C': { half: 'g1', set: { label: 'euc-kr' } },
  '$)A': { half: 'g1', set: { label: 'gbk' } },
};

/** Sets in the upper half whose characters take two bytes. */
const WIDE_UPPER = new Set(['euc-kr', 'gbk']);

const ESC = 0x1b;
/** Where the initial sets come back: TAB, LF, FF, CR, and what separates values and name components (PS3.5 6.1.2.5.3). */
const RESETS = new Set([0x09, 0x0a, 0x0c, 0x0d, 0x5c]);
const NAME_RESETS = new Set([...RESETS, 0x3d, 0x5e]);

/**
 * Text of a value in the sets that Specific Character Set (0008,0005) names. Bytes that mean nothing there become
 * U+FFFD; an unknown set is read as Latin alphabet No. 1. `isName` for VR PN, whose components begin anew.
 */
export function decodeText(
  bytes: Uint8Array,
  specificCharacterSet: readonly string[],
  isName = false,
): string {
  const first = normalized(specificCharacterSet[0] ?? '');
  if (!bytes.includes(ESC) || !takesExtensions(first)) return decoded(labelOf(first), bytes);
  return decodeExtended(bytes, { label: labelOf(first) }, isName ? NAME_RESETS : RESETS);
}

function decodeExtended(
  bytes: Uint8Array,
  initial: CharacterSet,
  resets: ReadonlySet<number>,
): string {
  let g0 = ASCII;
  let g1 = initial;
  let text = '';
  for (let at = 0; at < bytes.length; ) {
    const byte = bytes[at] as number;
    const sequence = byte === ESC ? escapeAt(bytes, at + 1) : undefined;
    if (sequence) {
      const { half, set } = ESCAPES[sequence] as (typeof ESCAPES)[string];
      if (half === 'g0') g0 = set;
      else g1 = set;
      at += 1 + sequence.length;
      continue;
    }
    const lower = byte < 0x80;
    const wide = lower ? g0.doubleByte && byte > 0x20 && byte < 0x7f : WIDE_UPPER.has(g1.label);
    const character = bytes.subarray(at, at + (wide ? 2 : 1));
    at += character.length;
    if (!wide && resets.has(byte)) {
      g0 = ASCII;
      g1 = initial;
    }
    text +=
      wide && lower
        ? doubleByte(g0, character)
        : decoded(lower ? ASCII.label : g1.label, character);
  }
  return text;
}

function doubleByte(set: CharacterSet, character: Uint8Array): string {
  const upper = Array.from(character, (byte) => byte | 0x80);
  return decoded(set.label, Uint8Array.from(set.prefix ? [set.prefix, ...upper] : upper));
}

function escapeAt(bytes: Uint8Array, at: number): string | undefined {
  const three = String.fromCharCode(...bytes.subarray(at, at + 3));
  if (three in ESCAPES) return three;
  const two = three.slice(0, 2);
  return two in ESCAPES ? two : undefined;
}

function takesExtensions(term: string): boolean {
  return !['ISO_IR 192', 'GB18030', 'GBK'].includes(term);
}

/** ISO 2022 IR 100 is ISO_IR 100 with code extensions; the two are found mixed up and with odd spacing. */
function normalized(term: string): string {
  return term
    .trim()
    .toUpperCase()
    .replace(/^ISO[ _]2022[ _]IR[ _]/, 'ISO_IR ')
    .replace(/^ISO[ _]IR[ _]/, 'ISO_IR ');
}

function labelOf(term: string): string {
  return SINGLE[term] ?? 'windows-1252';
}

const decoders = new Map<string, TextDecoder>();

function decoded(label: string, bytes: Uint8Array): string {
  let decoder = decoders.get(label);
  if (!decoder) {
    decoder = new TextDecoder(label);
    decoders.set(label, decoder);
  }
  return decoder.decode(bytes);
}
