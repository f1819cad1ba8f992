import { encodeDataset } from '../../dicom/dataset.js';
import { derivedUid } from '../../dicom/derived-uid.js';
import { encodeFileMeta } from '../../dicom/file-meta.js';
import { CT_IMAGE } from '../../dicom/sop-classes.js';
import { EXPLICIT_VR_LITTLE_ENDIAN } from '../../dicom/transfer-syntaxes.js';

/** What the images of one phantom share. */
export interface PhantomStudyIdentity {
  /** Names the patient and the study; the same salt and number give the same UIDs. */
  readonly number: number;
  readonly salt: string;
  /** Study, series and content are of this moment, in local time. */
  readonly at: Date;
}

export interface PhantomImage {
  /** HU, row by row. */
  readonly hu: Int16Array;
  readonly rows: number;
  readonly columns: number;
  /** Between rows, then between columns, in mm. */
  readonly pixelSpacing: readonly [number, number];
  readonly position: readonly [number, number, number];
  readonly orientation: readonly [number, number, number, number, number, number];
  readonly instanceNumber: number;
}

export interface PhantomSeries {
  readonly number: number;
  readonly description: string;
  readonly kind: 'AXIAL' | 'LOCALIZER';
  /** In mm. */
  readonly sliceThickness: number;
  readonly convolutionKernel: string;
  /** How many images the scanner announces; absent, it announces none. */
  readonly imagesInAcquisition?: number;
}

export interface PhantomUids {
  readonly studyInstanceUid: string;
  readonly frameOfReferenceUid: string;
}

export function phantomUids({ number, salt }: PhantomStudyIdentity): PhantomUids {
  return {
    studyInstanceUid: derivedUid(['phantom', salt, String(number), 'study']),
    frameOfReferenceUid: derivedUid(['phantom', salt, String(number), 'frame of reference']),
  };
}

export function seriesUid(study: PhantomStudyIdentity, series: PhantomSeries): string {
  return derivedUid(['phantom', study.salt, String(study.number), 'series', String(series.number)]);
}

export interface EncodedImage {
  readonly sopInstanceUid: string;
  readonly part10: Buffer;
}

/** A Part 10 file of the CT Image IOD (PS3.3 A.3), 12 bits unsigned as scanners store them. */
export function encodeCtImage(
  study: PhantomStudyIdentity,
  series: PhantomSeries,
  image: PhantomImage,
): EncodedImage {
  const { studyInstanceUid, frameOfReferenceUid } = phantomUids(study);
  const seriesInstanceUid = seriesUid(study, series);
  const instance = String(image.instanceNumber);
  const sopInstanceUid = derivedUid(['phantom', seriesInstanceUid, 'image', instance]);
  const date = dateOf(study.at);
  const time = timeOf(study.at);
  const header = encodeDataset({
    SpecificCharacterSet: 'ISO_IR 192',
    ...patient(study),
    SOPClassUID: CT_IMAGE,
    SOPInstanceUID: sopInstanceUid,
    StudyInstanceUID: studyInstanceUid,
    SeriesInstanceUID: seriesInstanceUid,
    FrameOfReferenceUID: frameOfReferenceUid,
    PositionReferenceIndicator: '',

    StudyDate: date,
    StudyTime: time,
    SeriesDate: date,
    SeriesTime: time,
    AcquisitionDate: date,
    AcquisitionTime: time,
    ContentDate: date,
    ContentTime: time,
    AccessionNumber: '',
    ReferringPhysicianName: '',
    StudyID: String(study.number),
    StudyDescription: 'CT HEAD WITHOUT CONTRAST (PHANTOM)',
    Modality: 'CT',
    SeriesNumber: series.number,
    SeriesDescription: series.description,
    ProtocolName: 'HEAD ROUTINE',
    BodyPartExamined: 'HEAD',
    PatientPosition: 'HFS',
    Manufacturer: 'Vigil simulated scanner',
    ManufacturerModelName: 'Head phantom',
    StationName: 'PHANTOM',
    SoftwareVersions: '1',

    ImageType: ['ORIGINAL', 'PRIMARY', series.kind],
    InstanceNumber: image.instanceNumber,
    AcquisitionNumber: 1,
    ...(series.imagesInAcquisition === undefined
      ? {}
      : { ImagesInAcquisition: series.imagesInAcquisition }),
    ImageComments: 'Computed phantom, not a patient',
    KVP: 120,
    XRayTubeCurrent: 250,
    ExposureTime: 1000,
    ConvolutionKernel: series.convolutionKernel,
    GantryDetectorTilt: 0,
    SliceThickness: series.sliceThickness,
    ImagePositionPatient: image.position.map(rounded),
    ImageOrientationPatient: image.orientation,
    PixelSpacing: image.pixelSpacing.map(rounded),
    ...(series.kind === 'AXIAL'
      ? {
          SliceLocation: rounded(image.position[2]),
          SpacingBetweenSlices: series.sliceThickness,
          RescaleType: 'HU',
        }
      : {}),

    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: image.rows,
    Columns: image.columns,
    BitsAllocated: 16,
    BitsStored: 12,
    HighBit: 11,
    PixelRepresentation: 0,
    RescaleIntercept: INTERCEPT,
    RescaleSlope: 1,
    WindowCenter: 40,
    WindowWidth: 80,
  });
  const meta = encodeFileMeta({
    sopClassUid: CT_IMAGE,
    sopInstanceUid,
    transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
  });
  return { sopInstanceUid, part10: Buffer.concat([meta, header, pixelData(image.hu)]) };
}

/** Invented by formula, and plain about it. */
function patient({ number }: PhantomStudyIdentity): Record<string, string> {
  return {
    PatientName: `PHANTOM^HEAD ${number}`,
    PatientID: `PHANTOM-${String(number).padStart(4, '0')}`,
    PatientBirthDate: '19600101',
    PatientSex: 'O',
  };
}

const INTERCEPT = -1024;

/** Pixel Data (7FE0,0010) as OW, which more than 8 bits allocated ask for (PS3.5 A.2). */
function pixelData(hu: Int16Array): Buffer {
  const element = Buffer.alloc(12 + 2 * hu.length);
  element.write('\xe0\x7f\x10\x00OW', 0, 'latin1');
  element.writeUInt32LE(2 * hu.length, 8);
  for (let i = 0; i < hu.length; i += 1) {
    const stored = Math.max(0, Math.min(4095, (hu[i] as number) - INTERCEPT));
    element.writeUInt16LE(stored, 12 + 2 * i);
  }
  return element;
}

const rounded = (mm: number): number => Math.round(mm * 1e4) / 1e4;

const digits = (value: number): string => String(value).padStart(2, '0');

function dateOf(at: Date): string {
  return `${at.getFullYear()}${digits(at.getMonth() + 1)}${digits(at.getDate())}`;
}

function timeOf(at: Date): string {
  return `${digits(at.getHours())}${digits(at.getMinutes())}${digits(at.getSeconds())}`;
}
