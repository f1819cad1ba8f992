import type { Finding } from './finding.js';

/** What another model said of a series that was reported already: it is kept and compared, and decides nothing. */
export interface SecondReading {
  /** Its name in the configuration. */
  readonly reader: string;
  /** Milliseconds since the epoch. */
  readonly readAt: number;
  /** Without series and key slices: those are the deciding model's. */
  readonly finding: Finding;
}
