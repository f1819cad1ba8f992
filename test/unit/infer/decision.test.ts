import { describe, expect, it } from 'vitest';
import { StageError } from '../../../src/domain/failure.js';
import { CLASSES, type ClassName } from '../../../src/domain/finding.js';
import {
  atPrevalence,
  decide,
  type Scores,
  sliceProbabilities,
  studyLogitSeed,
  topSlices,
} from '../../../src/infer/decision.js';
import { pickKeySlices } from '../../../src/infer/key-slices.js';
import type { Decision } from '../../../src/infer/model-manifest.js';

const each = <T>(value: T) =>
  Object.fromEntries(CLASSES.map((name) => [name, value])) as Record<ClassName, T>;
const decision: Decision = {
  topSlices: 2,
  calibration: { ...each({ slope: 1, intercept: 0 }), subdural: { slope: 2, intercept: -1 } },
  thresholds: each({ negativeBelow: 0.4, positiveFrom: 0.6 }),
};

/** Scores of some classes for each slice; the others are far below zero. */
function scores(columns: Partial<Record<ClassName, readonly number[]>>, slices = 4): Scores {
  return Array.from({ length: slices }, (_, i) => CLASSES.map((name) => columns[name]?.[i] ?? -9));
}

describe('the decision', () => {
  it('takes the mean of the highest scores as the logit of the study', () => {
    const [any] = decide(scores({ any: [0, 3, -5, 1] }), decision).slice(-1);
    expect(any?.probability).toBeCloseTo(1 / (1 + Math.exp(-2)), 10);
  });

  it('takes all slices where there are fewer', () => {
    const [any] = decide(scores({ any: [1] }, 1), decision).slice(-1);
    expect(any?.probability).toBeCloseTo(1 / (1 + Math.exp(-1)), 10);
  });

  it('calibrates each class by itself', () => {
    const row = CLASSES.map((name) => (name === 'subdural' || name === 'any' ? 1 : 0));
    const probabilities = sliceProbabilities(row, decision);
    expect(probabilities[CLASSES.indexOf('subdural')]).toBeCloseTo(1 / (1 + Math.exp(-1)), 10);
    expect(probabilities[0]).toBe(0.5);
  });

  it.each([
    [Math.log(0.6 / 0.4) + 1e-9, 'present'],
    [Math.log(0.6 / 0.4) - 1e-6, 'undetermined'],
    [Math.log(0.4 / 0.6) + 1e-9, 'undetermined'],
    [Math.log(0.4 / 0.6) - 1e-6, 'absent'],
  ])('makes of a logit of %f that the class is %s', (logit, presence) => {
    const any = decide(scores({ any: [logit, logit] }), decision).at(-1);
    expect(any).toMatchObject({ name: 'any', presence });
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'is none where a score is %s, in whatever slice and class',
    (value) => {
      const failing = expect.objectContaining({ code: 'model-output-invalid' });
      expect(() => decide(scores({ any: [0, 1, value, 1] }), decision)).toThrow(failing);
      expect(() => decide(scores({ epidural: [value, 1, 1, 1] }), decision)).toThrow(failing);
      expect(() => sliceProbabilities([0, 0, 0, 0, 0, value], decision)).toThrow(failing);
      expect(() => studyLogitSeed(scores({ any: [value] }, 1), 'any', decision)).toThrow(failing);
    },
  );

  it('is none where a class has no score', () => {
    expect(() => decide([[1, 1, 1, 1, 1]], decision)).toThrow(StageError);
  });

  it('spreads the seed of Grad-CAM over the slices that made the logit', () => {
    const given = scores({ any: [0, 3, -5, 1] });
    const seed = studyLogitSeed(given, 'any', decision);
    const column = CLASSES.indexOf('any');
    expect(topSlices(given, 'any', decision)).toEqual([1, 3]);
    expect([0, 1, 2, 3].map((i) => seed[i * CLASSES.length + column])).toEqual([0, 0.5, 0, 0.5]);
    expect(seed.reduce((a, b) => a + b, 0)).toBe(1);
  });
});

describe('the decision at another prevalence', () => {
  const trained = { ...decision, prevalence: { ...each(0.1), any: 0.4 } };
  const columns = { any: [-1, 0.3, 0.5, 2], subdural: [0.1, 0.6, 1, 1.4] };

  it('shifts the odds by the ratio of the prior odds', () => {
    const before = decide(scores(columns), trained).at(-1);
    const after = decide(scores(columns), atPrevalence(trained, 0.1)).at(-1);
    const odds = (p = 0) => p / (1 - p);
    const ratio = odds(0.1) / odds(0.4);
    expect(odds(after?.probability)).toBeCloseTo(odds(before?.probability) * ratio, 10);
  });

  it('changes no answer, and comes back', () => {
    const shifted = atPrevalence(trained, 0.03);
    for (let logit = -3; logit < 3; logit += 0.01) {
      const given = scores({ any: [logit, logit], epidural: [-logit, logit] });
      const answers = (by: Decision) => decide(given, by).map((one) => one.presence);
      expect(answers(shifted)).toEqual(answers(trained));
    }
    const back = atPrevalence(shifted, 0.4);
    expect(back.calibration.any.intercept).toBeCloseTo(trained.calibration.any.intercept, 10);
    expect(back.thresholds.subdural.positiveFrom).toBeCloseTo(0.6, 10);
  });
});

describe('key slices', () => {
  const picks = (given: Scores, atMost = 5) =>
    pickKeySlices(given, decide(given, decision), decision, atMost);

  it('are those that decided, then the best of each present class, the likeliest first', () => {
    const given = scores({
      any: [5, 4, 3, 2],
      subdural: [0, 0, 2, 2],
      intraparenchymal: [0, 0, 1, 3],
      epidural: [0, 0, 0, 0],
    });
    expect(picks(given)).toEqual([
      { index: 0, className: 'any' },
      { index: 1, className: 'any' },
      { index: 2, className: 'subdural' },
      { index: 3, className: 'intraparenchymal' },
    ]);
  });

  it('come once each, and not more than asked for', () => {
    const given = scores({ any: [5, 4, 3, 2], subdural: [9, 8, 0, 0] });
    expect(picks(given).map(({ index }) => index)).toEqual([0, 1]);
    expect(picks(given, 1)).toHaveLength(1);
  });

  it('are none of a negative study', () => {
    expect(picks(scores({ any: [-5, -5, -5, -5], subdural: [5, 5, 5, 5] }))).toEqual([]);
  });

  it('are shown of an undetermined one', () => {
    expect(picks(scores({ any: [0, 0, -5, -5] }))).toHaveLength(2);
  });
});
