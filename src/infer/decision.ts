import { CLASSES, type ClassName, type ClassResult, type Presence } from '../domain/finding.js';
import type { Decision } from './model-manifest.js';

/** Scores [T][C]: the sequence model's logit for each slab and class. */
export type Scores = readonly ArrayLike<number>[];

/** The class whose presence is the study's answer. */
export const DECIDING_CLASS: ClassName = 'any';

/** The indices of the `topSlices` highest scores of a class, highest first; all where there are fewer. */
export function topSlices(
  scores: Scores,
  className: ClassName,
  { topSlices: k }: Decision,
): number[] {
  const column = CLASSES.indexOf(className);
  return scores
    .map((row, index) => ({ index, score: row[column] ?? Number.NEGATIVE_INFINITY }))
    .sort((a, b) => b.score - a.score)
    .slice(0, k)
    .map(({ index }) => index);
}

/** Probability of each class for the study, and what the thresholds make of it (docs/model-package.md). */
export function decide(scores: Scores, decision: Decision): ClassResult[] {
  return CLASSES.map((name, column) => {
    const top = topSlices(scores, name, decision).map((index) => scores[index]?.[column] ?? 0);
    const logit = top.reduce((sum, score) => sum + score, 0) / top.length;
    const probability = calibrated(logit, name, decision);
    const { negativeBelow, positiveFrom } = decision.thresholds[name];
    return {
      name,
      logit,
      probability,
      presence: presence(probability, negativeBelow, positiveFrom),
    };
  });
}

/** Probabilities [C] of one slab on the study's scale. */
export function sliceProbabilities(row: ArrayLike<number>, decision: Decision): number[] {
  return CLASSES.map((name, column) => calibrated(row[column] ?? 0, name, decision));
}

/**
 * dS/d`scores` [T x C], row by row, where S is the study's logit of a class: what gradient.onnx starts from.
 */
export function studyLogitSeed(
  scores: Scores,
  className: ClassName,
  decision: Decision,
): Float32Array {
  const seed = new Float32Array(scores.length * CLASSES.length);
  const top = topSlices(scores, className, decision);
  for (const index of top) {
    seed[index * CLASSES.length + CLASSES.indexOf(className)] = 1 / top.length;
  }
  return seed;
}

/**
 * The decision with its probabilities shifted to a site's share of studies with a hemorrhage, in log odds (Saerens et
 * al. 2002). The thresholds move along, so that no answer changes. The types keep their shares among the hemorrhages.
 */
export function atPrevalence(
  decision: Decision & { readonly prevalence: Record<ClassName, number> },
  prevalence: number,
): Decision & { readonly prevalence: Record<ClassName, number> } {
  const shifted = structuredClone(decision);
  const ratio = prevalence / decision.prevalence[DECIDING_CLASS];
  for (const name of CLASSES) {
    const share = decision.prevalence[name] * ratio;
    const shift = logOdds(share) - logOdds(decision.prevalence[name]);
    const moved = (probability: number) => 1 / (1 + Math.exp(-(logOdds(probability) + shift)));
    const { negativeBelow, positiveFrom } = decision.thresholds[name];
    shifted.prevalence[name] = share;
    const { slope, intercept } = decision.calibration[name];
    shifted.calibration[name] = { slope, intercept: intercept + shift };
    shifted.thresholds[name] = {
      negativeBelow: moved(negativeBelow),
      positiveFrom: moved(positiveFrom),
    };
  }
  return shifted;
}

function logOdds(share: number): number {
  return Math.log(share / (1 - share));
}

function presence(probability: number, negativeBelow: number, positiveFrom: number): Presence {
  if (probability >= positiveFrom) return 'present';
  return probability < negativeBelow ? 'absent' : 'undetermined';
}

function calibrated(logit: number, name: ClassName, { calibration }: Decision): number {
  const { slope, intercept } = calibration[name];
  return 1 / (1 + Math.exp(-(slope * logit + intercept)));
}
