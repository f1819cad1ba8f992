import type { Frame, Orientation, Vector } from '../domain/instance.js';
import { defined } from './defined.js';
import { DatasetStructureError, type ElementReader } from './element-reader.js';
import { HeaderValues } from './header-values.js';

const ROWS = 0x00280010;
const NUMBER_OF_FRAMES = 0x00280008;
const SHARED_FUNCTIONAL_GROUPS = 0x52009229;
const PER_FRAME_FUNCTIONAL_GROUPS = 0x52009230;
/** More frames than any CT has: those of a header that describes more get no geometry. */
const MAX_FRAMES = 16_384;

/** Functional group macros that place a frame (PS3.3 C.7.6.16.2), by the tag of their sequence. */
const PLANE_POSITION = 0x00209113;
const PLANE_ORIENTATION = 0x00209116;
const PIXEL_MEASURES = 0x00289110;
const PIXEL_VALUE_TRANSFORMATION = 0x00289145;

const RESCALE_INTERCEPT = 0x00281052;
const RESCALE_SLOPE = 0x00281053;

/**
 * Geometry and value mapping of each frame: from the functional groups of a multi-frame object, each frame's own before
 * the shared ones, or from the dataset itself. None where the object has no image.
 */
export function framesOf(reader: ElementReader, values: HeaderValues): Frame[] {
  if (values.unsigned16(ROWS) === undefined) return [];
  const own = frameOf(values, values, values, values);
  const perFrame = itemsOf(reader, values, PER_FRAME_FUNCTIONAL_GROUPS);
  const [shared] = itemsOf(reader, values, SHARED_FUNCTIONAL_GROUPS);
  const inherited = { ...own, ...(shared && frameOfGroups(reader, shared)) };
  const claimed = values.integer(NUMBER_OF_FRAMES) ?? 1;
  const count = perFrame.length > 0 ? perFrame.length : claimed;
  if (count < 1 || count > MAX_FRAMES) return [inherited];
  // Frames without a description all have one geometry: two say so, and a mere claim takes no space.
  if (perFrame.length === 0) return count > 1 ? [inherited, inherited] : [inherited];
  return Array.from({ length: count }, (_, i) => {
    const groups = perFrame[i];
    return groups ? { ...inherited, ...frameOfGroups(reader, groups) } : inherited;
  });
}

function frameOfGroups(reader: ElementReader, groups: HeaderValues): Frame {
  const group = (tag: number) => itemsOf(reader, groups, tag)[0];
  return frameOf(
    group(PLANE_POSITION),
    group(PLANE_ORIENTATION),
    group(PIXEL_MEASURES),
    group(PIXEL_VALUE_TRANSFORMATION),
  );
}

function frameOf(
  position: HeaderValues | undefined,
  orientation: HeaderValues | undefined,
  measures: HeaderValues | undefined,
  transformation: HeaderValues | undefined,
): Frame {
  const isUnreadable = (tag: number) => transformation?.isUnreadable(tag) ?? false;
  return defined({
    imagePositionPatient: exactly<Vector>(3, position?.numbers(0x00200032)),
    imageOrientationPatient: exactly<Orientation>(6, orientation?.numbers(0x00200037)),
    pixelSpacing: exactly<readonly [number, number]>(2, measures?.numbers(0x00280030)),
    sliceThickness: measures?.number(0x00180050),
    rescaleSlope: transformation?.number(RESCALE_SLOPE),
    rescaleIntercept: transformation?.number(RESCALE_INTERCEPT),
    rescaleUnreadable: isUnreadable(RESCALE_SLOPE) || isUnreadable(RESCALE_INTERCEPT) || undefined,
  });
}

function exactly<T>(count: number, values: number[] | undefined): T | undefined {
  return values?.length === count ? (values as unknown as T) : undefined;
}

/** The items of a sequence; none where it is absent or broken, since a frame's geometry is optional. */
function itemsOf(reader: ElementReader, values: HeaderValues, tag: number): HeaderValues[] {
  const sequence = values.element(tag);
  if (!sequence) return [];
  try {
    return reader.items(sequence).map((item) => new HeaderValues(reader.bytes, item));
  } catch (error) {
    if (error instanceof DatasetStructureError) return [];
    throw error;
  }
}
