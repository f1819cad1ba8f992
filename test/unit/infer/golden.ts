import { readFileSync } from 'node:fs';
import type { HuImage } from '../../../src/dicom/hu-image.js';

export interface GoldenCase {
  readonly name: string;
  readonly rows: number;
  readonly columns: number;
  readonly background: number;
  readonly shapes: readonly (readonly [number, number, number, number, number])[];
  readonly noiseIn: number;
  readonly clip?: readonly [number, number];
  readonly box: readonly number[];
  readonly samples: readonly (readonly number[])[];
  readonly sums: readonly number[];
  readonly features: readonly number[];
  readonly logits: readonly number[];
}

interface Golden {
  readonly tolerance: Readonly<Record<'logits' | 'featureGradient', number>>;
  readonly cases: readonly GoldenCase[];
  /** The cases in their order as one series. */
  readonly series: {
    readonly scores: readonly (readonly number[])[];
    readonly seed: readonly (readonly number[])[];
    readonly featureGradient: readonly (readonly number[])[];
    readonly camMaximum: readonly number[];
  };
}

/** What models/training/golden.py wrote for the shipped model. */
export const GOLDEN: Golden = JSON.parse(
  readFileSync(new URL('../../fixtures/model/preprocess-golden.json', import.meta.url), 'utf8'),
);

/** The image that the golden file's own text describes. */
export function goldenImage({
  rows,
  columns,
  background,
  shapes,
  noiseIn,
  clip,
}: GoldenCase): HuImage {
  const hu = new Float32Array(rows * columns).fill(background);
  const noisy = new Set<number>();
  for (const [number, [cx2, cy2, a, b, value]] of shapes.entries()) {
    for (let i = 0; i < hu.length; i += 1) {
      const c = i % columns;
      const r = (i - c) / columns;
      if ((2 * c - cx2) ** 2 * b * b + (2 * r - cy2) ** 2 * a * a > a * a * b * b) continue;
      hu[i] = value;
      if (number === noiseIn) noisy.add(i);
    }
  }
  for (const i of noisy) {
    const c = i % columns;
    const r = (i - c) / columns;
    hu[i] = (hu[i] ?? 0) + ((1103 * r + 757 * c + 13 * r * c) % 17) - 8;
  }
  return { rows, columns, hu: clip ? hu.map((v) => Math.min(Math.max(v, clip[0]), clip[1])) : hu };
}
