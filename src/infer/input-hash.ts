import { createHash } from 'node:crypto';
import { mayLackSlices } from '../domain/completion.js';
import type { ConflictKind } from '../domain/conflict.js';
import type { SeriesVerdict } from '../domain/finding.js';
import type { StoredInstance } from '../domain/instance.js';

/**
 * What an analysis goes by, as a hash: the series, its slices' bytes, and what is in doubt about the study. The same
 * needs no second analysis. Of a conflict the kind counts alone, so that a storm of them leads to no storm of reports.
 */
export function seriesInputHash(
  seriesInstanceUid: string,
  instances: readonly StoredInstance[],
  conflicts: readonly ConflictKind[],
  completionCode: string | undefined,
): string {
  return hashOf([
    seriesInstanceUid,
    ...instances.map(({ sha256 }) => sha256).sort(),
    ...conflictLines(conflicts),
    ...(mayLackSlices(completionCode ?? '') ? ['slices may be missing'] : []),
  ]);
}

/** The same for a study of which nothing can be read: its CT series and why each was left out. */
export function ineligibleInputHash(
  verdicts: readonly SeriesVerdict[],
  conflicts: readonly ConflictKind[],
): string {
  const lines = verdicts
    .filter(({ modality }) => modality === 'CT')
    .map(({ seriesInstanceUid, reason }) => `${seriesInstanceUid} ${reason.code}`);
  return hashOf(['not-eligible', ...lines.sort(), ...conflictLines(conflicts)]);
}

const conflictLines = (kinds: readonly ConflictKind[]) => kinds.map((kind) => `conflict ${kind}`);

function hashOf(lines: readonly string[]): string {
  return createHash('sha256').update(lines.join('\n')).digest('hex');
}
