import { randomUUID } from 'node:crypto';
import {
  type EncodedImage,
  encodeCtImage,
  type PhantomSeries,
  type PhantomStudyIdentity,
  phantomUids,
  seriesUid,
} from './phantom/ct-image.js';
import {
  headSlices,
  type PhantomBleed,
  type PhantomSlice,
  PIXEL,
  SIZE,
  THICKNESS,
} from './phantom/head-slices.js';

export { headSlices, type PhantomBleed } from './phantom/head-slices.js';

interface StudyOptions {
  /** Decides on anatomy, position and noise; the same seed gives the same head. */
  readonly seed: number;
  /** The study's UIDs come from it and the seed; absent, they are new each time. */
  readonly salt?: string | undefined;
  /** When the study was made; now, where absent. */
  readonly at?: Date | undefined;
  /** Whether each axial image tells how many there are, by Images in Acquisition (0020,1002). */
  readonly announcesCount?: boolean | undefined;
}

export interface PhantomOptions extends StudyOptions {
  readonly bleed?: PhantomBleed | undefined;
}

/** A study as Part 10 files, in Explicit VR Little Endian. */
export interface PhantomStudy {
  readonly studyInstanceUid: string;
  /** The axial series that can be read for hemorrhage. */
  readonly seriesInstanceUid: string;
  /** Of the axial series, inferior to superior. */
  readonly images: readonly EncodedImage[];
  /** A lateral localizer in a series of its own, which cannot. */
  readonly localizer: EncodedImage;
}

/** Slices above each other in a localizer row by row: its rows are this fraction of a slice. */
const LOCALIZER_ROWS_PER_SLICE = 11;

const AXIAL: PhantomSeries = {
  number: 2,
  description: 'HEAD 5.0 SOFT',
  kind: 'AXIAL',
  sliceThickness: THICKNESS,
  convolutionKernel: 'SOFT',
};

const LOCALIZER: PhantomSeries = {
  number: 1,
  description: 'SCOUT',
  kind: 'LOCALIZER',
  sliceThickness: PIXEL * SIZE,
  convolutionKernel: 'SCOUT',
};

/**
 * A computed CT study of a head, with or without an acute hemorrhage, for demonstration and tests. It is drawn by
 * formula from nobody's data: no figure about it says anything about patients.
 */
export function headPhantomStudy(options: PhantomOptions): PhantomStudy {
  return studyOf(headSlices(options.seed, options.bleed), options);
}

/** A study of slices that were drawn before, which is what takes the time. */
export function studyOf(slices: readonly PhantomSlice[], options: StudyOptions): PhantomStudy {
  const { seed, salt = randomUUID(), at = new Date(), announcesCount = false } = options;
  const study: PhantomStudyIdentity = { number: seed, salt, at };
  const axial = announcesCount ? { ...AXIAL, imagesInAcquisition: slices.length } : AXIAL;
  const images = slices.map(({ hu, position }, i) =>
    encodeCtImage(study, axial, {
      hu,
      rows: SIZE,
      columns: SIZE,
      pixelSpacing: [PIXEL, PIXEL],
      position,
      orientation: [1, 0, 0, 0, 1, 0],
      instanceNumber: i + 1,
    }),
  );
  return {
    studyInstanceUid: phantomUids(study).studyInstanceUid,
    seriesInstanceUid: seriesUid(study, AXIAL),
    images,
    localizer: lateralLocalizer(study, slices),
  };
}

/** The mean over each row of each slice, seen from the patient's left side. */
function lateralLocalizer(
  study: PhantomStudyIdentity,
  slices: readonly PhantomSlice[],
): EncodedImage {
  const rows = slices.length * LOCALIZER_ROWS_PER_SLICE;
  const hu = new Int16Array(rows * SIZE);
  for (const [i, slice] of slices.entries()) {
    const profile = new Int16Array(SIZE);
    for (let y = 0; y < SIZE; y += 1) {
      let sum = 0;
      for (let x = 0; x < SIZE; x += 1) sum += slice.hu[y * SIZE + x] as number;
      profile[y] = Math.round(sum / SIZE);
    }
    const first = (slices.length - 1 - i) * LOCALIZER_ROWS_PER_SLICE;
    for (let row = first; row < first + LOCALIZER_ROWS_PER_SLICE; row += 1) {
      hu.set(profile, row * SIZE);
    }
  }
  const top = slices.at(-1)?.position ?? [0, 0, 0];
  return encodeCtImage(study, LOCALIZER, {
    hu,
    rows,
    columns: SIZE,
    pixelSpacing: [THICKNESS / LOCALIZER_ROWS_PER_SLICE, PIXEL],
    position: [0, top[1], top[2] + THICKNESS / 2],
    orientation: [0, 1, 0, 0, 0, -1],
    instanceNumber: 1,
  });
}
