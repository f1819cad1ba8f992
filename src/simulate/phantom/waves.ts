import { between, type Random } from './random.js';

/** One period of the sine; a power of two, so that a phase wraps by a mask. */
const PERIOD = 4096;
const SINE = Float64Array.from({ length: PERIOD }, (_, i) => Math.sin((2 * Math.PI * i) / PERIOD));

/**
 * A sum of plane waves of about one length in all directions: the surfaces where it vanishes fold like sulci, about
 * half a wavelength apart.
 */
export class Waves {
  /** Cycles per mm along x, y and z, and phase in cycles, of each wave; all times the period of the table. */
  readonly #waves: Float64Array;

  constructor(random: Random, count: number, shortest: number, longest: number) {
    this.#waves = new Float64Array(4 * count);
    const turn = between(random, 0, 2 * Math.PI);
    for (let i = 0; i < count; i += 1) {
      const k = PERIOD / between(random, shortest, longest);
      // Directions spread over a half sphere by the golden angle, so that no seed gives stripes.
      const height = 0.95 * ((i + random()) / count);
      const flat = k * Math.sqrt(1 - height * height);
      const around = turn + 2.39996 * i + between(random, -0.3, 0.3);
      const phase = PERIOD * random();
      this.#waves.set([flat * Math.cos(around), flat * Math.sin(around), k * height, phase], 4 * i);
    }
  }

  /** About how far the nearest zero is, in mm. */
  distance(x: number, y: number, z: number): number {
    const waves = this.#waves;
    let sum = 0;
    let gx = 0;
    let gy = 0;
    let gz = 0;
    for (let i = 0; i < waves.length; i += 4) {
      const kx = waves[i] as number;
      const ky = waves[i + 1] as number;
      const kz = waves[i + 2] as number;
      const phase = (kx * x + ky * y + kz * z + (waves[i + 3] as number)) | 0;
      const slope = SINE[(phase + PERIOD / 4) & (PERIOD - 1)] as number;
      sum += SINE[phase & (PERIOD - 1)] as number;
      gx += kx * slope;
      gy += ky * slope;
      gz += kz * slope;
    }
    const gradient = (Math.sqrt(gx * gx + gy * gy + gz * gz) * 2 * Math.PI) / PERIOD;
    return Math.abs(sum) / Math.max(gradient, 0.12);
  }
}
