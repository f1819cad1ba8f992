import type { Reason } from '../domain/finding.js';
import { sliceNormal } from '../domain/geometry.js';
import type { InstanceHeader } from '../domain/instance.js';
import { REASONS, type ReasonCode } from './reasons.js';
import {
  distances,
  groupByPosition,
  haveOneOrientation,
  imagesInOrder,
  isCtSlice,
  median,
  type SeriesImage,
} from './series-images.js';
import {
  type KernelClass,
  kernelClass,
  regionOf,
  tellsContrast,
  tellsProjection,
  tellsScreenSave,
  tellsSpectral,
} from './series-text.js';

interface WithHeader {
  readonly header: InstanceHeader;
}

/** What the choice among eligible series goes by. */
export interface SeriesQuality {
  readonly region: 'head' | 'unknown' | 'other';
  readonly kernel: KernelClass;
  readonly thicknessMm: number;
  readonly coverageMm: number;
  readonly derived: boolean;
  readonly positions: number;
}

export type Judgement =
  | { readonly eligible: true; readonly quality: SeriesQuality }
  | { readonly eligible: false; readonly reason: Reason };

const FEWEST_POSITIONS = 8;
/** The axis of an axial slice is within 37 degrees of the patient's; a gantry tilts by up to 30. */
const AXIAL = 0.8;
/** From the vertex to the skull base a head has 110 mm and more; under this, most of the brain is missing. */
const SMALLEST_COVERAGE_MM = 80;
const FULL_COVERAGE_MM = 110;
/** More than head and neck together: a scan of the trunk. */
const LARGEST_COVERAGE_MM = 350;

const SECONDARY_CAPTURE = '1.2.840.10008.5.1.4.1.1.7';

/**
 * Whether a series is a non-contrast head CT that the model can read, as far as headers tell; the pixels are asked
 * later. Of a series that is not whole yet, what more slices could mend is not held against it.
 */
export function judgeSeries(series: readonly WithHeader[], whole: boolean): Judgement {
  const refused = refuseByKind(series) ?? refuseByText(series);
  if (refused) return no(refused);

  const slices = series.filter(({ header }) => isCtSlice(header));
  const images = imagesInOrder(series);
  const frames = slices.reduce((sum, { header }) => sum + header.frames.length, 0);
  if (images.length < frames || images.length === 0) return no('no-geometry');
  const geometry = refuseByGeometry(images);
  if (geometry) return no(geometry);

  const quality = qualityOf(images);
  if (whole && quality.positions < FEWEST_POSITIONS) return no('too-few-slices');
  if (whole && quality.coverageMm < SMALLEST_COVERAGE_MM) return no('coverage-too-small');
  if (quality.coverageMm > LARGEST_COVERAGE_MM) return no('coverage-too-large');
  return { eligible: true, quality };
}

/**
 * Order of preference, best first: text that speaks of the head, soft kernel before bone, a whole head, slices of
 * usual thickness, original before derived (axial reformats of thin helicals are derived and good), thickness nearest
 * to 5 mm, more slices.
 */
export function compareQuality(a: SeriesQuality, b: SeriesQuality): number {
  return (
    compareClass(a, b) ||
    Number(a.coverageMm < FULL_COVERAGE_MM) - Number(b.coverageMm < FULL_COVERAGE_MM) ||
    Number(a.derived) - Number(b.derived) ||
    Math.abs(a.thicknessMm - 5) - Math.abs(b.thicknessMm - 5) ||
    b.positions - a.positions
  );
}

/** The part of that order that is known from the first slices on, and that is worth waiting or a second report. */
export function compareClass(a: SeriesQuality, b: SeriesQuality): number {
  return (
    REGIONS.indexOf(a.region) - REGIONS.indexOf(b.region) ||
    KERNELS.indexOf(a.kernel) - KERNELS.indexOf(b.kernel) ||
    Number(!isUsualThickness(a)) - Number(!isUsualThickness(b))
  );
}

/** A series that needs no waiting for a better one. */
export function isPreferred(quality: SeriesQuality): boolean {
  return (
    quality.region !== 'other' &&
    quality.kernel !== 'sharp' &&
    isUsualThickness(quality) &&
    quality.coverageMm >= FULL_COVERAGE_MM
  );
}

const REGIONS: readonly SeriesQuality['region'][] = ['head', 'unknown', 'other'];
const KERNELS: readonly KernelClass[] = ['soft', 'unknown', 'sharp'];

function isUsualThickness({ thicknessMm }: SeriesQuality): boolean {
  return thicknessMm >= 2.5 && thicknessMm <= 10;
}

function no(code: ReasonCode): Judgement {
  return { eligible: false, reason: REASONS[code] };
}

function refuseByKind(series: readonly WithHeader[]): ReasonCode | undefined {
  if (!series.some(({ header }) => header.modality === 'CT')) return 'not-ct';
  if (series.some(({ header }) => isCtSlice(header))) return undefined;
  if (series.some(({ header }) => header.imageType.includes('LOCALIZER'))) return 'localizer';
  const captured = series.some(({ header }) => header.sopClassUid.startsWith(SECONDARY_CAPTURE));
  return captured ? 'secondary-capture' : 'not-an-image';
}

function refuseByText(series: readonly WithHeader[]): ReasonCode | undefined {
  const slices = series.map(({ header }) => header).filter(isCtSlice);
  const some = (tells: (header: InstanceHeader) => boolean) => slices.some(tells);
  if (some(isColour)) return 'not-monochrome';
  if (some(tellsScreenSave)) return 'secondary-capture';
  if (some(tellsSpectral)) return 'spectral';
  if (some(tellsContrast)) return 'contrast';
  if (some(tellsProjection)) return 'derived-view';
  return slices.every((header) => regionOf(header) === 'other') ? 'wrong-body-part' : undefined;
}

function isColour({ samplesPerPixel, photometricInterpretation: photometric }: InstanceHeader) {
  return (samplesPerPixel ?? 1) !== 1 || !(photometric ?? 'MONOCHROME2').startsWith('MONOCHROME');
}

function refuseByGeometry(images: readonly SeriesImage<unknown>[]): ReasonCode | undefined {
  const [first] = images;
  if (!first) return 'no-geometry';
  if (!haveOneOrientation(images)) return 'mixed-orientations';
  if (Math.abs(sliceNormal(first.orientation)[2]) < AXIAL) return 'not-axial';
  const { rows, columns } = first.header;
  if (images.some(({ header }) => header.rows !== rows || header.columns !== columns)) {
    return 'mixed-images';
  }
  return refuseByRepetition(images);
}

/**
 * A few repeated positions are two scans that overlap, or a slice sent twice. Where most are repeated, they are copies
 * (nothing differs), phases (another time, or frames of one object), or several reconstructions in one series.
 */
function refuseByRepetition(images: readonly SeriesImage<unknown>[]): ReasonCode | undefined {
  const positions = groupByPosition(images);
  const repeated = positions.filter((group) => group.length > 1);
  if (repeated.length <= 0.5 * positions.length) return undefined;
  const differ = (of: (image: SeriesImage<unknown>) => unknown) =>
    repeated.some((group) => new Set(group.map(of)).size > 1);
  const phases =
    differ(({ header }) => header.temporalPositionIdentifier) ||
    differ(({ header }) => header.acquisitionNumber) ||
    differ(({ header }) => header.acquisitionDateTime) ||
    repeated.some((group) => new Set(group.map(({ header }) => header)).size < group.length);
  if (phases) return 'several-phases';
  const reconstructions =
    differ(({ header }) => header.convolutionKernel) ||
    differ(({ header }) => header.imageType.join('\\')) ||
    differ(({ geometry }) => geometry.sliceThickness);
  return reconstructions ? 'mixed-images' : undefined;
}

function qualityOf(images: readonly SeriesImage<unknown>[]): SeriesQuality {
  const headers = images.map(({ header }) => header);
  const [header] = headers as [InstanceHeader];
  const positions = groupByPosition(images).flatMap(([image]) => image?.positionMm ?? []);
  const spacing = median(distances(positions));
  const thicknesses = images.flatMap(({ geometry }) => geometry.sliceThickness ?? []);
  const thicknessMm = thicknesses.length > 0 ? median(thicknesses) : spacing;
  const extent = (positions.at(-1) ?? 0) - (positions[0] ?? 0);
  return {
    region: regionOf(header),
    kernel: kernelClass(header),
    thicknessMm,
    coverageMm: extent + (Number.isFinite(thicknessMm) ? thicknessMm : 0),
    derived: headers.some(({ imageType }) => imageType[0] === 'DERIVED'),
    positions: positions.length,
  };
}
