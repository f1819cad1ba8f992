import type { PatientIdentity } from './patient.js';

/** A point or direction in the patient coordinate system, in mm: x to the left, y to posterior, z to the head. */
export type Vector = readonly [x: number, y: number, z: number];

/** Image Orientation (Patient): direction cosines of the rows, then of the columns (PS3.3 C.7.6.2.1.1). */
export type Orientation = readonly [number, number, number, number, number, number];

/** The geometry and value mapping of one frame; a single-frame image has exactly one. */
export interface Frame {
  readonly imagePositionPatient?: Vector;
  readonly imageOrientationPatient?: Orientation;
  /** Distance between rows, then between columns, in mm. */
  readonly pixelSpacing?: readonly [number, number];
  readonly sliceThickness?: number;
  readonly rescaleSlope?: number;
  readonly rescaleIntercept?: number;
  /** Slope or intercept is there and no finite number: nothing may stand in for it. */
  readonly rescaleUnreadable?: true;
}

/**
 * What Vigil reads from an instance's header, once, while it arrives. Names are the DICOM keywords in camel case
 * (PS3.6); what the dataset lacks or holds in an unreadable form is left out.
 */
export interface InstanceHeader {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly transferSyntaxUid: string;
  readonly patient: PatientIdentity;

  readonly modality?: string;
  readonly manufacturer?: string;
  readonly stationName?: string;
  readonly studyDescription?: string;
  readonly seriesDescription?: string;
  readonly protocolName?: string;
  readonly bodyPartExamined?: string;
  readonly imageType: readonly string[];
  readonly convolutionKernel?: string;
  readonly contrastBolusAgent?: string;
  readonly spectral?: boolean;
  readonly seriesNumber?: number;
  readonly acquisitionNumber?: number;
  readonly instanceNumber?: number;
  readonly temporalPositionIdentifier?: number;
  /** Acquisition Date and Time joined, as digits, where present: parts the phases of a series. */
  readonly acquisitionDateTime?: string;
  readonly spacingBetweenSlices?: number;
  readonly gantryDetectorTilt?: number;
  readonly frameOfReferenceUid?: string;
  readonly imagesInAcquisition?: number;
  readonly numberOfSeriesRelatedInstances?: number;

  readonly rows?: number;
  readonly columns?: number;
  readonly samplesPerPixel?: number;
  readonly photometricInterpretation?: string;
  readonly bitsAllocated?: number;
  readonly bitsStored?: number;
  readonly highBit?: number;
  readonly pixelRepresentation?: number;
  readonly pixelPaddingValue?: number;
  /** One entry for each frame of an image; none for objects without pixels. */
  readonly frames: readonly Frame[];
}

/** An instance in the archive: what its header says and where its bytes are. */
export interface StoredInstance {
  readonly header: InstanceHeader;
  /** Absolute path of the Part 10 file. */
  readonly file: string;
  /** Hex SHA-256 of the dataset's bytes as received. */
  readonly sha256: string;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
}
