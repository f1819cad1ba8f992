import type { Frame, Orientation } from '../domain/instance.js';
import { PixelError } from './pixel-error.js';
import { readStoredImage, type StoredImage, storedValue } from './pixels.js';

/** What stands for "no pixel here". */
const AIR_HU = -1000;
/** Padding is outside the field of view; a value that is also tissue in HU is a header's mistake. */
const HIGHEST_PADDING_HU = -500;

/** A slice in Hounsfield units, row by row. */
export interface HuImage {
  readonly rows: number;
  readonly columns: number;
  readonly hu: Float32Array;
  /** Distance between rows, then between columns, in mm. */
  readonly pixelSpacing?: readonly [number, number];
}

/**
 * One frame of a CT's Part 10 file in Hounsfield units, turned to radiological display: rows run from the patient's
 * right to left, columns from anterior to posterior. `geometry` is the header's entry for that frame, `frame` counts
 * from 1.
 * @param into takes the values where it has their length; nobody else may use it any more
 * @throws PixelError
 */
export async function readHuImage(
  part10: Uint8Array,
  geometry: Frame,
  frame = 1,
  into?: Float32Array,
): Promise<HuImage> {
  const image = toHu(await readStoredImage(part10, frame), geometry, into);
  const { imageOrientationPatient: orientation } = geometry;
  return orientation ? orientToDisplay(image, orientation) : image;
}

/** Modality LUT as slope and intercept (PS3.3 C.11.1.1.2); padding becomes air. */
export function toHu(stored: StoredImage, geometry: Frame, into?: Float32Array): HuImage {
  if (geometry.rescaleUnreadable) {
    throw new PixelError('value-mapping-invalid', 'Rescale Slope or Intercept is no number');
  }
  const slope = geometry.rescaleSlope ?? 1;
  const intercept = geometry.rescaleIntercept ?? 0;
  if (!Number.isFinite(slope) || slope === 0 || !Number.isFinite(intercept)) {
    throw new PixelError('value-mapping-invalid', `Rescale Slope ${slope}, Intercept ${intercept}`);
  }
  const { samples, rows, columns } = stored;
  const hu = into?.length === samples.length ? into : new Float32Array(samples.length);
  const huBySample = huTable(stored, slope, intercept);
  for (let i = 0; i < hu.length; i += 1) hu[i] = huBySample[samples[i] as number] as number;
  if (!isFiniteMapping(slope, intercept) && !allFinite(hu)) {
    const message = `Rescale Slope ${slope} and Intercept ${intercept} lead beyond any number`;
    throw new PixelError('value-mapping-invalid', message);
  }
  if (isWrapped(stored, hu, slope, intercept)) unwrap(hu);
  const { pixelSpacing } = geometry;
  return { rows, columns, hu, ...(pixelSpacing && { pixelSpacing }) };
}

/** More bits are never allocated to a sample. */
const SAMPLES = 0x10000;

/** The table of the last mapping: all slices of a series have one. */
let last: { readonly key: readonly unknown[]; readonly huBySample: Float32Array } | undefined;

/** The HU that each sample stands for: looking them up costs half of working them out for every pixel. */
function huTable(stored: StoredImage, slope: number, intercept: number): Float32Array {
  const { bitsStored, highBit, signed, padding } = stored;
  const key = [bitsStored, highBit, signed, padding?.from, padding?.to, slope, intercept];
  if (last?.key.every((part, i) => part === key[i])) return last.huBySample;
  const isOutside = padding !== undefined && padding.to * slope + intercept <= HIGHEST_PADDING_HU;
  const huBySample = new Float32Array(SAMPLES);
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const value = storedValue(stored, sample);
    const isPadding = isOutside && value >= padding.from && value <= padding.to;
    huBySample[sample] = isPadding ? AIR_HU : value * slope + intercept;
  }
  last = { key, huBySample };
  return huBySample;
}

/** Whether every value of 16 bits, signed or not, has a finite HU in single precision. */
function isFiniteMapping(slope: number, intercept: number): boolean {
  return [-0x8000, 0xffff].every((value) =>
    Number.isFinite(Math.fround(value * slope + intercept)),
  );
}

/** A loop over indices: a callback for every pixel costs more than the rest. */
export function allFinite(hu: Float32Array): boolean {
  for (let i = 0; i < hu.length; i += 1) if (!Number.isFinite(hu[i])) return false;
  return true;
}

/**
 * Some writers store HU without an intercept in 12 unsigned bits, so that what is under zero comes out near 4096.
 * Believed only if the unwrapped image has air near -1000 and, where it shows brain, has that at 20..45 HU.
 */
function isWrapped(
  stored: StoredImage,
  hu: Float32Array,
  slope: number,
  intercept: number,
): boolean {
  if (stored.signed || stored.bitsStored !== 12 || slope !== 1 || intercept !== 0) return false;
  let air = 0;
  const soft: number[] = [];
  for (let i = 0; i < hu.length; i += 1) {
    const unwrapped = wrapped12(hu[i] as number);
    if (unwrapped >= -1024 && unwrapped < -900) air += 1;
    else if (unwrapped > 0 && unwrapped < 80) soft.push(unwrapped);
  }
  if (air < 0.1 * hu.length) return false;
  if (soft.length < 0.02 * hu.length) return true;
  const middle = soft.sort((a, b) => a - b)[soft.length >> 1] as number;
  return middle >= 20 && middle <= 45;
}

function unwrap(hu: Float32Array): void {
  for (let i = 0; i < hu.length; i += 1) hu[i] = wrapped12(hu[i] as number);
}

/** 0..3095 stay, 3096..4095 are -1000..-1. */
function wrapped12(value: number): number {
  return ((value + 1000) % 4096) - 1000;
}

/**
 * Turns an axial image to radiological display by flips and at most one transposition; a gantry's tilt stays.
 * Image Orientation (Patient) gives the direction of the rows, then of the columns (PS3.3 C.7.6.2.1.1).
 */
export function orientToDisplay(image: HuImage, orientation: Orientation): HuImage {
  const [rowX, rowY, , columnX, columnY] = orientation;
  const transposed = Math.abs(rowX) < Math.abs(columnX);
  const flipX = (transposed ? columnX : rowX) < 0;
  const flipY = (transposed ? rowY : columnY) < 0;
  if (!transposed && !flipX && !flipY) return image;

  const { hu, pixelSpacing } = image;
  const rows = transposed ? image.columns : image.rows;
  const columns = transposed ? image.rows : image.columns;
  const turned = new Float32Array(hu.length);
  for (let y = 0; y < rows; y += 1) {
    const v = flipY ? rows - 1 - y : y;
    for (let x = 0; x < columns; x += 1) {
      const u = flipX ? columns - 1 - x : x;
      turned[y * columns + x] = hu[
        transposed ? u * image.columns + v : v * image.columns + u
      ] as number;
    }
  }
  const spacing =
    pixelSpacing && transposed ? ([pixelSpacing[1], pixelSpacing[0]] as const) : pixelSpacing;
  return { rows, columns, hu: turned, ...(spacing && { pixelSpacing: spacing }) };
}
