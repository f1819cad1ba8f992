import type { HuImage } from '../dicom/hu-image.js';
import type { InputSpec } from './model-manifest.js';
import { resample } from './resample.js';

/** A square in pixels of the image turned to display; not rounded. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly side: number;
}

/** Under this, an image has air around the head; a windowed export has none. */
const AIR_BELOW_HU = -400;
/** The threshold between head and surroundings of a windowed export, above its darkest pixel. */
const ABOVE_DARKEST_HU = 10;
const SMALLEST_HEAD = 0.02;

/** The mean of images of one size, in HU. */
export function averageImages(images: readonly HuImage[]): HuImage {
  const [first] = images;
  if (!first) throw new RangeError('There is no image to average');
  if (images.length === 1) return first;
  const hu = new Float32Array(first.hu.length);
  for (const image of images) {
    if (image.rows !== first.rows || image.columns !== first.columns) {
      throw new RangeError('The images of a slab differ in size');
    }
    for (let i = 0; i < hu.length; i += 1) hu[i] = (hu[i] as number) + (image.hu[i] as number);
  }
  for (let i = 0; i < hu.length; i += 1) hu[i] = (hu[i] as number) / images.length;
  return { ...first, hu };
}

/** The square around the head, or the largest centred square where no head is seen (docs/model-package.md, step 5). */
export function headBox(image: HuImage, crop: InputSpec['crop']): Box {
  const { rows, columns } = image;
  const shorter = Math.min(rows, columns);
  const k = Math.max(1, Math.floor(shorter / 128));
  const blocks = blockMeans(image, k);
  const threshold = hasAir(image) ? crop.thresholdHu : lowest(image.hu) + ABOVE_DARKEST_HU;
  const mask = new Uint8Array(blocks.values.length);
  let covered = 0;
  for (let i = 0; i < mask.length; i += 1) {
    if ((blocks.values[i] as number) <= threshold) continue;
    mask[i] = 1;
    covered += 1;
  }
  if (covered / mask.length < SMALLEST_HEAD) {
    return { x: (columns - shorter) / 2, y: (rows - shorter) / 2, side: shorter };
  }
  const head = largestComponent(mask, blocks.columns);
  const width = (head.right - head.left) * k;
  const height = (head.bottom - head.top) * k;
  const side = Math.min(Math.max(width, height) * crop.margin, shorter);
  const x = ((head.left + head.right) * k) / 2 - side / 2;
  const y = ((head.top + head.bottom) * k) / 2 - side / 2;
  return {
    x: Math.min(Math.max(x, 0), columns - side),
    y: Math.min(Math.max(y, 0), rows - side),
    side,
  };
}

/**
 * Writes one slice's input [channels, size, size] into `out`. `slabs` are the images that the
 * channels read, in the order of the channels; all are cut at `box` (docs/model-package.md, steps 6 and 7).
 */
export function writeSliceInput(
  slabs: readonly HuImage[],
  box: Box,
  input: InputSpec,
  out: Float32Array,
): void {
  const plane = input.size * input.size;
  let last: { readonly of: HuImage; readonly hu: Float32Array } | undefined;
  for (const [c, channel] of input.channels.entries()) {
    const of = slabs[c];
    if (!of) throw new RangeError(`Channel ${c} has no slab`);
    if (last?.of !== of) last = { of, hu: resample(of, box, input.size) };
    const { hu } = last;
    // Linear between the window's ends; a division costs more on every pixel than the rest.
    const scale = 1 / (channel.width * channel.std);
    const low = channel.center - channel.width / 2;
    const black = -channel.mean / channel.std;
    const white = (1 - channel.mean) / channel.std;
    const at = c * plane;
    for (let i = 0; i < plane; i += 1) {
      const value = ((hu[i] as number) - low) * scale + black;
      out[at + i] = Math.min(Math.max(value, black), white);
    }
  }
}

interface Blocks {
  readonly columns: number;
  readonly values: Float32Array;
}

function blockMeans({ hu, rows, columns }: HuImage, k: number): Blocks {
  const across = Math.floor(columns / k);
  const down = Math.floor(rows / k);
  const values = new Float32Array(across * down);
  for (let y = 0; y < down * k; y += 1) {
    const block = Math.floor(y / k) * across;
    const row = y * columns;
    for (let x = 0; x < across; x += 1) {
      values[block + x] = (values[block + x] as number) + sumOf(hu, row + x * k, k);
    }
  }
  for (let i = 0; i < values.length; i += 1) values[i] = (values[i] as number) / (k * k);
  return { columns: across, values };
}

/** Of `k` pixels; the four of an image of 512 in half the time of a loop. */
function sumOf(hu: Float32Array, from: number, k: number): number {
  if (k === 4) {
    return (
      (hu[from] as number) +
      (hu[from + 1] as number) +
      (hu[from + 2] as number) +
      (hu[from + 3] as number)
    );
  }
  let sum = 0;
  for (let i = 0; i < k; i += 1) sum += hu[from + i] as number;
  return sum;
}

/** Whether there is air around the head: mostly the first pixel says so. */
export function hasAir({ hu }: HuImage): boolean {
  for (let i = 0; i < hu.length; i += 1) if ((hu[i] as number) < AIR_BELOW_HU) return true;
  return false;
}

/** A loop over indices: the iterator of a typed array costs three times as much on every pixel. */
function lowest(hu: Float32Array): number {
  let minimum = Number.POSITIVE_INFINITY;
  for (let i = 0; i < hu.length; i += 1) if ((hu[i] as number) < minimum) minimum = hu[i] as number;
  return minimum;
}

interface Bounds {
  left: number;
  right: number;
  top: number;
  bottom: number;
}

/** Bounds, ends excluded, of the largest 4-connected component; of equals, the one met first row by row. */
function largestComponent(mask: Uint8Array, columns: number): Bounds {
  const rows = mask.length / columns;
  const pending = new Int32Array(mask.length);
  let largest = 0;
  let found: Bounds = { left: 0, right: columns, top: 0, bottom: rows };
  for (let seed = 0; seed < mask.length; seed += 1) {
    if (mask[seed] !== 1) continue;
    const bounds = { left: columns, right: 0, top: rows, bottom: 0 };
    let size = 0;
    let waiting = 0;
    const visit = (cell: number) => {
      if (mask[cell] !== 1) return;
      mask[cell] = 2;
      pending[waiting] = cell;
      waiting += 1;
    };
    visit(seed);
    while (waiting > 0) {
      waiting -= 1;
      const cell = pending[waiting] as number;
      const x = cell % columns;
      const y = (cell - x) / columns;
      size += 1;
      bounds.left = Math.min(bounds.left, x);
      bounds.right = Math.max(bounds.right, x + 1);
      bounds.top = Math.min(bounds.top, y);
      bounds.bottom = Math.max(bounds.bottom, y + 1);
      if (x > 0) visit(cell - 1);
      if (x + 1 < columns) visit(cell + 1);
      if (y > 0) visit(cell - columns);
      if (y + 1 < rows) visit(cell + columns);
    }
    if (size > largest) {
      largest = size;
      found = bounds;
    }
  }
  return found;
}
