import type { Hemorrhage } from './hemorrhage.js';
import { between, type Random } from './random.js';
import { Capsule, chain, ellipsoid, inside, step } from './shapes.js';
import { Waves } from './waves.js';

/** HU of what is in a skull, for a soft kernel at 120 kV. */
const CSF = 7;
const GREY = 38;
const WHITE = 28.5;
const DEEP_GREY = 35.5;
const BRAINSTEM = 31;
const DURA = 48;
const VENOUS_BLOOD = 54;

/** How the brain of one phantom differs from another's; lengths in mm. */
interface BrainVariation {
  readonly ventricleSize: number;
  readonly sulcusWidth: number;
  readonly csfGap: number;
  readonly pinealHu: number;
}

function varyBrain(random: Random): BrainVariation {
  return {
    ventricleSize: between(random, 0.75, 1.15),
    sulcusWidth: between(random, 0.55, 1.15),
    csfGap: between(random, 0.8, 1.8),
    pinealHu: between(random, 45, 130),
  };
}

/**
 * The content of the cranial cavity as HU at a point. x runs to the left, y to posterior, z to the head, in mm; the
 * origin is in the midline at the level of the sella.
 */
export class Brain {
  readonly #variation: BrainVariation;
  readonly #ventricles: readonly Capsule[];
  readonly #gyri: Waves;
  readonly #folia: Waves;
  readonly #hemorrhage: Hemorrhage | undefined;

  constructor(random: Random, hemorrhage: Hemorrhage | undefined) {
    const variation = varyBrain(random);
    this.#variation = variation;
    this.#hemorrhage = hemorrhage;
    this.#gyri = new Waves(random, 8, 21, 27);
    this.#folia = new Waves(random, 5, 5, 7);
    const s = variation.ventricleSize;
    this.#ventricles = [
      ...chain([
        [8, -36, 52, 3 * s],
        [9, -25, 56, 5.5 * s],
        [11, -6, 66, 6 * s],
        [15, 15, 66, 6.5 * s],
        [23, 30, 55, 6.5 * s],
        [22, 48, 51, 2.5 * s],
      ]),
      ...chain([
        [23, 30, 55, 6 * s],
        [32, 18, 36, 3 * s],
        [31, 0, 28, 1.5 * s],
      ]),
    ];
  }

  /** `depth` is the distance to the inner table. */
  hu(px: number, py: number, pz: number, depth: number): number {
    const bleed = this.#hemorrhage;
    let x = px;
    let y = py;
    let z = pz;
    let surface = depth;
    if (bleed !== undefined) {
      const origin = bleed.displaced(px, py, pz, depth);
      x = origin.x;
      y = origin.y;
      z = origin.z;
      surface = origin.depth;
    }
    const ventricle = this.#ventricle(x, y, z);
    const infratentorial = y > -6 + 0.49 * (Math.abs(x) - 11) && z < tentorium(x, y);
    let value = infratentorial
      ? this.#posteriorFossa(x, y, z, surface)
      : this.#cerebrum(x, y, z, surface);
    value += (CSF - value) * inside(ventricle);
    value = this.#midline(x, y, z, surface, value);
    return bleed === undefined
      ? value
      : bleed.hu(px, py, pz, depth, value, {
          ventricle,
          csf: (WHITE - 3 - value) / (WHITE - 3 - CSF),
        });
  }

  #cerebrum(x: number, y: number, z: number, depth: number): number {
    const side = Math.abs(x);
    const sylvian = sylvianFissure(side, y, z);
    // Cortex also lines the falx above and before the corpus callosum, and the Sylvian fissure.
    const medial = z > 75 || y < -44 || y > 44 ? side - 1 : 99;
    const surface = Math.min(depth - this.#variation.csfGap, medial, sylvian);
    let value = WHITE;
    if (surface < 24) {
      const distance = this.#gyri.distance(x, y, z);
      const open = this.#variation.sulcusWidth * (1 - step(surface, 2, 19));
      const ribbon = Math.max(
        inside(surface - 3.6, 1.6),
        inside(distance - 3.4, 1.8) * (1 - step(surface, 15, 23)),
      );
      value += (GREY - WHITE) * ribbon;
      value += (CSF - value) * inside(distance - open, 1.3) * (open > 0.02 ? 1 : 0);
    }
    value += (DEEP_GREY - value) * deepNuclei(side, y, z);
    value += (CSF - value) * Math.max(inside(surface), inside(cisterns(x, y, z)));
    return value;
  }

  #posteriorFossa(x: number, y: number, z: number, depth: number): number {
    const side = Math.abs(x);
    const hemispheres = Math.min(
      ellipsoid(side - 25, y - 42, z + 1, 29, 30, 32),
      ellipsoid(x, y - 44, z - 8, 16, 27, 32),
    );
    const stem = brainstem(x, y, z);
    const shell = Math.max(hemispheres, this.#variation.csfGap - depth);
    let cerebellum = 35;
    const distance = this.#folia.distance(x, y, z);
    cerebellum -= 7 * inside(distance - 0.35, 0.8) * (1 - step(-shell, 3, 16));
    let value = CSF + (cerebellum - CSF) * inside(shell);
    value += (BRAINSTEM - value) * inside(stem);
    value += (CSF - value) * inside(ellipsoid(x, y - 20, z - 3, 7, 4.5, 9));
    const tent = tentorium(x, y) - z;
    return value + (DURA - value) * 0.7 * inside(tent - 1);
  }

  /** Falx, sagittal sinus, pineal gland and the fissure between the hemispheres. */
  #midline(x: number, y: number, z: number, depth: number, before: number): number {
    let value = before;
    const off = Math.abs(x + 0.6 * Math.sin(y / 23));
    const reach = z > 30 && (y < -40 || y > 42 || z > 75) ? 42 - depth : -1;
    if (reach > 0) {
      value += (CSF - value) * 0.8 * inside(off - 1.1, 1.2) * step(reach, 0, 8);
      value += (DURA - value) * inside(off - 0.6, 1) * step(reach, 2, 12);
    }
    if (y > 10 && z > 22) {
      const sinus = inside(off + 0.7 * Math.max(0, depth) - 4, 1.5);
      value += (VENOUS_BLOOD - value) * sinus * step(y, 10, 40);
    }
    value += (this.#variation.pinealHu - value) * inside(ellipsoid(x, y - 21, z - 43, 2.2, 3, 2.5));
    return value;
  }

  #ventricle(x: number, y: number, z: number): number {
    const third = ellipsoid(x, y - 4, z - 43, 2.2 * this.#variation.ventricleSize, 13, 9);
    const side = Math.abs(x);
    if (side > 45 || y < -52 || y > 62 || z < 16 || z > 84) return third;
    let nearest = third;
    for (const part of this.#ventricles) {
      // Taller than wide and parted by a septum.
      const distance = part.distance(side * 1.12, y, z);
      if (distance < nearest) nearest = distance;
    }
    return Math.max(nearest, 0.8 - side);
  }
}

/** Height of the tentorium: from its notch down to the transverse sinus and the petrous ridge. */
export function tentorium(x: number, y: number): number {
  const side = Math.abs(x);
  const toPetrous = 0.8 * Math.max(0, 22 - y) * step(side, 9, 18);
  return 36 - 0.52 * side - 0.32 * Math.max(0, y - 22) - toPetrous;
}

/** Pons with its arms to the cerebellum, midbrain with its peduncles and colliculi, medulla. */
function brainstem(x: number, y: number, z: number): number {
  const side = Math.abs(x);
  let nearest = ellipsoid(x, y - 4, z - 4, 15, 11.5, 14);
  for (const part of STEM) {
    const distance = part.distance(side, y, z);
    if (distance < nearest) nearest = distance;
  }
  return nearest;
}

/** Given for both sides at once. */
const STEM: readonly Capsule[] = [
  new Capsule([11, 7, 2, 8], [26, 27, -2, 9]),
  new Capsule([0, 10, 12, 10], [0, 12, 36, 9.5]),
  new Capsule([7, 2, 14, 6.5], [17, -3, 38, 8]),
  new Capsule([4.5, 18, 27, 4.5], [4.5, 19, 33, 4]),
  new Capsule([0, 9, -8, 8.5], [0, 20, -34, 7]),
];

/** Basal ganglia and thalami: share of the voxel; `side` is the distance from the midline. */
function deepNuclei(side: number, y: number, z: number): number {
  if (z < 34 || z > 76 || side > 40) return 0;
  return Math.max(
    inside(ellipsoid(side - 14.5, y + 23, z - 56, 5, 9, 11), 2),
    inside(ellipsoid(side - 26 - 0.25 * y, y + 3, z - 52, 6.5, 16, 11), 2),
    inside(ellipsoid(side - 11, y - 10, z - 52, 9, 14, 11), 2),
  );
}

/** The insula's fissure: an oblique sheet from the convexity inwards, and the sheet over the insula itself. */
function sylvianFissure(side: number, y: number, z: number): number {
  if (z < 20 || z > 62) return 99;
  const course = -16 + 0.75 * (z - 30) + 0.3 * (side - 38) + 2 * Math.sin(side / 5);
  const width = 1.4 * (1 - step(z, 48, 62));
  const opercular = side > 36 ? Math.abs(y - course) * 0.85 - width : 99;
  const middle = -8 + 0.6 * (z - 40);
  const insular =
    Math.abs(y - middle) < 19 ? Math.abs(side - 38 - 1.5 * Math.sin(y / 4)) - 0.8 * width : 99;
  return Math.min(opercular, insular);
}

/** Suprasellar, ambient and quadrigeminal cisterns. */
function cisterns(x: number, y: number, z: number): number {
  if (z < 12 || z > 40 || Math.abs(x) > 26) return 99;
  const angle = Math.atan2(y + 12, x);
  const star = Math.hypot(x, y + 12) - 9 - 3.5 * Math.cos(5 * (angle + Math.PI / 2));
  const stem = brainstem(x, y, z);
  const suprasellar = Math.max(star, Math.abs(z - 21) - 6, -stem);
  const ambient = Math.max(Math.abs(stem - 0.8) - 0.8, Math.abs(z - 22) - 8, 9 - y);
  const quadrigeminal = Math.max(ellipsoid(x, y - 24, z - 31, 10, 4, 7), -stem);
  return Math.min(suprasellar, ambient, quadrigeminal);
}
