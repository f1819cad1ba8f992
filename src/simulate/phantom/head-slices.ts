import { Brain } from './brain.js';
import { Head } from './head.js';
import { type HemorrhageType, hemorrhageOf, type Side } from './hemorrhage.js';
import { ScannerNoise } from './noise.js';
import { between, seeded } from './random.js';

export interface PhantomBleed {
  readonly type: HemorrhageType;
  readonly side?: Side;
  /** About how much, in mL; types that fill given spaces (ventricles, cisterns) have no volume of their own. */
  readonly volumeMl?: number;
}

/** The HU images of a phantom, inferior to superior. */
export interface PhantomSlice {
  /** 512 x 512 HU, row by row, in radiological display: the patient's right on the left, anterior at the top. */
  readonly hu: Int16Array;
  /** Centre of the first pixel in the patient's coordinates, in mm. */
  readonly position: readonly [number, number, number];
}

export const SIZE = 512;
export const SLICES = 32;
export const THICKNESS = 5;

/** The field is computed at half resolution in three sub-slices and then interpolated. */
const COARSE = SIZE / 2;
const SUB_SLICES = [-5 / 3, 0, 5 / 3] as const;
const LOWEST = -22;
const FIELD_OF_VIEW = 234;
export const PIXEL = FIELD_OF_VIEW / SIZE;

export function headSlices(seed: number, bleed: PhantomBleed | undefined): PhantomSlice[] {
  const random = seeded(seed);
  const hemorrhage =
    bleed === undefined
      ? undefined
      : hemorrhageOf(bleed.type, bleed.side ?? 'right', bleed.volumeMl ?? 25);
  const anatomy = new Head(random, new Brain(random, hemorrhage));
  const noise = new ScannerNoise(random);
  const deviation = between(random, 2.5, 3.5);
  const first = -FIELD_OF_VIEW / 2 + PIXEL / 2;
  return Array.from({ length: SLICES }, (_, i) => {
    const z = LOWEST + i * THICKNESS;
    const field = interpolated(coarseField(anatomy, z));
    // Petrous bone and shoulders take photons away; air is clipped by the reconstruction.
    const more = z < 12 ? 1.35 : 1;
    noise.addTo(field, deviation * more, (value) => (value < -300 ? 1.6 : 1));
    return { hu: clipped(field), position: [first, first, z] };
  });
}

/** Whole HU within the 12 bits of a scanner. */
function clipped(field: Float32Array): Int16Array {
  const hu = new Int16Array(field.length);
  for (let i = 0; i < hu.length; i += 1) {
    const value = Math.floor((field[i] as number) + 0.5);
    hu[i] = Math.max(-1024, Math.min(3071, value));
  }
  return hu;
}

function coarseField(anatomy: Head, z: number): Float32Array {
  const field = new Float32Array(COARSE * COARSE);
  const pitch = FIELD_OF_VIEW / COARSE;
  const origin = -FIELD_OF_VIEW / 2 + pitch / 2;
  for (let row = 0; row < COARSE; row += 1) {
    const y = origin + row * pitch;
    for (let column = 0; column < COARSE; column += 1) {
      const x = origin + column * pitch;
      let sum = 0;
      for (const offset of SUB_SLICES) sum += anatomy.hu(x, y, z + offset);
      field[row * COARSE + column] = sum / SUB_SLICES.length;
    }
  }
  return field;
}

/** Twice the size, linear between the coarse pixels. */
function interpolated(coarse: Float32Array): Float32Array {
  const fine = new Float32Array(SIZE * SIZE);
  for (let row = 0; row < SIZE; row += 1) {
    const near = row >> 1;
    const far = Math.min(COARSE - 1, Math.max(0, near + (row % 2 === 0 ? -1 : 1)));
    for (let column = 0; column < SIZE; column += 1) {
      const beside = column >> 1;
      const across = Math.min(COARSE - 1, Math.max(0, beside + (column % 2 === 0 ? -1 : 1)));
      fine[row * SIZE + column] =
        0.5625 * (coarse[near * COARSE + beside] as number) +
        0.1875 * (coarse[near * COARSE + across] as number) +
        0.1875 * (coarse[far * COARSE + beside] as number) +
        0.0625 * (coarse[far * COARSE + across] as number);
    }
  }
  return fine;
}
