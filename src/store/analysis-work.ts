import type { Finding } from '../domain/finding.js';

/** An analysis that a worker has claimed; `attempts` counts this one. */
export interface AnalysisWork {
  readonly analysisId: number;
  readonly studyInstanceUid: string;
  readonly revision: number;
  /** Null where no series of the study is eligible. */
  readonly seriesInstanceUid: string | null;
  /** Why the series was taken for whole. */
  readonly triggerCode: string;
  readonly attempts: number;
}

export interface ReportWork extends AnalysisWork {
  /** When the finding was made, ms since the epoch. */
  readonly analysedAt: number;
  readonly finding: Finding;
}
