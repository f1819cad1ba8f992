import { describe, expect, it } from 'vitest';
import { fitClass, type LabelledStudy, studiesNeeded } from '../../../src/infer/fit-decision.js';

/** Numbers 0..1 that are the same in every run (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));

/** Studies whose class is there with the chance sigmoid(slope x logit + intercept). */
function drawn(count: number, slope: number, intercept: number, seed: number): LabelledStudy[] {
  const next = random(seed);
  return Array.from({ length: count }, () => {
    const logit = 8 * next() - 4;
    return { logit, present: next() < sigmoid(slope * logit + intercept) };
  });
}

const shares = { missed: 0.05, falseAlarms: 0.1 };

describe('fitting a class to labelled studies', () => {
  it('finds the slope and intercept that the labels were drawn with', () => {
    const { calibration } = fitClass(drawn(20_000, 1.5, -0.7, 1), shares);
    expect(calibration.slope).toBeCloseTo(1.5, 1);
    expect(calibration.intercept).toBeCloseTo(-0.7, 1);
  });

  it('keeps the shares on other studies of the same kind, taken over many fits', () => {
    const others = drawn(50_000, 1.5, -0.7, 3);
    const fits = Array.from({ length: 50 }, (_, i) =>
      fitClass(drawn(300, 1.5, -0.7, 100 + i), shares),
    );
    const share = (present: boolean, when: (p: number, fit: (typeof fits)[number]) => boolean) => {
      const own = others.filter((study) => study.present === present);
      const counts = fits.map((fit) => {
        const { slope, intercept } = fit.calibration;
        return own.filter(({ logit }) => when(sigmoid(slope * logit + intercept), fit)).length;
      });
      return counts.reduce((sum, count) => sum + count, 0) / own.length / fits.length;
    };
    const missed = share(true, (p, { thresholds }) => p < thresholds.negativeBelow);
    const alarms = share(false, (p, { thresholds }) => p >= thresholds.positiveFrom);
    expect(missed).toBeGreaterThan(0.03);
    expect(missed).toBeLessThan(0.055);
    expect(alarms).toBeGreaterThan(0.08);
    expect(alarms).toBeLessThan(0.11);
  });

  it('never sets a threshold that misses more of the fitted studies than allowed', () => {
    for (let seed = 10; seed < 60; seed += 1) {
      const studies = drawn(100, 2, 0, seed);
      const { calibration, thresholds } = fitClass(studies, shares);
      const p = (study: LabelledStudy) =>
        sigmoid(calibration.slope * study.logit + calibration.intercept);
      const positives = studies.filter(({ present }) => present);
      const negatives = studies.filter(({ present }) => !present);
      const missed = positives.filter((study) => p(study) < thresholds.negativeBelow);
      const alarms = negatives.filter((study) => p(study) >= thresholds.positiveFrom);
      expect(missed.length / positives.length).toBeLessThanOrEqual(0.05);
      expect(alarms.length / negatives.length).toBeLessThanOrEqual(0.1);
      expect(thresholds.negativeBelow).toBeLessThanOrEqual(thresholds.positiveFrom);
    }
  });

  it('sets one threshold where the two kinds of study do not overlap', () => {
    const studies = Array.from({ length: 40 }, (_, i) => ({
      logit: (i < 20 ? 3 : -3) + i / 100,
      present: i < 20,
    }));
    const { calibration, thresholds } = fitClass(studies, shares);
    expect(thresholds.negativeBelow).toBe(thresholds.positiveFrom);
    const p = studies.map(({ logit }) =>
      sigmoid(calibration.slope * logit + calibration.intercept),
    );
    for (const [i, { present }] of studies.entries()) {
      expect((p[i] as number) >= thresholds.positiveFrom).toBe(present);
    }
  });

  it('shifts probabilities to the prevalence without changing an answer', () => {
    const studies = drawn(1000, 1.5, 0, 4);
    const own = fitClass(studies, shares);
    const rare = fitClass(studies, { ...shares, prevalence: 0.05 });
    const answers = ({ calibration, thresholds }: typeof own) =>
      studies.map(({ logit }) => {
        const p = sigmoid(calibration.slope * logit + calibration.intercept);
        return p >= thresholds.positiveFrom ? 1 : p < thresholds.negativeBelow ? -1 : 0;
      });
    expect(answers(rare)).toEqual(answers(own));
    const share = studies.filter(({ present }) => present).length / studies.length;
    const logOdds = (p: number) => Math.log(p / (1 - p));
    expect(rare.calibration.slope).toBe(own.calibration.slope);
    expect(rare.calibration.intercept - own.calibration.intercept).toBeCloseTo(
      logOdds(0.05) - logOdds(share),
      10,
    );
  });

  it.each([
    [0.05, 19],
    [0.1, 9],
    [0.5, 1],
  ])('needs for a share of %f at least %i studies', (share, needed) => {
    expect(studiesNeeded(share)).toBe(needed);
  });

  it('says how many studies are missing', () => {
    const few = drawn(20, 1, 0, 5);
    expect(() => fitClass(few, shares)).toThrow(/19 and 9 are needed/);
  });
});
