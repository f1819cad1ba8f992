import type { HuImage } from '../dicom/hu-image.js';

/** For each output sample the first input sample it reads and, row by row, the weights of the following ones. */
interface Taps {
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly weights: Float64Array;
  readonly longest: number;
}

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
  const bottom = (down.first[size - 1] as number) + (down.count[size - 1] as number);

  const narrowed = new Float32Array((bottom - top) * size);
  for (let y = top; y < bottom; y += 1) {
    const row = y * image.columns;
    for (let x = 0; x < size; x += 1) {
      const from = row + (across.first[x] as number);
      const weight = x * across.longest;
      let sum = 0;
      for (let i = 0; i < (across.count[x] as number); i += 1) {
        sum += (image.hu[from + i] as number) * (across.weights[weight + i] as number);
      }
      narrowed[(y - top) * size + x] = sum;
    }
  }

  const out = new Float32Array(size * size);
  const line = new Float64Array(size);
  for (let y = 0; y < size; y += 1) {
    line.fill(0);
    for (let i = 0; i < (down.count[y] as number); i += 1) {
      const weight = down.weights[y * down.longest + i] as number;
      const row = ((down.first[y] as number) - top + i) * size;
      for (let x = 0; x < size; x += 1) {
        line[x] = (line[x] as number) + (narrowed[row + x] as number) * weight;
      }
    }
    out.set(line, y * size);
  }
  return out;
}

/** Pillow keeps the box in single precision. */
function taps(length: number, start: number, end: number, size: number): Taps {
  const from = Math.fround(start);
  const scale = Math.fround(Math.fround(end) - from) / size;
  const support = Math.max(scale, 1);
  const longest = Math.ceil(support) * 2 + 1;
  const first = new Int32Array(size);
  const count = new Int32Array(size);
  const weights = new Float64Array(size * longest);
  for (let i = 0; i < size; i += 1) {
    const center = from + (i + 0.5) * scale;
    const low = Math.max(0, Math.trunc(center - support + 0.5));
    const high = Math.min(length, Math.trunc(center + support + 0.5));
    let total = 0;
    for (let at = low; at < high; at += 1) {
      const weight = Math.max(0, 1 - Math.abs((at - center + 0.5) / support));
      weights[i * longest + at - low] = weight;
      total += weight;
    }
    for (let j = 0; j < high - low; j += 1) {
      weights[i * longest + j] = (weights[i * longest + j] as number) / total;
    }
    first[i] = low;
    count[i] = high - low;
  }
  return { first, count, weights, longest };
}
