import { sameOrientation, slicePosition } from '../domain/geometry.js';
import type { Frame, InstanceHeader, Orientation } from '../domain/instance.js';

/** Closer than this, two images show the same slice: thin slices lie 0.2 mm apart or more, tables stop within 0.01. */
const SAME_POSITION_MM = 0.05;

/** One frame of a series with its place along the slice normal. */
export interface SeriesImage<T> {
  /** What the image came from. */
  readonly instance: T;
  readonly header: InstanceHeader;
  /** From 1. */
  readonly frame: number;
  readonly geometry: Frame;
  readonly orientation: Orientation;
  /** Rising from inferior to superior. */
  readonly positionMm: number;
}

interface WithHeader {
  readonly header: InstanceHeader;
}

/** CT, Enhanced CT and Legacy Converted Enhanced CT Image Storage (PS3.4 Table B.5-1). */
const CT_IMAGE_STORAGE: ReadonlySet<string> = new Set([
  '1.2.840.10008.5.1.4.1.1.2',
  '1.2.840.10008.5.1.4.1.1.2.1',
  '1.2.840.10008.5.1.4.1.1.2.2',
]);

/** Whether an instance is a CT slice or a stack of them: scouts and screen saves inside a series are neither. */
export function isCtSlice({ sopClassUid, imageType }: InstanceHeader): boolean {
  return CT_IMAGE_STORAGE.has(sopClassUid) && !imageType.includes('LOCALIZER');
}

/**
 * Every frame of a series' CT slices that has a position and an orientation, inferior to superior; at one position the
 * preferred image comes first.
 */
export function imagesInOrder<T extends WithHeader>(series: readonly T[]): SeriesImage<T>[] {
  return series
    .filter(({ header }) => isCtSlice(header))
    .flatMap((instance) =>
      instance.header.frames.flatMap((geometry, i) => {
        const { imagePositionPatient: position, imageOrientationPatient: orientation } = geometry;
        if (!position || !orientation) return [];
        const positionMm = slicePosition(position, orientation);
        return [
          { instance, header: instance.header, frame: i + 1, geometry, orientation, positionMm },
        ];
      }),
    )
    .sort((a, b) => (samePosition(a, b) ? preference(a, b) : a.positionMm - b.positionMm));
}

/** Images at one position, in groups. */
export function groupByPosition<T>(images: readonly SeriesImage<T>[]): SeriesImage<T>[][] {
  const groups: SeriesImage<T>[][] = [];
  for (const image of images) {
    const group = groups.at(-1);
    if (group?.[0] && samePosition(group[0], image)) group.push(image);
    else groups.push([image]);
  }
  return groups;
}

/** One image of each position: of a repeated slice the later one, because a scan is repeated where it was spoiled. */
export function onePerPosition<T>(images: readonly SeriesImage<T>[]): SeriesImage<T>[] {
  return groupByPosition(images).map((group) =>
    group.reduce((a, b) => (preference(a, b) <= 0 ? a : b)),
  );
}

export function haveOneOrientation(images: readonly SeriesImage<unknown>[]): boolean {
  const [first] = images;
  return (
    !first || images.every(({ orientation }) => sameOrientation(orientation, first.orientation))
  );
}

/** The mean of the two middle values where their number is even; NaN of none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[sorted.length >> 1] ?? Number.NaN;
  const lower = sorted[(sorted.length - 1) >> 1] ?? Number.NaN;
  return (lower + upper) / 2;
}

/** Distances between neighbours of ascending positions, in mm. */
export function distances(positions: readonly number[]): number[] {
  return positions.slice(1).map((position, i) => position - (positions[i] ?? position));
}

function samePosition(a: { positionMm: number }, b: { positionMm: number }): boolean {
  return Math.abs(a.positionMm - b.positionMm) < SAME_POSITION_MM;
}

/** Later acquisition, then later instance; the UID only makes the order certain. */
function preference(a: SeriesImage<unknown>, b: SeriesImage<unknown>): number {
  return (
    (b.header.acquisitionNumber ?? 0) - (a.header.acquisitionNumber ?? 0) ||
    (b.header.instanceNumber ?? 0) - (a.header.instanceNumber ?? 0) ||
    b.frame - a.frame ||
    (a.header.sopInstanceUid < b.header.sopInstanceUid ? -1 : 1)
  );
}
