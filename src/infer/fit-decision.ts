import { calibrated, logOdds } from './log-odds.js';
import type { Decision } from './model-manifest.js';

type Calibration = Decision['calibration']['any'];
type Thresholds = Decision['thresholds']['any'];

/** A study that radiologists have labelled: the model's logit of a class, and whether the class is there. */
export interface LabelledStudy {
  readonly logit: number;
  readonly present: boolean;
}

export interface FitWishes {
  /** Share of studies with the class that may be called absent, at most. */
  readonly missed: number;
  /** Share of studies without the class that may be called present, at most. */
  readonly falseAlarms: number;
  /** Share of the site's studies that have the class; the labelled studies' own share where absent. */
  readonly prevalence?: number | undefined;
}

/** So many studies of one kind let the conformal bound of a share be kept; with fewer no threshold could. */
export function studiesNeeded(share: number): number {
  return Math.ceil(1 / share - 1e-9) - 1;
}

/**
 * Calibration and thresholds of one class, fitted on studies that the model was not trained on.
 *
 * The probability is Platt's (1999), shifted to the prevalence in log odds. The thresholds are split-conformal: of n
 * studies with the class, the floor(missed x (n + 1)) least suspicious lie under `negativeBelow`, so that a further
 * study like them is called absent with a chance of at most `missed` (Vovk et al. 2005); `positiveFrom` likewise.
 * Where both bounds leave nothing between them, one threshold midway keeps both.
 *
 * @throws RangeError with fewer studies than `studiesNeeded`, on either side
 */
export function fitClass(
  studies: readonly LabelledStudy[],
  { missed, falseAlarms, prevalence }: FitWishes,
): { readonly calibration: Calibration; readonly thresholds: Thresholds } {
  const logits = (present: boolean) =>
    studies
      .filter((study) => study.present === present)
      .map(({ logit }) => logit)
      .sort((a, b) => a - b);
  const [positives, negatives] = [logits(true), logits(false)];
  if (positives.length < studiesNeeded(missed) || negatives.length < studiesNeeded(falseAlarms)) {
    throw new RangeError(
      `${positives.length} studies with and ${negatives.length} without it: ${studiesNeeded(missed)} and ${studiesNeeded(falseAlarms)} are needed to keep these shares`,
    );
  }
  const fitted = platt(studies);
  const share = positives.length / studies.length;
  const shift = logOdds(prevalence ?? share) - logOdds(share);
  const calibration = { slope: fitted.slope, intercept: fitted.intercept + shift };
  const probability = (logit: number) => calibrated(logit, calibration);

  const lowest = positives[Math.max(0, Math.floor(missed * (positives.length + 1)) - 1)] as number;
  const highest = negatives[
    Math.min(negatives.length, Math.ceil((1 - falseAlarms) * (negatives.length + 1))) - 1
  ] as number;
  const negativeBelow = probability(lowest);
  const positiveFrom = above(probability(highest));
  if (negativeBelow <= positiveFrom)
    return { calibration, thresholds: { negativeBelow, positiveFrom } };
  const middle = (negativeBelow + positiveFrom) / 2;
  return { calibration, thresholds: { negativeBelow: middle, positiveFrom: middle } };
}

/** The next number: a study exactly at the bound is not called. */
function above(probability: number): number {
  return Math.min(1, probability + Number.EPSILON);
}

const STEPS = 100;
const CONVERGED = 1e-10;
/** Keeps the system solvable where the two kinds of study do not overlap. */
const RIDGE = 1e-9;

/** Platt's scaling with his smoothed targets, by Newton's method (Lin, Lin, Weng 2007, with halved steps). */
function platt(studies: readonly LabelledStudy[]): Calibration {
  const positives = studies.filter(({ present }) => present).length;
  const negatives = studies.length - positives;
  const targets = { with: (positives + 1) / (positives + 2), without: 1 / (negatives + 2) };
  const target = ({ present }: LabelledStudy) => (present ? targets.with : targets.without);
  const loss = (slope: number, intercept: number) =>
    studies.reduce((sum, study) => {
      const z = slope * study.logit + intercept;
      const softplus = Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
      return sum + softplus - target(study) * z;
    }, 0);

  let slope = 0;
  let intercept = Math.log((positives + 1) / (negatives + 1));
  for (let step = 0; step < STEPS; step += 1) {
    let [gs, gi, hss, hsi, hii] = [0, 0, RIDGE, 0, RIDGE];
    for (const study of studies) {
      const p = calibrated(study.logit, { slope, intercept });
      const [error, weight] = [p - target(study), p * (1 - p)];
      gs += error * study.logit;
      gi += error;
      hss += weight * study.logit ** 2;
      hsi += weight * study.logit;
      hii += weight;
    }
    const determinant = hss * hii - hsi * hsi;
    const [ds, di] = [(hii * gs - hsi * gi) / determinant, (hss * gi - hsi * gs) / determinant];
    const before = loss(slope, intercept);
    let size = 1;
    while (size > CONVERGED && loss(slope - size * ds, intercept - size * di) > before) size /= 2;
    slope -= size * ds;
    intercept -= size * di;
    if (Math.abs(size * ds) + Math.abs(size * di) < CONVERGED) break;
  }
  return { slope, intercept };
}
