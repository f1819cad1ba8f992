import type { Outcome } from './finding.js';

/** How a study ended, and when its first slice came, ms since the epoch. */
export interface RatedResult {
  readonly receivedAt: number;
  readonly outcome: Outcome;
  /** Of any hemorrhage, 0..1; null where none was made out. */
  readonly probability: number | null;
}

const DAY = 24 * 60 * 60 * 1000;
/** Days that are compared with those before them. */
const RECENT_DAYS = 7;
/** With fewer studies on either side chance alone moves the rate. */
const FEWEST_STUDIES = 50;
/** Three standard errors: by chance alone about one alarm in 370 looks. */
const SIGMAS = 3;

/** The nearest-rank quantile of ascending values; undefined of none. */
export function quantile(ascending: readonly number[], share: number): number | undefined {
  return ascending[
    Math.min(ascending.length - 1, Math.max(0, Math.ceil(share * ascending.length) - 1))
  ];
}

/**
 * The positive rate and the scores by day, oldest first, and whether the last week's rate lies outside of what the weeks
 * before it lead to expect: a changed scanner, protocol or population, or a fault.
 */
export function positiveRates(results: readonly RatedResult[], now: number) {
  const recentSince = now - RECENT_DAYS * DAY;
  const read = results.filter(isRead);
  const recent = read.filter(({ receivedAt }) => receivedAt >= recentSince);
  const before = read.filter(({ receivedAt }) => receivedAt < recentSince);
  const limits = limitsOf(before, recent.length);
  const positiveRate = rateOf(recent);
  const isOutside =
    limits !== null &&
    positiveRate !== null &&
    (positiveRate < limits.low || positiveRate > limits.high);
  return {
    days: daysOf(results),
    limits,
    recent: { studies: recent.length, positiveRate, drifting: isOutside },
  };
}

function isRead({ outcome }: RatedResult): boolean {
  return outcome !== 'not-eligible' && outcome !== 'failed';
}

function rateOf(results: readonly RatedResult[]): number | null {
  if (results.length === 0) return null;
  return results.filter(({ outcome }) => outcome === 'positive').length / results.length;
}

/** The binomial rate of `studies` studies around that of earlier ones. */
function limitsOf(before: readonly RatedResult[], studies: number) {
  const rate = rateOf(before);
  if (rate === null || before.length < FEWEST_STUDIES || studies < FEWEST_STUDIES) return null;
  const error = Math.sqrt(rate * (1 - rate) * (1 / studies + 1 / before.length));
  return { low: Math.max(0, rate - SIGMAS * error), high: Math.min(1, rate + SIGMAS * error) };
}

function daysOf(results: readonly RatedResult[]) {
  const byDay = new Map<string, RatedResult[]>();
  for (const result of results) {
    const day = new Date(result.receivedAt).toISOString().slice(0, 10);
    const group = byDay.get(day);
    if (group === undefined) byDay.set(day, [result]);
    else group.push(result);
  }
  return [...byDay]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([day, group]) => {
      const read = group.filter(isRead);
      const scores = read.flatMap(({ probability }) => probability ?? []).sort((a, b) => a - b);
      const [p10, p50, p90] = [0.1, 0.5, 0.9].map((share) => quantile(scores, share));
      return {
        day,
        studies: read.length,
        notRead: group.length - read.length,
        positiveRate: rateOf(read),
        scores:
          p10 === undefined || p50 === undefined || p90 === undefined ? null : { p10, p50, p90 },
      };
    });
}
