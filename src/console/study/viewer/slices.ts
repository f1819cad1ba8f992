import type { Slices } from '../../../admin/api/schemas/studies.js';
import type { Analysis } from '../finding.js';

export type Slice = Slices['slices'][number];

/** One slice of the study, by what DICOM calls it. */
export interface SliceReference {
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
  /** From 1. */
  readonly frame: number;
}

export function indexOf(
  slices: readonly Slice[],
  { sopInstanceUid, frame }: { readonly sopInstanceUid: string; readonly frame: number | null },
): number {
  return slices.findIndex(
    (slice) => slice.sopInstanceUid === sopInstanceUid && slice.frame === (frame ?? 1),
  );
}

/**
 * For each slice of the analysis its place in the series as it is scrolled. A model that reads thin slices as slabs
 * answers for fewer slices than the series has.
 */
export function placesOf(analysis: Analysis, slices: readonly Slice[]): readonly number[] {
  return analysis.slices.map((slice) => indexOf(slices, slice));
}

/** The slice of the analysis that is nearest to a place in the series; -1 where there is none. */
export function nearestRead(places: readonly number[], place: number): number {
  let nearest = -1;
  let least = Number.POSITIVE_INFINITY;
  for (const [i, at] of places.entries()) {
    const distance = Math.abs(at - place);
    if (at >= 0 && distance < least) {
      least = distance;
      nearest = i;
    }
  }
  return nearest;
}

/** Where to open: the most suspicious key slice, else the slice that was asked for, else the middle. */
export function firstPlace(
  slices: readonly Slice[],
  analysis: Analysis | undefined,
  asked: number,
): number {
  if (asked >= 1 && asked <= slices.length) return asked - 1;
  const keys = (analysis?.keySlices ?? []).toSorted((a, b) => b.probability - a.probability);
  const key = keys.map((slice) => indexOf(slices, slice)).find((place) => place >= 0);
  return key ?? Math.floor(slices.length / 2);
}
