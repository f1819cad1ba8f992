import { data } from 'dcmjs';
import { attributeOf } from './data-dictionary.js';
import { TRANSFER_SYNTAX } from './slice-attributes.js';

/** What is read of a header: neither the File Meta Information, but for one, nor pixels and what lies behind them. */
const FIRST_TAG = 0x00080000;
const END_OF_HEADER = 0x50000000;

/** Every keyword of the data dictionary (PS3.6). */
export const KEYWORDS: readonly string[] = Object.keys(data.DicomMetaDictionary.nameMap);

/** Whether the text is a keyword, or keywords joined by dots that lead into sequences. */
export function isKeywordPath(text: string): boolean {
  const { nameMap } = data.DicomMetaDictionary;
  const steps = text.split('.');
  return steps.every((step, i) => {
    const entry = Object.hasOwn(nameMap, step) ? nameMap[step] : undefined;
    if (entry === undefined || !(entry.vr === 'SQ' || i === steps.length - 1)) return false;
    const { tag } = attributeOf(step);
    return (tag >= FIRST_TAG && tag < END_OF_HEADER) || text === TRANSFER_SYNTAX;
  });
}
