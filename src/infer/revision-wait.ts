import type { SelectionWork } from '../domain/selection.js';

/** How long slices that come after a report wait for company before the next one. Milliseconds. */
export interface RevisionWaits {
  /** Silence before the first revision of a report; it doubles with each further one ... */
  readonly lateFirstMs: number;
  /** ... up to this. */
  readonly lateLongestMs: number;
  /** The longest time from the first of the late slices, though more still arrive. */
  readonly capMs: number;
}

/**
 * When a study that has been analysed before may be analysed anew, in ms since the epoch: when what it would go by, of which
 * the times of arrival are given, has been quiet for longer with each revision. Slices that trickle in one by one so lead to a few
 * reports, and the last of them always to one. Somebody who asked for another analysis does not wait.
 */
export function revisionDueAt(
  { lastInstanceAt, latestAnalysis }: SelectionWork,
  receivedAt: readonly number[],
  waits: RevisionWaits,
): number {
  if (latestAnalysis === undefined || latestAnalysis.inputHash === '') return 0;
  const { revision, createdAt } = latestAnalysis;
  const late = receivedAt.filter((at) => at >= createdAt);
  const first = late.reduce((a, b) => Math.min(a, b), lastInstanceAt);
  const last = late.reduce((a, b) => Math.max(a, b), late[0] ?? lastInstanceAt);
  const quietMs = Math.min(waits.lateLongestMs, waits.lateFirstMs * 2 ** (revision - 1));
  return Math.min(last + quietMs, first + waits.capMs);
}
