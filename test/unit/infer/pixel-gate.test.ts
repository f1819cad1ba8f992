import { describe, expect, it } from 'vitest';
import type { HuImage } from '../../../src/dicom/hu-image.js';
import { refuseByPixels, slabStatistics } from '../../../src/infer/pixel-gate.js';
import { headBox } from '../../../src/infer/preprocess.js';
import { headSlice, type PhantomOptions } from './phantom.js';

const crop = { thresholdHu: -200, margin: 1.05 };

function codeOf(slices: readonly Float32Array[], spacing?: number): string | undefined {
  const statistics = slices.map((hu) => {
    const image: HuImage = {
      rows: 256,
      columns: 256,
      hu,
      ...(spacing !== undefined && { pixelSpacing: [spacing, spacing] as const }),
    };
    return slabStatistics(image, headBox(image, crop));
  });
  return refuseByPixels(statistics)?.code;
}

const slices = (options: PhantomOptions = {}, count = 20) =>
  Array.from({ length: count }, () => headSlice(options));

describe('the pixels', () => {
  it.each<[string, readonly Float32Array[]]>([
    ['of a head', slices()],
    ['of a head with a bleed in all slices', slices({ brainHu: 55 })],
    ['of a windowed export', slices().map((hu) => hu.map((v) => Math.min(Math.max(v, -20), 100)))],
    ['of a head within a longer scan', [...slices({}, 6), ...slices({ skullHu: 40 }, 20)]],
    ['of a thin skull', slices({ skullHu: 250 })],
  ])('%s pass', (_name, given) => {
    expect(codeOf(given, 0.9)).toBeUndefined();
    expect(codeOf(given)).toBeUndefined();
  });

  it.each<[string, readonly Float32Array[], number]>([
    ['of a water phantom', slices({ skullHu: 0, brainHu: 0 }), 0.9],
    ['of a body without a closed ring of bone', slices({ skullHu: 45, brainHu: 45 }), 1.5],
    ['of a ring too large for a head', slices({ width: 120, height: 120 }), 1.5],
    ['of a finger', slices({ width: 20, height: 20 }), 0.5],
    ['without an intercept', slices().map((hu) => hu.map((v) => v + 1024)), 0.9],
    ['of air', slices({ width: 0.1, height: 0.1 }), 0.9],
    ['of fluid in a ring of bone', slices({ brainHu: -8 }), 0.9],
  ])('%s do not', (_name, given, spacing) => {
    expect(codeOf(given, spacing)).toBe('not-a-head');
  });
});
