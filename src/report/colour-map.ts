/**
 * The upper part of matplotlib's plasma (CC0) at even steps: lightness rises evenly, so that it reads the same to the
 * colour-blind. Its dark blue end is left out: blended over brain it would look like oedema around the heat.
 */
const PLASMA: readonly (readonly [number, number, number])[] = [
  [156, 23, 158],
  [189, 55, 134],
  [216, 87, 107],
  [237, 121, 83],
  [251, 159, 58],
  [253, 202, 38],
  [240, 249, 33],
];

/** Below this nothing is painted; from there to SOLID_FROM the overlay fades in. */
export const VISIBLE_FROM = 0.2;
const SOLID_FROM = 0.6;
/** Anatomy still shows through the strongest heat. */
const HIGHEST_OPACITY = 0.55;

/** The colour of a value 0..1, each channel 0..255. */
export function heatColour(value: number): [number, number, number] {
  const at = Math.min(1, Math.max(0, value)) * (PLASMA.length - 1);
  const step = Math.min(PLASMA.length - 2, Math.floor(at));
  const from = PLASMA[step] as readonly [number, number, number];
  const to = PLASMA[step + 1] as readonly [number, number, number];
  const mix = (channel: 0 | 1 | 2) =>
    Math.round(from[channel] + (to[channel] - from[channel]) * (at - step));
  return [mix(0), mix(1), mix(2)];
}

/** The opacity 0..1 of a value 0..1 in the overlay. */
export function heatOpacity(value: number): number {
  const rise = (value - VISIBLE_FROM) / (SOLID_FROM - VISIBLE_FROM);
  return HIGHEST_OPACITY * Math.min(1, Math.max(0, rise));
}
