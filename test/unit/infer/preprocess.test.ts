import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { HuImage } from '../../../src/dicom/hu-image.js';
import { type ModelManifest, manifestSchema } from '../../../src/infer/model-manifest.js';
import { averageImages, headBox, writeSliceInput } from '../../../src/infer/preprocess.js';
import { resample } from '../../../src/infer/resample.js';
import { GOLDEN, goldenImage } from './golden.js';

const root = new URL('../../../', import.meta.url);
const manifest: ModelManifest = manifestSchema.parse(
  JSON.parse(readFileSync(new URL('models/vigil-ich-small/manifest.json', root), 'utf8')),
);

describe('preprocessing agrees with training', () => {
  it.each(GOLDEN.cases)('on "$name"', (testCase) => {
    const { input } = manifest;
    const image = goldenImage(testCase);
    const box = headBox(image, input.crop);
    const [x = 0, y = 0, side = 0] = testCase.box;
    expect(box.x).toBeCloseTo(x, 5);
    expect(box.y).toBeCloseTo(y, 5);
    expect(box.side).toBeCloseTo(side, 5);

    const plane = input.size ** 2;
    const out = new Float32Array(input.channels.length * plane);
    writeSliceInput(
      input.channels.map(() => image),
      box,
      input,
      out,
    );
    for (const [channel, samples] of testCase.samples.entries()) {
      for (const [k, expected] of samples.entries()) {
        const at = (16 + 32 * Math.floor(k / 8)) * input.size + 16 + 32 * (k % 8);
        expect(out[channel * plane + at]).toBeCloseTo(expected, 5);
      }
      const sum = out.subarray(channel * plane, (channel + 1) * plane).reduce((a, b) => a + b, 0);
      expect(sum).toBeCloseTo(testCase.sums[channel] ?? Number.NaN, 1);
    }
  });
});

describe('resampling', () => {
  const ramp: HuImage = {
    rows: 4,
    columns: 4,
    hu: Float32Array.from({ length: 16 }, (_, i) => i % 4),
  };

  it('leaves an image of the same size as it is', () => {
    expect(resample(ramp, { x: 0, y: 0, side: 4 }, 4)).toEqual(ramp.hu);
  });

  it('keeps a constant', () => {
    const flat = { ...ramp, hu: new Float32Array(16).fill(7) };
    expect([...resample(flat, { x: 0.3, y: 0.7, side: 3.1 }, 3)]).toEqual(Array(9).fill(7));
  });

  it('magnifies by interpolation between pixel centres', () => {
    const row = [...resample(ramp, { x: 1, y: 0, side: 2 }, 4)].slice(0, 4);
    expect(row).toEqual([0.75, 1.25, 1.75, 2.25]);
  });
});

describe('a slab', () => {
  const image = (hu: number[]): HuImage => ({ rows: 1, columns: 2, hu: Float32Array.from(hu) });

  it('is the mean of its slices', () => {
    expect([...averageImages([image([0, 10]), image([10, 40])]).hu]).toEqual([5, 25]);
  });

  it('has slices of one size', () => {
    const other: HuImage = { rows: 2, columns: 1, hu: new Float32Array(2) };
    expect(() => averageImages([image([0, 0]), other])).toThrow(RangeError);
  });
});
