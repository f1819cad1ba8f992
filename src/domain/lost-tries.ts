import { backoff } from './backoff.js';
import type { Reason } from './finding.js';

/** What reading a series has cost so far; all zero where nothing went wrong. */
export interface LostTries {
  /** Times that the inference process was lost with slices of the series in its hands, read ahead or analysed. */
  readonly losses: number;
  /** Times that the whole node ended while the series was analysed. */
  readonly cutOffs: number;
  /** What the process died of the last time. */
  readonly reason?: Reason;
}

/** A loss may be an accident; a second one is the series. */
const TRIES = 2;
/** The node may end for many reasons; fewer than the starts after which systemd gives it up (StartLimitBurst). */
const CUT_OFFS = 8;
/** After the second end others go first, and a series that does end the node does so more and more seldom. */
const CUT_OFF_WAIT = { baseMs: 2000, capMs: 60_000 };

/** Why a series is not given to the inference process any more; undefined where it may be. */
export function whySpent({ losses, cutOffs, reason }: LostTries): Reason | undefined {
  if (losses >= TRIES && reason !== undefined) {
    return { code: reason.code, text: `${reason.text}: ${losses} times on this series` };
  }
  if (cutOffs < CUT_OFFS) return undefined;
  const text = `Vigil itself ended ${cutOffs} times while it read this series`;
  return { code: 'analysis-cut-off', text };
}

/** Milliseconds until a series is analysed again after the node ended while it was, for so many times by now. */
export function waitAfterCutOff(cutOffs: number): number {
  return cutOffs < 2 ? 0 : backoff(cutOffs - 1, CUT_OFF_WAIT, 1);
}
