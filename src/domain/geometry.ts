import type { Orientation, Vector } from './instance.js';

/** The slice normal: rows x columns, unit length for a valid orientation (PS3.3 C.7.6.2.1.1). */
export function sliceNormal(o: Orientation): Vector {
  return [o[1] * o[5] - o[2] * o[4], o[2] * o[3] - o[0] * o[5], o[0] * o[4] - o[1] * o[3]];
}

export function dot(a: Vector, b: Vector): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/**
 * Position along the slice normal in mm, rising towards the head whichever way the normal points. Instance Number is
 * no substitute: scanners number upwards, downwards and across acquisitions.
 */
export function slicePosition(position: Vector, orientation: Orientation): number {
  const normal = sliceNormal(orientation);
  const along = dot(position, normal);
  return normal[2] < 0 ? -along : along;
}

/** Whether two orientations agree within about half a degree on each axis. */
export function sameOrientation(a: Orientation, b: Orientation): boolean {
  return a.every((value, i) => Math.abs(value - (b[i] ?? Number.NaN)) < 0.01);
}
