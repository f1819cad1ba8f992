/** The span that a retry's delay is drawn from doubles with each attempt, from `baseMs` up to `capMs`. */
export interface BackoffLimits {
  readonly baseMs: number;
  readonly capMs: number;
}

/**
 * Milliseconds to wait after the given failed attempt (counted from 1): exponential with full jitter, so that peers
 * that failed together do not come back together. `random` is uniform in [0, 1).
 */
export function backoff(attempt: number, limits: BackoffLimits, random: number): number {
  const span = Math.min(limits.capMs, limits.baseMs * 2 ** (Math.max(1, attempt) - 1));
  return Math.round(span * random);
}
