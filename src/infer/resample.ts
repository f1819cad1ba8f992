import type { HuImage } from '../dicom/hu-image.js';

/**
 * For each output sample the first input sample that it reads and the weights of it and the following ones: `count` for
 * each, those that an output sample does not need are zero.
 */
interface Taps {
  readonly first: Int32Array;
  readonly weights: Float64Array;
  readonly count: number;
}

/** Kept from call to call: fresh memory costs more than the arithmetic. */
let scratch = new Float32Array(0);

/**
 * The square box of an image at `size` x `size` by a separable triangle filter, whose support grows with the reduction:
 * Pillow's BILINEAR on 32-bit floats, rows first, to the last rounding.
 */
export function resample(
  image: HuImage,
  box: { readonly x: number; readonly y: number; readonly side: number },
  size: number,
): Float32Array {
  const across = taps(image.columns, box.x, box.x + box.side, size);
  const down = taps(image.rows, box.y, box.y + box.side, size);
  const top = down.first[0] as number;
  const bottom = (down.first[size - 1] as number) + down.count;

  if (scratch.length < (bottom - top) * size) scratch = new Float32Array((bottom - top) * size);
  const narrowed = scratch;
  const { hu, columns } = image;
  const { first, weights, count } = across;
  for (let y = top; y < bottom; y += 1) {
    const row = y * columns;
    const to = (y - top) * size;
    for (let x = 0; x < size; x += 1) {
      const from = row + (first[x] as number);
      narrowed[to + x] = weightedSum(hu, from, 1, weights, x * count, count);
    }
  }

  const out = new Float32Array(size * size);
  for (let y = 0; y < size; y += 1) {
    const row = ((down.first[y] as number) - top) * size;
    const to = y * size;
    for (let x = 0; x < size; x += 1) {
      out[to + x] = weightedSum(narrowed, row + x, size, down.weights, y * down.count, down.count);
    }
  }
  return out;
}

/** Output sample `i` of samples `step` apart. Four of them, as a head of 512 pixels needs at 256, in half the time of a loop. */
function weightedSum(
  samples: Float32Array,
  from: number,
  step: number,
  weights: Float64Array,
  w: number,
  count: number,
): number {
  if (count === 4) {
    return (
      (samples[from] as number) * (weights[w] as number) +
      (samples[from + step] as number) * (weights[w + 1] as number) +
      (samples[from + 2 * step] as number) * (weights[w + 2] as number) +
      (samples[from + 3 * step] as number) * (weights[w + 3] as number)
    );
  }
  let sum = 0;
  for (let k = 0; k < count; k += 1) {
    sum += (samples[from + k * step] as number) * (weights[w + k] as number);
  }
  return sum;
}

/** Pillow keeps the box in single precision. */
function taps(length: number, start: number, end: number, size: number): Taps {
  const from = Math.fround(start);
  const scale = Math.fround(Math.fround(end) - from) / size;
  const support = Math.max(scale, 1);
  const rangeOf = (i: number) => {
    const center = from + (i + 0.5) * scale;
    const low = Math.max(0, Math.trunc(center - support + 0.5));
    return { center, low, high: Math.min(length, Math.trunc(center + support + 0.5)) };
  };
  let count = 0;
  for (let i = 0; i < size; i += 1) {
    const { low, high } = rangeOf(i);
    count = Math.max(count, high - low);
  }
  const first = new Int32Array(size);
  const weights = new Float64Array(size * count);
  for (let i = 0; i < size; i += 1) {
    const { center, low, high } = rangeOf(i);
    // At the end it begins further back, so that all lie within the row.
    const begin = Math.min(low, length - count);
    const own = weights.subarray(i * count, (i + 1) * count);
    let total = 0;
    for (let at = low; at < high; at += 1) {
      const weight = Math.max(0, 1 - Math.abs((at - center + 0.5) / support));
      own[at - begin] = weight;
      total += weight;
    }
    for (let j = 0; j < count; j += 1) own[j] = (own[j] as number) / total;
    first[i] = begin;
  }
  return { first, weights, count };
}
