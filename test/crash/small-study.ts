import { createHash } from 'node:crypto';
import { readFileMeta } from '../../src/dicom/file-meta.js';
import {
  type EncodedImage,
  encodeCtImage,
  type PhantomSeries,
  phantomUids,
} from '../../src/simulate/phantom/ct-image.js';
import { headSlices, PIXEL, SIZE, THICKNESS } from '../../src/simulate/phantom/head-slices.js';

export interface SentImage {
  readonly sopInstanceUid: string;
  readonly part10: Buffer;
  /** Hex SHA-256 of the dataset. */
  readonly sha256: string;
}

/** A study that is quick to send and to read: one axial series of a head, and a localizer. */
export interface SmallStudy {
  readonly studyInstanceUid: string;
  readonly images: readonly SentImage[];
}

/** Every second slice of the phantom's brain, every fourth pixel: enough for a verdict. */
const FIRST = 4;
const LAST = 26;
const EVERY_SLICE = 2;
const EVERY_PIXEL = 4;
const SMALL = SIZE / EVERY_PIXEL;
/** Longer than what the node writes in one call, so that it is there in parts before it is whole. */
const LOCALIZER = { rows: 1024, columns: 1280 };

let slices: ReturnType<typeof headSlices> | undefined;

/** The same number and salt give the same bytes. */
export function smallStudy(number: number, salt: string): SmallStudy {
  slices ??= headSlices(5, { type: 'subdural' });
  const study = { number, salt, at: new Date(2026, 0, 2, 3, 4, 5) };
  const taken = slices.filter((_, i) => i >= FIRST && i <= LAST && (i - FIRST) % EVERY_SLICE === 0);
  const axial: PhantomSeries = {
    number: 2,
    description: 'HEAD 10.0 SOFT',
    kind: 'AXIAL',
    sliceThickness: EVERY_SLICE * THICKNESS,
    convolutionKernel: 'SOFT',
    // Then the series is whole when they are all here, however often its sending was cut off.
    imagesInAcquisition: taken.length,
  };
  const images = taken.map(({ hu, position }, i) =>
    encodeCtImage(study, axial, {
      hu: thinned(hu),
      rows: SMALL,
      columns: SMALL,
      pixelSpacing: [EVERY_PIXEL * PIXEL, EVERY_PIXEL * PIXEL],
      position,
      orientation: [1, 0, 0, 0, 1, 0],
      instanceNumber: i + 1,
    }),
  );
  const localizer = encodeCtImage(
    study,
    {
      number: 1,
      description: 'SCOUT',
      kind: 'LOCALIZER',
      sliceThickness: 200,
      convolutionKernel: 'SCOUT',
    },
    {
      hu: Int16Array.from({ length: LOCALIZER.rows * LOCALIZER.columns }, (_, i) => i % 1000),
      ...LOCALIZER,
      pixelSpacing: [0.2, 0.2],
      position: [0, -120, 150],
      orientation: [0, 1, 0, 0, 0, -1],
      instanceNumber: 1,
    },
  );
  return {
    studyInstanceUid: phantomUids(study).studyInstanceUid,
    images: [localizer, ...images].map(withChecksum),
  };
}

/** Hex SHA-256 of the dataset in a Part 10 file. @throws Error where it is none */
export function datasetSha256(part10: Buffer): string {
  const meta = readFileMeta(part10);
  if (meta === undefined) throw new Error('Not a Part 10 file');
  return createHash('sha256').update(part10.subarray(meta.datasetOffset)).digest('hex');
}

function withChecksum({ sopInstanceUid, part10 }: EncodedImage): SentImage {
  return { sopInstanceUid, part10, sha256: datasetSha256(part10) };
}

function thinned(hu: Int16Array): Int16Array {
  return Int16Array.from({ length: SMALL * SMALL }, (_, i) => {
    const row = Math.floor(i / SMALL) * EVERY_PIXEL;
    const column = (i % SMALL) * EVERY_PIXEL;
    return hu[row * SIZE + column] as number;
  });
}
