import type { Brain } from './brain.js';
import { between, type Random } from './random.js';
import { type Ball, Capsule, ellipsoid, inside, step } from './shapes.js';
import { Waves } from './waves.js';

const AIR = -1000;
const FAT = -90;
const SCALP_FAT = -60;
const MUSCLE = 52;
const SKIN = 30;
const TABLE_BONE = 1750;
const DIPLOE = 700;
const SKULL_BASE_BONE = 950;

/** How one phantom's head differs from another's; lengths in mm. */
interface HeadVariation {
  readonly halfWidth: number;
  readonly halfLength: number;
  readonly halfHeight: number;
  readonly skull: number;
  readonly scalp: number;
  /** Position and turn on the table. */
  readonly shift: readonly [x: number, y: number];
  readonly roll: number;
}

function varyHead(random: Random): HeadVariation {
  return {
    halfWidth: between(random, 69, 75),
    halfLength: between(random, 87, 94),
    halfHeight: between(random, 83, 88),
    skull: between(random, 5, 6.5),
    scalp: between(random, 4.5, 7),
    shift: [between(random, -5, 5), between(random, -4, 4)],
    roll: between(random, -0.07, 0.07),
  };
}

/** Height of the widest section of the vault over the sella, in mm. */
const VAULT_CENTRE = 42;

/** No point of a head is farther from its axis, in mm. */
const LARGEST_HEAD = 106;

/** A head on its holder as HU at a point; coordinates as in `Brain`, before the head is turned and shifted. */
export class Head {
  readonly #variation: HeadVariation;
  readonly #brain: Brain;
  readonly #cos: number;
  readonly #sin: number;
  readonly #fatPlanes: Waves;
  readonly #mastoidCells: Waves;

  constructor(random: Random, brain: Brain) {
    this.#variation = varyHead(random);
    this.#cos = Math.cos(this.#variation.roll);
    this.#sin = Math.sin(this.#variation.roll);
    this.#brain = brain;
    this.#fatPlanes = new Waves(random, 6, 18, 30);
    this.#mastoidCells = new Waves(random, 5, 5, 8);
  }

  /** At a point of the scanner, in mm from its axis. */
  hu(scannerX: number, scannerY: number, z: number): number {
    const sx = scannerX - this.#variation.shift[0];
    const sy = scannerY - this.#variation.shift[1];
    if (sx * sx + sy * sy > LARGEST_HEAD * LARGEST_HEAD) return holder(scannerX, scannerY);
    const x = this.#cos * sx + this.#sin * sy;
    const y = this.#cos * sy - this.#sin * sx;
    const under = this.#vaultDepth(x, y, z);
    const skin = Math.max(under + this.#variation.scalp, faceDepth(x, y, z));
    if (skin < -1) return holder(scannerX, scannerY);
    const tissue = this.#tissue(x, y, z, under, skin);
    return AIR + (tissue - AIR) * inside(-skin);
  }

  /** Depth under the outer table, as if the skull were closed below. */
  #vaultDepth(x: number, y: number, z: number): number {
    const { halfWidth, halfLength, halfHeight } = this.#variation;
    const egg = 1 + 0.07 * Math.max(-1, Math.min(1, y / halfLength));
    const u = x / (halfWidth * egg);
    const v = y / halfLength;
    const w = (z - VAULT_CENTRE) / halfHeight;
    // Fuller between the axes than an ellipsoid.
    const uu = u * u;
    const vv = v * v;
    const ww = w * w;
    const q = uu + vv + ww - 0.22 * (uu * vv + 0.6 * ww * (uu + vv));
    const k = Math.sqrt(Math.max(q, 1e-6));
    const slope =
      Math.sqrt((u / halfWidth) ** 2 + (v / halfLength) ** 2 + (w / halfHeight) ** 2) / k;
    return (1 - k) / Math.max(slope, 1e-4);
  }

  #tissue(x: number, y: number, z: number, under: number, skin: number): number {
    const side = Math.abs(x);
    const squama = step(side, 52, 64) * (1 - step(z, 40, 62)) * (1 - step(Math.abs(y + 4), 22, 40));
    const thickness = this.#variation.skull * (1 - 0.45 * squama + 0.25 * step(y, 55, 80));
    const above = z > 45 ? z : z - floorHeight(side, y);
    const cavity = Math.min(under - thickness, above - 1.5);
    const open = z > 30 ? Number.POSITIVE_INFINITY : PETROUS.distance(side, y, z);
    if (cavity > 1 && open > 1) return this.#brain.hu(x, y, z, cavity);
    let value = this.#soft(x, side, y, z, under, skin);
    if (z < 34 || under < thickness + 8) {
      value = this.#bone(x, side, y, z, under, thickness, above, open, value);
    }
    if (cavity <= -1) return value;
    const content = this.#brain.hu(x, y, z, Math.max(0, cavity));
    return value + (content - value) * Math.min(inside(-cavity), inside(-open));
  }

  /** Scalp with its fat, temporal muscle, and the muscles and fat under the skull. */
  #soft(x: number, side: number, y: number, z: number, under: number, skin: number): number {
    if (skin < 2.2) return SKIN;
    if (under < 0 && z > 14) {
      const temporal =
        step(side, 50, 58) * (1 - step(z, 45, 66)) * (1 - step(Math.abs(y + 12), 26, 38));
      const galea = inside(Math.abs(under + 1.2) - 0.8);
      return SCALP_FAT + (MUSCLE - SCALP_FAT) * Math.max(temporal, galea);
    }
    const plane = inside(this.#fatPlanes.distance(x, y, z) - 1, 2);
    return MUSCLE + (FAT - MUSCLE) * plane;
  }

  #bone(
    x: number,
    side: number,
    y: number,
    z: number,
    under: number,
    thickness: number,
    above: number,
    ridge: number,
    soft: number,
  ): number {
    let value = soft;
    // The vault ends where the face begins; behind, it goes down to the foramen magnum.
    const vault = Math.max(step(z, 14, 22), step(y, -30, -20));
    const shell = inside(-under) * inside(under - thickness) * vault;
    if (shell > 0) {
      const layer = Math.min(under, thickness - under);
      const tables = 1 - step(layer, 1.2, 2.4);
      value += (DIPLOE + (TABLE_BONE - DIPLOE) * tables - value) * shell;
    }
    if (z > 40 || under < 0) return value;
    if (under > 2) {
      value += (SKULL_BASE_BONE - value) * inside(Math.abs(above) - 1.7);
    }
    for (const part of BASE_BONES) {
      const share = inside(part.shape.distance(side, y, z));
      if (share > 0) value += (part.hu - value) * share;
    }
    if (ridge < 2) {
      value += (1350 + 250 * Math.sin(side / 2.1) * Math.sin(y / 1.9) - value) * inside(ridge);
      value += (AIR + 100 - value) * inside(ellipsoid(side - 43, y - 8, z - 2, 4, 3, 4));
    }
    const mastoid = ellipsoid(side - 60, y - 24, z + 6, 10, 13, 17);
    if (mastoid < 1) {
      const cells = 450 + (AIR - 250) * step(this.#mastoidCells.distance(x, y, z), 0.3, 1);
      value += (cells - value) * inside(mastoid);
    }
    value = orbit(side, y, z, value);
    return sinuses(x, side, y, z, value);
  }
}

/** Height of the floor of the cranial fossae: anterior, middle and posterior, which step down from front to back. */
function floorHeight(side: number, y: number): number {
  // The roofs of the orbits rise to the frontal bone, and beside the midline.
  const roof = Math.exp(-((side - 31) ** 2) / 300) * step(-y, 34, 84);
  const anterior = 17 + 14 * roof + 1.5 * Math.sin(side / 4) * Math.sin(y / 5);
  const middle = 2 + 13 * (1 - step(side, 12, 20));
  const bowl = ((side / 54) ** 2 + ((y - 32) / 44) ** 2) ** 1.3;
  const posterior = Math.min(16, -34 + 32 * bowl);
  const frontToMiddle = step(y + 0.12 * side, -38, -28);
  const ridge = -5 + 0.45 * (side - 11);
  const middleToBack = step(y - ridge, -6, 8);
  const front = anterior + (middle - anterior) * frontToMiddle;
  return front + (posterior - front) * middleToBack;
}

/** Signed depth in the face, jaw and neck, which the vault does not cover. */
function faceDepth(x: number, y: number, z: number): number {
  if (z > 24) return -99;
  const face = -ellipsoid(x, y + 36, z + 26, 64, 62, 58);
  const neck = -ellipsoid(x, y - 34, z + 60, 56, 52, 60);
  return Math.max(face, neck);
}

interface Bone {
  readonly shape: Capsule;
  readonly hu: number;
}

const bone = (hu: number, from: Ball, to: Ball): Bone => ({ shape: new Capsule(from, to), hu });

/** Given for both sides at once. */
const BASE_BONES: readonly Bone[] = [
  // Clivus, sphenoid wing, lateral orbital wall, zygomatic arch, condyle, pterygoid, supraorbital rim.
  bone(800, [0, -12, 13, 5], [0, 6, -30, 6]),
  bone(1100, [14, -34, 16, 3], [56, -36, 22, 3.5]),
  bone(1100, [48, -38, 12, 3], [50, -66, 12, 3.5]),
  bone(1200, [50, -64, 4, 4], [66, -28, -10, 2.5]),
  bone(900, [52, -4, -14, 6], [52, -6, -30, 5]),
  bone(900, [14, -30, -4, 3], [18, -34, -30, 2]),
  bone(1100, [30, -84, 26, 4], [0, -88, 24, 4]),
];

const PETROUS = new Capsule([62, 17, 0, 11], [13, -5, 4, 5]);

/** A pyramid of fat in thin bone, with globe, lens, optic nerve and the straight muscles. */
function orbit(side: number, y: number, z: number, before: number): number {
  const u = side - 31 - 0.35 * (y + 62);
  const w = z - 11;
  const cone = 19 * (1 - step(y, -70, -28));
  const wall = Math.max(Math.hypot(u, w) - cone, -92 - y, y + 34);
  if (wall > 3 || y < -88) return before;
  let value = before + (900 - before) * inside(Math.abs(wall - 1) - 1) * step(y, -84, -76);
  const content = inside(wall);
  if (content === 0) return value;
  const r = Math.hypot(u, w);
  const muscles =
    inside(Math.abs(Math.abs(u) - 0.62 * cone) - 1.6) * inside(Math.abs(w) - 4) * step(y, -72, -62);
  let filling = FAT + (MUSCLE - FAT) * Math.max(muscles, inside(r - 2) * step(y, -64, -60));
  const globe = ellipsoid(u, y + 71, w, 12, 12, 12);
  filling += (12 + 30 * inside(Math.abs(globe + 0.8) - 0.8) - filling) * inside(globe);
  filling += (70 - filling) * inside(ellipsoid(u, y + 79.5, w, 4.5, 2.2, 4.5));
  value += (filling - value) * content;
  return value;
}

/** Frontal, ethmoid, sphenoid and maxillary sinuses, and the nose. */
function sinuses(x: number, side: number, y: number, z: number, before: number): number {
  let value = before;
  const frontal = ellipsoid(side - 11, y + 82, z - 31, 9, 4, 8);
  const sphenoid = ellipsoid(x, y + 27, z - 5, 14, 10, 8);
  const maxillary = ellipsoid(side - 30, y + 60, z + 20, 15, 17, 17);
  const ethmoid = Math.max(side - 12, Math.abs(y + 58) - 22, Math.abs(z - 9) - 12);
  const nose = Math.max(side - 13, Math.abs(y + 58) - 28, z + 4, -34 - z);
  value = cavity(value, frontal, 0.6 - side);
  value = cavity(value, sphenoid, 0.7 - Math.abs(x - 1.5));
  value = cavity(value, maxillary, -1);
  if (ethmoid < 2.5) value = cavity(value, ethmoid, septum(side, y, z));
  if (nose < 2.5) value = cavity(value, nose, Math.max(1 - side, turbinate(side, y, z)));
  return value;
}

/** Air in a bony wall, with what stands in it: signed distances to the cavity and to its septa, mm. */
function cavity(before: number, distance: number, septa: number): number {
  if (distance > 2.5) return before;
  let value = before + (700 - before) * inside(Math.abs(distance - 0.7) - 0.7);
  const within = inside(distance);
  value += (AIR + 40 - value) * Math.min(within, inside(septa));
  return value + (250 - value) * within * inside(-septa);
}

function septum(side: number, y: number, z: number): number {
  const cells = Math.max(Math.cos(y / 1.5 + 0.2 * z), Math.cos(side / 1.9), Math.cos(z / 1.8));
  return (cells - 0.86) * 6;
}

function turbinate(side: number, y: number, z: number): number {
  return 2.4 - Math.hypot(side - 7, ((z + 40 + 0.1 * y) % 12) - 6);
}

/** The carbon shell that the head lies in, and air. */
function holder(x: number, y: number): number {
  if (y < 28) return AIR;
  const r = Math.sqrt((x * 1.02) ** 2 + ((y + 6) * 0.92) ** 2);
  const shell = inside(Math.abs(r - 104) - 1.2, 1.2);
  return AIR + 880 * shell;
}
