import { createHash } from 'node:crypto';
import type { SeriesVerdict } from '../domain/finding.js';
import type { StoredInstance } from '../domain/instance.js';

/** What an analysis reads, as a hash: the series and its slices' bytes. The same input needs no second analysis. */
export function seriesInputHash(
  seriesInstanceUid: string,
  instances: readonly StoredInstance[],
): string {
  return hashOf([seriesInstanceUid, ...instances.map(({ sha256 }) => sha256).sort()]);
}

/** The same for a study of which nothing can be read: its CT series and why each was left out. */
export function ineligibleInputHash(verdicts: readonly SeriesVerdict[]): string {
  const lines = verdicts
    .filter(({ modality }) => modality === 'CT')
    .map(({ seriesInstanceUid, reason }) => `${seriesInstanceUid} ${reason.code}`);
  return hashOf(['not-eligible', ...lines.sort()]);
}

function hashOf(lines: readonly string[]): string {
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}
