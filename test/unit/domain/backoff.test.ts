import { describe, expect, it } from 'vitest';
import { backoff } from '../../../src/domain/backoff.js';

const LIMITS = { baseMs: 1000, capMs: 60_000 };

describe('backoff', () => {
  it.each([
    [1, 1000],
    [2, 2000],
    [3, 4000],
    [6, 32_000],
    [7, 60_000],
    [2000, 60_000],
  ])('draws the wait after attempt %i from up to %i ms', (attempt, span) => {
    expect(backoff(attempt, LIMITS, 0)).toBe(0);
    expect(backoff(attempt, LIMITS, 0.5)).toBe(span / 2);
    expect(backoff(attempt, LIMITS, 0.999_999)).toBeLessThanOrEqual(span);
  });
});
