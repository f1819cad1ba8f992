/** Signed distances in mm, negative inside, as sums cheap enough to be taken for each voxel. */

/** Share of a voxel that lies inside a surface at this signed distance: partial volume over `width` mm. */
export function inside(distance: number, width = 1): number {
  const share = 0.5 - distance / width;
  return Math.max(0, Math.min(1, share));
}

/** 0 below `low`, 1 above `high`, smooth between. */
export function step(value: number, low: number, high: number): number {
  const t = (value - low) / (high - low);
  if (t <= 0) return 0;
  if (t >= 1) return 1;
  return t * t * (3 - 2 * t);
}

/** To an ellipsoid with these half axes, from a point relative to its centre; exact on its surface. */
export function ellipsoid(
  x: number,
  y: number,
  z: number,
  a: number,
  b: number,
  c: number,
): number {
  const u = x / a;
  const v = y / b;
  const w = z / c;
  const k = Math.sqrt(u * u + v * v + w * w);
  if (k < 1e-6) return -Math.min(a, b, c);
  const gu = u / a;
  const gv = v / b;
  const gw = w / c;
  return ((k - 1) * k) / Math.sqrt(gu * gu + gv * gv + gw * gw);
}

/** A point and a radius. */
export type Ball = readonly [x: number, y: number, z: number, radius: number];

/** A ball moved along a line while its radius changes. */
export class Capsule {
  readonly #x: number;
  readonly #y: number;
  readonly #z: number;
  readonly #radius: number;
  readonly #dx: number;
  readonly #dy: number;
  readonly #dz: number;
  readonly #growth: number;
  readonly #length2: number;

  constructor(from: Ball, to: Ball) {
    this.#x = from[0];
    this.#y = from[1];
    this.#z = from[2];
    this.#radius = from[3];
    this.#dx = to[0] - from[0];
    this.#dy = to[1] - from[1];
    this.#dz = to[2] - from[2];
    this.#growth = to[3] - from[3];
    this.#length2 = this.#dx ** 2 + this.#dy ** 2 + this.#dz ** 2;
  }

  distance(x: number, y: number, z: number): number {
    const px = x - this.#x;
    const py = y - this.#y;
    const pz = z - this.#z;
    const along = (px * this.#dx + py * this.#dy + pz * this.#dz) / this.#length2;
    const t = Math.max(0, Math.min(1, along));
    const qx = px - t * this.#dx;
    const qy = py - t * this.#dy;
    const qz = pz - t * this.#dz;
    return Math.sqrt(qx * qx + qy * qy + qz * qz) - (this.#radius + t * this.#growth);
  }
}

/** The capsules through these balls, one after the other. */
export function chain(balls: readonly Ball[]): Capsule[] {
  return balls.slice(1).map((to, i) => new Capsule(balls[i] as Ball, to));
}
