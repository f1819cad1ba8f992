import type { SliceAttributes } from '../domain/condition.js';
import { readFileMeta } from './file-meta.js';
import { readSourcePrefix, type SourceDataset } from './source-dataset.js';

/** The one attribute of the File Meta Information that tells something of the image. */
export const TRANSFER_SYNTAX = 'TransferSyntaxUID';

/**
 * The attributes of an image from the beginning of its Part 10 file, `isWhole` where that is all of it; undefined where
 * the beginning is too short, or cannot be followed.
 */
export function readSliceAttributes(
  part10: Uint8Array,
  isWhole: boolean,
): SliceAttributes | undefined {
  const meta = readFileMeta(part10);
  if (meta === undefined) return undefined;
  const { dataset, ended } = readSourcePrefix(part10);
  if (ended === 'within-element' || (ended === 'end-of-bytes' && !isWhole)) return undefined;
  const known = new Map<string, readonly string[]>();
  return {
    values(path) {
      let values = known.get(path);
      if (values === undefined) {
        values =
          path === TRANSFER_SYNTAX
            ? [meta.transferSyntaxUid]
            : pathValues(dataset, path.split('.'));
        known.set(path, values);
      }
      return values;
    },
  };
}

function pathValues(dataset: SourceDataset, [keyword = '', ...rest]: readonly string[]): string[] {
  if (rest.length === 0) return [...dataset.values(keyword)];
  return dataset.items(keyword).flatMap((item) => pathValues(item, rest));
}
