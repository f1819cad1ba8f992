import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../src/domain/finding.js';
import { positiveRates, quantile } from '../../../src/domain/result-statistics.js';
import { sourceActivity } from '../../../src/domain/source-activity.js';

const DAY = 24 * 60 * 60 * 1000;
const NOW = 100 * DAY;

/** So many studies on each of the days before now, of which every nth is positive. */
function days(from: number, to: number, perDay: number, everyNth: number) {
  return Array.from({ length: from - to + 1 }, (_, day) =>
    Array.from({ length: perDay }, (_, i) => ({
      receivedAt: NOW - (from - day) * DAY + 1000,
      outcome: (i % everyNth === 0 ? 'positive' : 'negative') as Outcome,
      probability: i / perDay,
    })),
  ).flat();
}

describe('quantile', () => {
  it('is the nearest rank', () => {
    expect(quantile([], 0.5)).toBeUndefined();
    expect(quantile([7], 0.99)).toBe(7);
    expect(quantile([1, 2, 3, 4], 0.5)).toBe(2);
    expect(quantile([1, 2, 3, 4], 0.99)).toBe(4);
  });
});

describe('positiveRates', () => {
  it('gives each day its rate and quantiles, without what was not read', () => {
    const failed = { receivedAt: NOW - 1000, outcome: 'failed', probability: null } as const;
    const { days: lines } = positiveRates([...days(2, 2, 10, 5), failed], NOW);
    expect(lines).toEqual([
      {
        day: '1970-04-09',
        studies: 10,
        notRead: 0,
        positiveRate: 0.2,
        scores: { p10: 0, p50: 0.4, p90: 0.8 },
      },
      { day: '1970-04-10', studies: 0, notRead: 1, positiveRate: null, scores: null },
    ]);
  });

  it('is quiet while the last week is as the weeks before', () => {
    const { limits, recent } = positiveRates([...days(29, 8, 20, 10), ...days(6, 1, 20, 10)], NOW);
    expect(recent).toMatchObject({ studies: 120, positiveRate: 0.1, drifting: false });
    expect(limits?.low).toBeLessThan(0.1);
    expect(limits?.high).toBeGreaterThan(0.1);
  });

  it('tells where the rate has moved, and not of too few studies', () => {
    const before = days(29, 8, 20, 10);
    expect(positiveRates([...before, ...days(6, 1, 20, 3)], NOW).recent.drifting).toBe(true);
    expect(positiveRates([...before, ...days(6, 1, 2, 1)], NOW)).toMatchObject({
      limits: null,
      recent: { drifting: false },
    });
  });
});

describe('sourceActivity', () => {
  const HOUR = DAY / 24;
  const seen = (aeTitle: string, hoursAgo: number, ended: string | null = 'released') => ({
    aeTitle,
    openedAt: NOW - hoursAgo * HOUR,
    ended,
  });
  const hourly = (aeTitle: string, last: number) =>
    Array.from({ length: 20 }, (_, i) => seen(aeTitle, last + 20 - i));

  it('takes a sender for silent that is quiet for longer than it was wont to be', () => {
    const associations = [...hourly('CT1', 0.2), ...hourly('CT2', 5), seen('NEW', 90)].sort(
      (a, b) => a.openedAt - b.openedAt,
    );
    expect(
      sourceActivity(associations, NOW).map(({ aeTitle, silent }) => [aeTitle, silent]),
    ).toEqual([
      ['CT1', false],
      ['CT2', true],
      ['NEW', false],
    ]);
  });

  it('counts what was broken off within a day', () => {
    const associations = [seen('CT1', 30, 'aborted'), seen('CT1', 3, 'lost'), seen('CT1', 1, null)];
    expect(sourceActivity(associations, NOW)).toMatchObject([
      { abortedAssociations24h: 1, usualGapMs: null },
    ]);
  });
});
