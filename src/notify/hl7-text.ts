/** Text and values of HL7 v2.5.1, with the delimiters and the character set that every message of Vigil declares. */

/** MSH-1 and MSH-2: separators of fields, components, repetitions and subcomponents, and the escape character. */
export const ENCODING = '|^~\\&';

const SEQUENCES: Readonly<Record<string, string>> = {
  '|': '\\F\\',
  '^': '\\S\\',
  '~': '\\R\\',
  '&': '\\T\\',
  '\\': '\\E\\',
};

/** A text as a value (chapter 2): a control character, such as the end of a segment, as its hexadecimal code. */
export function escaped(text: string): string {
  return text
    .replaceAll(/[|^~&\\]/g, (character) => SEQUENCES[character] ?? '')
    .replaceAll(/[\p{Cc}\u2028\u2029]/gu, (character) => {
      const hex = [...Buffer.from(character)].map((byte) => byte.toString(16).padStart(2, '0'));
      return `\\X${hex.join('').toUpperCase()}\\`;
    });
}

/** A value of several components, without those at its end that are empty. */
export function components(...values: readonly (string | undefined)[]): string {
  return values
    .map((value) => escaped(value ?? ''))
    .join('^')
    .replace(/\^+$/, '');
}

/** A segment, fields from the first on, that are encoded already; without those at its end that are empty. */
export function segment(
  name: string,
  fields: Readonly<Record<number, string | undefined>>,
): string {
  const last = Math.max(0, ...Object.keys(fields).map(Number));
  const values = Array.from({ length: last }, (_, index) => fields[index + 1] ?? '');
  return [name, ...values].join('|').replace(/\|+$/, '');
}

/** A moment, in ms since the epoch, as DTM in UTC (chapter 2A). */
export function timestamp(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replaceAll(/[-T:]/g, '')}+0000`;
}

/** Values of VR DA and TM (PS3.5 6.2) as DTM in the time of the place; nothing where there is no date. */
export function localTime(date: string | undefined, time?: string): string {
  if (!/^\d{8}$/.test(date ?? '')) return '';
  return `${date}${/^\d{2}(\d{2}(\d{2})?)?/.exec(time ?? '')?.[0] ?? ''}`;
}

/** The groups of a value of VR PN (PS3.5 6.2.1), in their order, by the codes of name representation (table 0465). */
const REPRESENTATIONS = ['A', 'I', 'P'] as const;

/** A value of VR PN as XPN (chapter 2A): HL7 has the suffix before the prefix, and a repetition for each script. */
export function personName(value: string): string {
  return value
    .split('=')
    .slice(0, REPRESENTATIONS.length)
    .map((group, index) => {
      const [family, given, middle, prefix, suffix] = group.split('^').map((part) => part.trim());
      const parts = [family, given, middle, suffix, prefix];
      if (!parts.some(Boolean)) return '';
      return components(...parts, '', 'L', REPRESENTATIONS[index]);
    })
    .filter((name) => name !== '')
    .join('~');
}
