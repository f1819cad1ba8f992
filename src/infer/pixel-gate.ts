import type { HuImage } from '../dicom/hu-image.js';
import type { Reason } from '../domain/finding.js';
import { type Box, hasAir } from './preprocess.js';
import { REASONS } from './reasons.js';

/** What tells a slice through a head from other slices, whatever the header says. */
export interface SlabStatistics {
  /** Share of rays from the box's centre that meet bone, 0..1: a skull closes around the brain. */
  readonly skullRing: number;
  /** Median HU of soft tissue inside that ring; NaN where there is none. */
  readonly insideHu: number;
  /** Mean distance of the ring from the centre in mm; NaN where it or the pixel spacing is unknown. */
  readonly ringRadiusMm: number;
}

const RAYS = 72;
/** Partial volume leaves the thin temporal bone at about this in a 5 mm slice. */
const BONE_HU = 180;

/** Statistics of one slab within its head box. */
export function slabStatistics(image: HuImage, box: Box): SlabStatistics {
  const bone = hasAir(image) ? BONE_HU : Math.min(BONE_HU, 0.95 * highest(image.hu));
  const ring = castRays(image, box, bone);
  const inside = softTissueInside(image, box, ring);
  const mm = image.pixelSpacing?.[1] ?? Number.NaN;
  const met = ring.filter((radius) => radius > 0);
  const meanRadius = met.reduce((sum, radius) => sum + radius, 0) / met.length;
  return {
    skullRing: met.length / RAYS,
    insideHu: inside,
    ringRadiusMm: meanRadius * mm,
  };
}

/** A slab that can only be a slice through brain and skull. */
function isHead({ skullRing, insideHu, ringRadiusMm }: SlabStatistics): boolean {
  const sized = Number.isNaN(ringRadiusMm) || (ringRadiusMm > 30 && ringRadiusMm < 130);
  return skullRing >= 0.75 && insideHu >= 10 && insideHu <= 60 && sized;
}

/**
 * Why the pixels of a series are not those of a head CT; undefined where they are. The skull base and the vertex have
 * no closed ring, so a part of the slabs is enough.
 */
export function refuseByPixels(slabs: readonly SlabStatistics[]): Reason | undefined {
  const heads = slabs.filter(isHead).length;
  return heads >= Math.max(3, 0.2 * slabs.length) ? undefined : REASONS['not-a-head'];
}

/** For each ray the distance in pixels to the outermost bone, 0 where there is none. */
function castRays({ hu, rows, columns }: HuImage, box: Box, bone: number): number[] {
  const cx = box.x + box.side / 2;
  const cy = box.y + box.side / 2;
  return Array.from({ length: RAYS }, (_, ray) => {
    const dx = Math.cos((2 * Math.PI * ray) / RAYS);
    const dy = Math.sin((2 * Math.PI * ray) / RAYS);
    for (let radius = box.side / 2; radius > box.side / 8; radius -= 1) {
      const x = Math.round(cx + radius * dx);
      const y = Math.round(cy + radius * dy);
      if (x < 0 || y < 0 || x >= columns || y >= rows) continue;
      if ((hu[y * columns + x] as number) >= bone) return radius;
    }
    return 0;
  });
}

/** Sampled along the same rays, up to three quarters of the way to the bone. */
function softTissueInside({ hu, columns }: HuImage, box: Box, ring: readonly number[]): number {
  const cx = box.x + box.side / 2;
  const cy = box.y + box.side / 2;
  const values = new Float32Array(ring.length * Math.ceil(box.side / 2));
  let count = 0;
  for (const [ray, bone] of ring.entries()) {
    const dx = Math.cos((2 * Math.PI * ray) / RAYS);
    const dy = Math.sin((2 * Math.PI * ray) / RAYS);
    for (let radius = 0; radius < 0.75 * bone; radius += 2) {
      const value = hu[
        Math.round(cy + radius * dy) * columns + Math.round(cx + radius * dx)
      ] as number;
      if (!(value > -50 && value < 100)) continue;
      values[count] = value;
      count += 1;
    }
  }
  const sorted = values.subarray(0, count).sort();
  return sorted[sorted.length >> 1] ?? Number.NaN;
}

function highest(hu: Float32Array): number {
  let maximum = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < hu.length; i += 1) if ((hu[i] as number) > maximum) maximum = hu[i] as number;
  return maximum;
}
