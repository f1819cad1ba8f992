import type { DataSet, Element, Fragment } from 'dicom-parser';
import { PixelError } from './pixel-error.js';

const EXTENDED_OFFSET_TABLE = 'x7fe00001';

/**
 * The compressed bytes of one frame (from 1) of encapsulated Pixel Data (PS3.5 A.4), whichever way its fragments are
 * found: one frame only, the Extended Offset Table, the Basic Offset Table, one fragment for each frame, or the start
 * markers of the codestreams.
 */
export function encapsulatedFrame(
  dataSet: DataSet,
  element: Element,
  frame: number,
  frames: number,
): Uint8Array {
  const fragments = element.fragments ?? [];
  const own = fragmentsOfFrame(dataSet, element, fragments, frame, frames);
  if (own.length === 0) {
    throw new PixelError(
      'frame-missing',
      `Frame ${frame} of ${frames} has no fragment among ${fragments.length}`,
    );
  }
  const parts = own.map((f) => dataSet.byteArray.subarray(f.position, f.position + f.length));
  // The decoders take views, but a Buffer from the pool must not leak out of here as its whole arena.
  return parts.length === 1 && parts[0] ? new Uint8Array(parts[0]) : Buffer.concat(parts);
}

function fragmentsOfFrame(
  dataSet: DataSet,
  element: Element,
  fragments: readonly Fragment[],
  frame: number,
  frames: number,
): readonly Fragment[] {
  if (frames === 1) return fragments;
  const starts = extendedOffsets(dataSet) ?? element.basicOffsetTable ?? [];
  if (starts.length === frames) {
    const from = starts[frame - 1] ?? 0;
    const to = starts[frame] ?? Number.POSITIVE_INFINITY;
    return fragments.filter(({ offset }) => offset >= from && offset < to);
  }
  if (fragments.length === frames) return fragments.slice(frame - 1, frame);

  const begins = fragments.flatMap((fragment, i) =>
    startsCodestream(dataSet, fragment) ? [i] : [],
  );
  if (begins.length !== frames) return [];
  return fragments.slice(begins[frame - 1], begins[frame]);
}

/** Extended Offset Table: 64-bit offsets of the frames (PS3.3 C.7.6.3.1.8). */
function extendedOffsets(dataSet: DataSet): number[] | undefined {
  const element = dataSet.elements[EXTENDED_OFFSET_TABLE];
  if (!element || element.length === 0) return undefined;
  const { buffer, byteOffset } = dataSet.byteArray;
  const view = new DataView(buffer, byteOffset + element.dataOffset, element.length);
  return Array.from({ length: Math.floor(element.length / 8) }, (_, i) =>
    Number(view.getBigUint64(8 * i, true)),
  );
}

/** SOI of JPEG and JPEG-LS, or SOC of JPEG 2000. */
function startsCodestream({ byteArray }: DataSet, { position }: Fragment): boolean {
  return byteArray[position] === 0xff && [0xd8, 0x4f].includes(byteArray[position + 1] ?? 0);
}
