import { StageError } from '../domain/failure.js';
import { CLASSES, type ClassName, type ClassResult, type Presence } from '../domain/finding.js';
import { calibrated, logOdds, sigmoid } from './log-odds.js';
import type { Decision } from './model-manifest.js';

/** Scores [T][C]: the sequence model's logit for each slab and class. */
export type Scores = readonly ArrayLike<number>[];

/** The class whose presence is the study's answer. */
export const DECIDING_CLASS: ClassName = 'any';

/**
 * The indices of the `topSlices` highest scores of a class, highest first; all where there are fewer.
 * @throws StageError where one of them is no finite number
 */
export function topSlices(
  scores: Scores,
  className: ClassName,
  { topSlices: k }: Decision,
): number[] {
  const column = CLASSES.indexOf(className);
  return scores
    .map((row, index) => ({ index, score: scoreAt(row, column) }))
    .sort((a, b) => b.score - a.score)
    .slice(0, k)
    .map(({ index }) => index);
}

/**
 * Probability of each class for the study, and what the thresholds make of it (docs/model-package.md).
 * @throws StageError where there is no score, or one that is no finite number: that is no answer, least of all
 * `undetermined`
 */
export function decide(scores: Scores, decision: Decision): ClassResult[] {
  return CLASSES.map((name, column) => {
    const top = topSlices(scores, name, decision).map((index) => scoreAt(scores[index], column));
    const logit = top.reduce((sum, score) => sum + score, 0) / top.length;
    const probability = probabilityOf(logit, name, decision);
    const { negativeBelow, positiveFrom } = decision.thresholds[name];
    return {
      name,
      logit,
      probability,
      presence: presence(probability, negativeBelow, positiveFrom),
    };
  });
}

/** Probabilities [C] of one slab on the study's scale. @throws StageError */
export function sliceProbabilities(row: ArrayLike<number>, decision: Decision): number[] {
  return CLASSES.map((name, column) => probabilityOf(scoreAt(row, column), name, decision));
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
    const moved = (probability: number) => sigmoid(logOdds(probability) + shift);
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

function presence(probability: number, negativeBelow: number, positiveFrom: number): Presence {
  if (probability >= positiveFrom) return 'present';
  return probability < negativeBelow ? 'absent' : 'undetermined';
}

function probabilityOf(logit: number, name: ClassName, { calibration }: Decision): number {
  const probability = calibrated(logit, calibration[name]);
  if (Number.isNaN(probability)) throw notFinite();
  return probability;
}

function scoreAt(row: ArrayLike<number> | undefined, column: number): number {
  const score = row?.[column];
  if (score === undefined || !Number.isFinite(score)) throw notFinite();
  return score;
}

function notFinite(): StageError {
  const message = 'The model gave a score that is not a finite number';
  return new StageError('model-output-invalid', 'transient', message);
}
