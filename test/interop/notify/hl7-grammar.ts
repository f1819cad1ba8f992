import dictionary, { type Item, type Part } from 'hl7-dictionary';
import type { InboundRequest } from 'node-hl7-server';

/** A message, or a part of one, as the library has parsed it. */
export type HL7Node = ReturnType<ReturnType<InboundRequest['getMessage']>['get']>;

const VERSION = '2.5.1';
const { [VERSION]: definitions } = dictionary.definitions;
if (definitions === undefined) throw new Error(`The dictionary has no version ${VERSION}`);
const { fields: types, segments, messages } = definitions;

/** Formats that the dictionary names without saying what they are (HL7 v2.5.1 chapter 2A). */
const FORMATS: Readonly<Record<string, RegExp>> = {
  SI: /^\d{1,4}$/,
  NM: /^[+-]?\d+(\.\d+)?$/,
  DTM: /^\d{4}(\d{2}(\d{2}(\d{2}(\d{2}(\d{2}(\.\d{1,4})?)?)?)?)?)?([+-]\d{4})?$/,
};

/** Everything in a message that the dictionary of HL7 v2.5.1 knows otherwise; empty where nothing is. */
export function hl7Problems(message: HL7Node): string[] {
  const present = message.toArray();
  return [
    ...structureProblems(
      present.map(({ name }) => name),
      message.get('MSH.9.3').toString(),
    ),
    ...present.flatMap(segmentProblems),
  ];
}

function structureProblems(names: readonly string[], structure: string): string[] {
  const items = messages[structure]?.segments.segments;
  if (items === undefined) return [`no message structure ${structure}`];
  const isOne = consumed(items, names, 0) === names.length;
  return isOne ? [] : [`${names.join(' ')} is no ${structure}`];
}

/** How far the items reach into the segments, from `at`; -1 where one that must be there is not. */
function consumed(items: readonly Item[], names: readonly string[], at: number): number {
  let position = at;
  for (const { name, min, max, children } of items) {
    let times = 0;
    while (max === 0 || times < max) {
      const next =
        children === undefined
          ? position + Number(names[position] === name)
          : consumed(children, names, position);
      if (next <= position) break;
      position = next;
      times += 1;
    }
    if (times < min) return -1;
  }
  return position;
}

function segmentProblems(segment: HL7Node): string[] {
  const parts = segments[segment.name]?.fields ?? [];
  // The first is the segment's name; MSH-1 is what stands between it and MSH-2.
  const values = segment.toArray().slice(1);
  if (segment.name === 'MSH') values.unshift(values[0] as HL7Node);
  const place = (index: number) => `${segment.name}-${index + 1}`;
  const tooMany = values.length > parts.length ? [`${segment.name} has too many fields`] : [];
  const found = parts.flatMap((part, index) => {
    const value = values[index];
    const isSeparator = segment.name === 'MSH' && index < 2;
    if (isSeparator) return [];
    const at = place(index);
    if (value === undefined || value.toRaw() === '') {
      return part.opt === 2 ? [`${at} ${part.desc} is required`] : [];
    }
    const repetitions = value.toArray();
    const datatype = part.datatype === 'VARIES' ? segment.get('2').toString() : part.datatype;
    const repeats = repetitions.length > 1 && part.rep === 1 ? [`${at} is repeated`] : [];
    return [
      ...repeats,
      ...repetitions.flatMap((one) => valueProblems(one, { ...part, datatype }, at)),
    ];
  });
  return [...tooMany, ...found];
}

function valueProblems(node: HL7Node, part: Part, at: string): string[] {
  const type = types[part.datatype];
  if (type === undefined) return [`${at} has a data type ${part.datatype} that there is none of`];
  if (type.subfields.length === 0) return textProblems(node, part, at);
  const children = node.toArray();
  const tooMany = children.length > type.subfields.length ? [`${at} has too many components`] : [];
  const found = children.flatMap((child, index) => {
    const own = type.subfields[index];
    return own === undefined || child.toRaw() === ''
      ? []
      : valueProblems(child, own, `${at}.${index + 1}`);
  });
  return [...tooMany, ...found];
}

/** Lengths are checked here alone: those of whole fields contradict their components' (OBR-3 has 22, its first part 199). */
function textProblems(node: HL7Node, { datatype, desc, len, table }: Part, at: string): string[] {
  const text = node.toString();
  const problems: string[] = [];
  const check = (isGood: boolean, what: string) => {
    if (!isGood) problems.push(`${at} ${desc} ${what}: ${text}`);
  };
  check(!/[~^&]/.test(node.toRaw()), 'has parts');
  check(len === undefined || text.length <= len, `is longer than ${len}`);
  check(FORMATS[datatype]?.test(text) ?? true, `is no ${datatype}`);
  if (table !== undefined) check(isListed(table, text), `is not in table ${table}`);
  return problems;
}

function isListed(table: number, code: string): boolean {
  // Table 0396 has 99zzz for codes of one's own; OBX-2 may name any data type (chapter 7, 7.4.2.2).
  if (table === 396 && /^99[A-Z\d]+$/.test(code)) return true;
  if (table === 125 && code in types) return true;
  const { [table]: known } = dictionary.tables;
  return known === undefined || Object.keys(known.values).length === 0 || code in known.values;
}
