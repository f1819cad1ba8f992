import { data } from 'dcmjs';

export interface Attribute {
  /** Group and element number as one number of 32 bits. */
  readonly tag: number;
  readonly vr: string;
}

/** Where PS3.6 leaves a choice of VR: what Vigil writes, with 8-bit pixels and unsigned values. */
const CHOSEN_VR: Readonly<Record<string, string>> = { ox: 'OB', xs: 'US' };

const known = new Map<string, Attribute>();

/** Tag and VR of an attribute by its keyword (PS3.6). @throws RangeError for what is no keyword. */
export function attributeOf(keyword: string): Attribute {
  const found = known.get(keyword);
  if (found) return found;
  const { nameMap } = data.DicomMetaDictionary;
  const entry = Object.hasOwn(nameMap, keyword) ? nameMap[keyword] : undefined;
  if (!entry) throw new RangeError(`${keyword} is no keyword of the data dictionary`);
  const tag = Number.parseInt(entry.tag.replace(/[(),]/g, ''), 16);
  const attribute = { tag, vr: CHOSEN_VR[entry.vr] ?? entry.vr };
  known.set(keyword, attribute);
  return attribute;
}
