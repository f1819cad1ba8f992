import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Dataset, encodeDataset } from '../../../src/dicom/dataset.js';
import { derivedUid } from '../../../src/dicom/derived-uid.js';
import { encodeFileMeta, readFileMeta } from '../../../src/dicom/file-meta.js';
import { readHeader } from '../../../src/dicom/header.js';
import { CT_IMAGE } from '../../../src/dicom/sop-classes.js';
import { EXPLICIT_VR_LITTLE_ENDIAN } from '../../../src/dicom/transfer-syntaxes.js';
import {
  CLASSES,
  type ClassName,
  type Finding,
  type HeatMap,
  type ModelIdentity,
  type Outcome,
  type SourceImage,
} from '../../../src/domain/finding.js';
import type { StoredInstance } from '../../../src/domain/instance.js';
import type { ReportInput } from '../../../src/report/report-input.js';

export const MODEL: ModelIdentity = {
  name: 'vigil-ich-small',
  version: '0.1.0',
  maker: 'Vigil project',
  family: 'CNN with bidirectional LSTM',
  hash: createHash('sha256').update('a model').digest('hex'),
};

export const RESEARCH_TEXT = 'For research use only. Not for diagnostic use.';

/** A series in memory: what the archive would hand to the report stage. */
export interface Series {
  readonly instances: readonly StoredInstance[];
  readonly readFile: (path: string) => Promise<Uint8Array>;
}

const GE_FOLDER = join(import.meta.dirname, '../../../../shared/data/head-ct-ge');

/** A real series where the shared data is at hand, else a generated one of the same size. */
export async function realOrGenerated(): Promise<Series> {
  const names = await readdir(GE_FOLDER).catch(() => []);
  const files = names.filter((name) => name.endsWith('.dcm'));
  if (files.length === 0) return generatedSeries();
  return seriesOf(await Promise.all(files.map((name) => readFile(join(GE_FOLDER, name)))));
}

export interface GeneratedOptions {
  readonly slices?: number;
  readonly rows?: number;
  readonly columns?: number;
  /** Distance between rows, then between columns, in mm. */
  readonly pixelSpacing?: readonly [number, number];
  /** Put over the attributes of each slice; undefined takes one away. */
  readonly attributes?: Dataset;
}

/** Axial slices of an ellipsoid of brain in a shell of bone. */
export function generatedSeries(options: GeneratedOptions = {}): Series {
  const { slices = 24 } = options;
  return seriesOf(Array.from({ length: slices }, (_, i) => generatedSlice(options, i, slices)));
}

function generatedSlice(options: GeneratedOptions, index: number, slices: number): Buffer {
  const { rows = 256, columns = 256, pixelSpacing = [0.9, 0.9], attributes } = options;
  const dataset: Dataset = {
    SpecificCharacterSet: 'ISO_IR 192',
    ImageType: ['ORIGINAL', 'PRIMARY', 'AXIAL'],
    SOPClassUID: CT_IMAGE,
    SOPInstanceUID: derivedUid(['slice', String(index)]),
    StudyDate: '20260102',
    StudyTime: '101112.5',
    AccessionNumber: 'A-4711',
    Modality: 'CT',
    Manufacturer: 'Synthetic',
    ReferringPhysicianName: 'Beispiel^Ärztin',
    StudyDescription: 'CT Schädel nativ',
    PatientName: 'Müller^Jörg',
    PatientID: 'TEST-1',
    PatientBirthDate: '19700101',
    PatientSex: 'M',
    StudyInstanceUID: derivedUid(['study']),
    SeriesInstanceUID: derivedUid(['series']),
    StudyID: '7',
    SeriesNumber: 3,
    InstanceNumber: slices - index,
    ImagePositionPatient: [-115, -115, index * 5],
    ImageOrientationPatient: [1, 0, 0, 0, 1, 0],
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: rows,
    Columns: columns,
    PixelSpacing: pixelSpacing,
    BitsAllocated: 16,
    BitsStored: 16,
    HighBit: 15,
    PixelRepresentation: 1,
    RescaleIntercept: 0,
    RescaleSlope: 1,
    PixelData: headPixels(rows, columns, pixelSpacing, index / slices),
    ...attributes,
  };
  const meta = encodeFileMeta({
    sopClassUid: dataset['SOPClassUID'] as string,
    sopInstanceUid: dataset['SOPInstanceUID'] as string,
    transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
  });
  return Buffer.concat([meta, encodeDataset(dataset)]);
}

function headPixels(
  rows: number,
  columns: number,
  [rowSpacing, columnSpacing]: readonly [number, number],
  height: number,
): Uint8Array {
  const hu = new Int16Array(rows * columns);
  const size = Math.sqrt(1 - (height * 1.6 - 0.8) ** 2);
  for (let y = 0; y < rows; y += 1) {
    for (let x = 0; x < columns; x += 1) {
      const acrossMm = (x - columns / 2) * columnSpacing;
      const downMm = (y - rows / 2) * rowSpacing;
      const radius = Math.hypot(acrossMm / 75, downMm / 95) / size;
      const bleed = Math.hypot(acrossMm - 30, downMm + 10) < 14;
      const tissue = bleed ? 65 : 32 + ((x * 7 + y * 13) % 9) - 4;
      hu[y * columns + x] = radius > 1 ? -1000 : radius > 0.92 ? 900 : tissue;
    }
  }
  return new Uint8Array(hu.buffer);
}

export function seriesOf(files: readonly Buffer[]): Series {
  const instances = files.map((file, i): StoredInstance => {
    const meta = readFileMeta(file);
    if (!meta) throw new Error('not Part 10');
    return {
      header: readHeader(file.subarray(meta.datasetOffset), meta.transferSyntaxUid),
      file: `/archive/${i}.dcm`,
      sha256: createHash('sha256').update(file).digest('hex'),
      receivedAt: 0,
    };
  });
  const byPath = new Map(instances.map(({ file }, i) => [file, files[i] as Buffer]));
  return {
    instances,
    readFile: async (path) => byPath.get(path) as Buffer,
  };
}

/** A heat map whose hot spot lies at (u, v) of its square, both 0..1. */
export function heatMapAt(u: number, v: number, box: HeatMap['box']): HeatMap {
  const width = 16;
  const values = Array.from({ length: width * width }, (_, i) => {
    const distance = Math.hypot(
      ((i % width) + 0.5) / width - u,
      (Math.floor(i / width) + 0.5) / width - v,
    );
    return Math.exp(-((distance / 0.13) ** 2));
  });
  return { width, height: width, values, box };
}

const STUDY_PROBABILITY: Readonly<Record<Outcome, number>> = {
  positive: 0.964,
  negative: 0.021,
  undetermined: 0.38,
  'not-eligible': 0,
  failed: 0,
};

/** A finding of the given outcome over the series' slices, or over the frames of its only instance. */
export function findingOf(outcome: Outcome, { instances }: Series): Finding {
  const [first] = instances as [StoredInstance];
  const { seriesInstanceUid, seriesNumber, modality } = first.header;
  const answered = outcome !== 'not-eligible' && outcome !== 'failed';
  const verdict = {
    seriesInstanceUid,
    ...(seriesNumber === undefined ? {} : { seriesNumber }),
    ...(modality === undefined ? {} : { modality }),
    instances: instances.length,
  };
  const scout = {
    seriesInstanceUid: derivedUid(['scout']),
    seriesNumber: 1,
    modality: 'CT',
    instances: 2,
    verdict: 'not-eligible',
    reason: { code: 'localizer', text: 'The series holds localizers only' },
  } as const;
  if (!answered) {
    const reason =
      outcome === 'failed'
        ? {
            code: 'engine-crashed',
            text: 'The inference process ended twice while it read the series',
          }
        : { code: 'too-few-positions', text: 'The series has fewer than 8 slice positions' };
    return {
      outcome,
      reason,
      model: MODEL,
      ...(outcome === 'failed' ? { seriesInstanceUid } : {}),
      classes: [],
      slices: [],
      keySlices: [],
      series: [
        { ...verdict, verdict: outcome === 'failed' ? 'eligible' : 'not-eligible', reason },
        scout,
      ],
    };
  }
  const study = STUDY_PROBABILITY[outcome];
  const share: Readonly<Record<ClassName, number>> = {
    epidural: 0.02,
    intraparenchymal: 0.93,
    intraventricular: 0.21,
    subarachnoid: 0.3,
    subdural: 0.11,
    any: 1,
  };
  const sources = sourceImages(instances);
  const middle = sources.length * 0.55;
  const at = (i: number) => Math.exp(-(((i - middle) / (sources.length * 0.14)) ** 2));
  const { rows = 256, columns = 256 } = first.header;
  const side = Math.round(Math.min(rows, columns) * 0.8);
  const box = { x: Math.round((columns - side) / 2), y: Math.round((rows - side) / 2), side };
  const keyIndexes = outcome === 'negative' ? [] : [0, -2, 2].map((d) => Math.round(middle) + d);
  return {
    outcome,
    model: MODEL,
    seriesInstanceUid,
    classes: CLASSES.map((name) => {
      const probability = study * share[name];
      const presence =
        probability > 0.5 ? 'present' : probability < 0.2 ? 'absent' : 'undetermined';
      return { name, logit: Math.log(probability / (1 - probability)), probability, presence };
    }),
    slices: sources.map((source, i) => ({
      source,
      positionMm: i * 5 - 40.25,
      probabilities: CLASSES.map((name) => Math.max(0.004, study * share[name] * at(i))),
    })),
    keySlices: keyIndexes.map((index) => ({
      source: sources[index] as SourceImage,
      index,
      className: 'intraparenchymal',
      probability: study * share.intraparenchymal * at(index),
      heatMap: heatMapAt(0.62, 0.4, box),
    })),
    series: [
      {
        ...verdict,
        verdict: 'analysed',
        reason: { code: 'best', text: 'Soft kernel, 4 mm slices, whole head' },
      },
      scout,
    ],
  };
}

function sourceImages(instances: readonly StoredInstance[]): SourceImage[] {
  return instances.flatMap(({ header: { sopClassUid, sopInstanceUid, frames } }) =>
    frames.length > 1
      ? frames.map((_, i) => ({ sopClassUid, sopInstanceUid, frame: i + 1 }))
      : [{ sopClassUid, sopInstanceUid }],
  );
}

export function reportInput(
  outcome: Outcome,
  series: Series,
  more: Partial<ReportInput> = {},
): ReportInput {
  return {
    finding: findingOf(outcome, series),
    sourceInstances: series.instances,
    readFile: series.readFile,
    revision: 1,
    createdAt: new Date('2026-01-02T09:30:15.250Z'),
    options: {
      researchText: RESEARCH_TEXT,
      softwareVersion: '0.1.0',
      deviceSerialNumber: 'node-1',
    },
    ...more,
  };
}
