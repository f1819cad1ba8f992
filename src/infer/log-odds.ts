/** ln(p / (1 - p)) of a probability or share between 0 and 1. */
export function logOdds(share: number): number {
  return Math.log(share / (1 - share));
}

/** The probability, 0..1, whose log odds are `logit`. */
export function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}

/** The probability that a calibration, a line in log odds (Platt 1999), makes of a model's logit. */
export function calibrated(
  logit: number,
  { slope, intercept }: { readonly slope: number; readonly intercept: number },
): number {
  return sigmoid(slope * logit + intercept);
}
