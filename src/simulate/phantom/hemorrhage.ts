import { ellipsoid, inside, step } from './shapes.js';

/** The types that can be drawn into a phantom, by the names of the model's classes. */
export type HemorrhageType =
  | 'epidural'
  | 'intraparenchymal'
  | 'intraventricular'
  | 'subarachnoid'
  | 'subdural';

/** The patient's side. */
export type Side = 'left' | 'right';

/** What of the healthy brain a bleed fills: signed distance to the ventricles, and the share of CSF in the voxel. */
export interface Spaces {
  readonly ventricle: number;
  readonly csf: number;
}

/** A point of the healthy brain and its depth under the inner table. */
export interface BrainPoint {
  readonly x: number;
  readonly y: number;
  readonly z: number;
  readonly depth: number;
}

/** An acute hemorrhage: where it is, how dense, and how it pushes the brain aside. Coordinates as in `Brain`. */
export interface Hemorrhage {
  /** Where the tissue that is now at this point was before. */
  displaced(x: number, y: number, z: number, depth: number): BrainPoint;
  hu(x: number, y: number, z: number, depth: number, healthy: number, spaces: Spaces): number;
}

export function hemorrhageOf(type: HemorrhageType, side: Side, volumeMl: number): Hemorrhage {
  const sign = side === 'left' ? 1 : -1;
  switch (type) {
    case 'intraparenchymal':
      return intraparenchymal(sign, volumeMl);
    case 'subdural':
      return extraAxial(sign, subduralThickness(volumeMl), 58);
    case 'epidural':
      return extraAxial(sign, epiduralThickness(volumeMl), 64);
    case 'intraventricular':
      return intraventricular(sign);
    case 'subarachnoid':
      return subarachnoid(sign);
  }
}

const unmoved = (x: number, y: number, z: number, depth: number): BrainPoint => ({
  x,
  y,
  z,
  depth,
});

/** Clots are not uniform: two incommensurable waves of some HU. */
function texture(x: number, y: number, z: number): number {
  return 3 * Math.sin(x / 2.3 + y / 3.1) + 3 * Math.sin(y / 2.1 - z / 2.9 + x / 5);
}

/** A lobulated hematoma beside the basal ganglia, its oedema, and the shift that its volume causes. */
function intraparenchymal(sign: number, volumeMl: number): Hemorrhage {
  // Half axes in the ratio 1 : 1.45 : 1.15 with the given volume.
  const a = Math.cbrt((volumeMl * 1000) / ((4 / 3) * Math.PI * 1.45 * 1.15));
  const centre = [sign * (27 + 0.35 * a), 2, 54] as const;
  const radius3 = (volumeMl * 1000) / ((4 / 3) * Math.PI);
  const distance = (x: number, y: number, z: number): number => {
    const u = x - centre[0];
    const v = y - centre[1];
    const w = z - centre[2];
    const main = ellipsoid(u, v, w, a, 1.45 * a, 1.15 * a);
    const lobe = ellipsoid(u + 0.3 * a * sign, v + 0.8 * a, w - 0.4 * a, 0.7 * a, 0.8 * a, 0.7 * a);
    const edge = 0.9 * Math.sin(u / 3.3 + w / 4) + 0.9 * Math.sin(v / 3.7 - u / 5);
    return Math.min(main, lobe) + edge;
  };
  return {
    displaced(x, y, z, depth) {
      const u = x - centre[0];
      const v = y - centre[1];
      const w = z - centre[2];
      const r = Math.sqrt(u * u + v * v + w * w);
      // Incompressible near the clot, fading outwards: sulci and ventricles take the rest up.
      const before = Math.cbrt(Math.max(r * r * r - 0.7 * radius3 * Math.exp(-r / 45), 0));
      const shrink = r === 0 ? 1 : before / r;
      const k = shrink + (1 - shrink) * (1 - step(depth, 0, 12));
      return { x: centre[0] + k * u, y: centre[1] + k * v, z: centre[2] + k * w, depth };
    },
    hu(x, y, z, _depth, healthy) {
      const d = distance(x, y, z);
      if (d > 9) return healthy;
      const oedema = (1 - step(d, 3, 8)) * step(healthy, 15, 25);
      const around = healthy - 11 * oedema;
      return around + (66 + texture(x, y, z) - around) * inside(d, 1.5);
    },
  };
}

type Thickness = (x: number, y: number, z: number, sign: number) => number;

/** A crescent over the convexity: thin, wide, tapering to its ends. */
function subduralThickness(volumeMl: number): Thickness {
  const thickest = 1 + volumeMl / 9;
  return (x, y, z, sign) => {
    if (x * sign <= 0) return -1;
    const angle = Math.atan2(y, x * sign);
    const around = 1 - step(Math.abs(angle - 0.1), 0.75, 1.25);
    const along = step(z, 28, 46) * (1 - step(z, 96, 114));
    return thickest * around * along - 0.6;
  };
}

/** A lens: thick and narrow, ending sharply, as the dura holds at the sutures. */
function epiduralThickness(volumeMl: number): Thickness {
  // A paraboloid of height h over a disc of radius w holds pi w^2 h / 2.
  const w = 26 * Math.cbrt(volumeMl / 30);
  const h = (volumeMl * 2000) / (Math.PI * w * w);
  return (x, y, z, sign) => {
    if (x * sign <= 0) return -1;
    return h * (1 - ((y + 4) ** 2 + (z - 52) ** 2) / (w * w));
  };
}

function extraAxial(sign: number, thickness: Thickness, clotHu: number): Hemorrhage {
  return {
    displaced(x, y, z, depth) {
      const t = Math.max(0, thickness(x, y, z, sign));
      if (t === 0) return { x, y, z, depth };
      // What lies under the clot was nearer to the bone before; the push fades towards the other side.
      const push = t * Math.exp(-Math.max(0, depth - t) / 32);
      const r = Math.sqrt(x * x + y * y) || 1;
      const k = 1 + push / r;
      return { x: x * k, y: y * k, z, depth: Math.max(0, depth - push) };
    },
    hu(x, y, z, depth, healthy) {
      const t = thickness(x, y, z, sign);
      if (t <= 0) return healthy;
      return healthy + (clotHu + texture(x, y, z) - healthy) * inside(depth - t, 1.5);
    },
  };
}

/** A cast of one lateral ventricle, and blood that has settled in the other's occipital horn. */
function intraventricular(sign: number): Hemorrhage {
  return {
    displaced: unmoved,
    hu(x, y, z, _depth, healthy, { ventricle }) {
      const cast = x * sign > 0 ? step(y, -24, -14) : step(y, 33, 35);
      return healthy + (60 + texture(x, y, z) - healthy) * inside(ventricle + 0.3) * cast;
    },
  };
}

/** Blood instead of CSF in the basal cisterns and, mostly on one side, in the Sylvian fissure and nearby sulci. */
function subarachnoid(sign: number): Hemorrhage {
  return {
    displaced: unmoved,
    hu(x, y, z, depth, healthy, { ventricle, csf }) {
      if (csf <= 0 || ventricle < 2) return healthy;
      const basal = (1 - step(Math.hypot(x, y + 5), 26, 38)) * (1 - step(z, 34, 44));
      const lateral =
        step(x * sign, 2, 12) * (1 - step(Math.abs(y), 36, 54)) * (1 - step(z, 62, 80));
      const share = Math.max(basal, lateral) * step(depth, 0, 1) * Math.min(1, csf * 1.6);
      return healthy + (56 + texture(x, y, z) / 2 - healthy) * share;
    },
  };
}
