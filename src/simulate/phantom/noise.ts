import { normal, type Random } from './random.js';

/** Side of a tile in pixels: a power of two, so that shifts wrap by a mask. */
const SIDE = 512;

/**
 * The noise of a filtered back projection: a normal field whose grain is some pixels wide and whose lowest frequencies
 * are missing, as the ramp filter leaves it. Tiles are made once; each slice mixes two under shifts of its own.
 */
export class ScannerNoise {
  readonly #tiles: readonly Float32Array[];
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
    this.#tiles = [grain(random), grain(random)];
  }

  /** Adds noise of the given deviation in HU to a slice of 512 x 512; `gain` scales it pixel by pixel. */
  addTo(slice: Float32Array, deviation: number, gain: (value: number) => number): void {
    const [a, b] = this.#tiles as [Float32Array, Float32Array];
    const shift = (): number => Math.floor(this.#random() * SIDE * SIDE);
    const [shiftA, shiftB] = [shift(), shift()];
    const sign = this.#random() < 0.5 ? -1 : 1;
    const scale = deviation / Math.SQRT2;
    const mask = SIDE * SIDE - 1;
    for (let i = 0; i < slice.length; i += 1) {
      const value = slice[i] as number;
      const sum = (a[(i + shiftA) & mask] as number) + sign * (b[(i + shiftB) & mask] as number);
      slice[i] = value + scale * gain(value) * sum;
    }
  }
}

/** A band-limited normal field with deviation 1 that wraps at its edges. */
function grain(random: Random): Float32Array {
  const white = new Float32Array(SIDE * SIDE);
  for (let i = 0; i < white.length; i += 1) white[i] = normal(random);
  const fine = blurred(white, 1);
  const coarse = blurred(blurred(fine, 2), 2);
  let power = 0;
  for (let i = 0; i < fine.length; i += 1) {
    fine[i] = (fine[i] as number) - 0.8 * (coarse[i] as number);
    power += (fine[i] as number) ** 2;
  }
  const scale = Math.sqrt(fine.length / power);
  return fine.map((value) => value * scale);
}

/** Box blur of the given radius in both directions, wrapping at the edges. */
function blurred(field: Float32Array, radius: number): Float32Array {
  let from = field;
  for (const step of [1, SIDE]) {
    const to = new Float32Array(from.length);
    const mask = from.length - 1;
    for (let i = 0; i < from.length; i += 1) {
      let sum = 0;
      for (let k = -radius; k <= radius; k += 1) sum += from[(i + k * step) & mask] as number;
      to[i] = sum / (2 * radius + 1);
    }
    from = to;
  }
  return from;
}
