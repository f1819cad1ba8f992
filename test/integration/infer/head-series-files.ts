import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { StoredInstance } from '../../../src/domain/instance.js';
import { datasetSha256, headPart10, type PhantomOptions } from '../../unit/infer/phantom.js';
import { storedAt } from '../../unit/infer/series.js';

/** A series of heads, wider towards the middle, as files `<uid>-<i>.dcm` in a folder. */
export async function headSeriesIn(
  folder: string,
  uid: string,
  count = 12,
  options: PhantomOptions = {},
): Promise<StoredInstance[]> {
  return Promise.all(
    Array.from({ length: count }, async (_, i) => {
      const part10 = headPart10(`${uid}.${i}`, {
        width: 70 + 2 * Math.min(i, count - i),
        ...options,
      });
      const file = join(folder, `${uid}-${i}.dcm`);
      await writeFile(file, part10);
      const header = {
        seriesInstanceUid: uid,
        sopInstanceUid: `${uid}.${i}`,
        rows: 256,
        columns: 256,
      };
      const geometry = { rescaleIntercept: -1024, pixelSpacing: [0.9, 0.9] as const };
      const sha256 = datasetSha256(part10);
      return { ...storedAt(5 * i, header, geometry), file, sha256 };
    }),
  );
}
