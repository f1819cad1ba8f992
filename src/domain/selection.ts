import type { StudyConflicts } from './conflict.js';
import type { Reason, SeriesVerdict } from './finding.js';
import type { StoredInstance } from './instance.js';

/** A series as the choice among a study's series sees it. */
export interface SeriesCandidate {
  readonly seriesInstanceUid: string;
  readonly complete: boolean;
  /** Why it was taken for whole. */
  readonly completion?: Reason;
  /** Why its pixels were refused when it was read. */
  readonly refusal?: Reason;
  readonly instances: readonly StoredInstance[];
}

/** A study whose series are to be chosen from. Times are milliseconds since the epoch. */
export interface SelectionWork {
  readonly studyInstanceUid: string;
  readonly lastInstanceAt: number;
  readonly claimedAt: number;
  /** Without the series of Vigil's own objects, which a PACS may send back. */
  readonly series: readonly SeriesCandidate[];
  readonly conflicts: StudyConflicts;
  /** Why the series cannot be read from the catalog, if so. */
  readonly damage?: Error;
  readonly latestAnalysis?: {
    readonly revision: number;
    readonly createdAt: number;
    readonly seriesInstanceUid: string | null;
    /** Empty where somebody asked for another analysis of the same input. */
    readonly inputHash: string;
  };
}

/** What was chosen: something to read (a series, or none of them), nothing new, or to look again later. */
export type Selection =
  | {
      readonly type: 'analyse';
      readonly seriesInstanceUid: string | null;
      readonly inputHash: string;
      readonly trigger: Reason;
      readonly verdicts: readonly SeriesVerdict[];
    }
  | { readonly type: 'keep'; readonly verdicts: readonly SeriesVerdict[] }
  | { readonly type: 'wait'; readonly until: number };
