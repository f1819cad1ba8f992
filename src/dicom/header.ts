import type { InstanceHeader } from '../domain/instance.js';
import { defined } from './defined.js';
import {
  DatasetStructureError,
  type ElementHeader,
  ElementReader,
  type Encoding,
  IMPLICIT_LITTLE_ENDIAN,
} from './element-reader.js';
import { framesOf } from './header-frames.js';
import { HeaderValues } from './header-values.js';
import { inflatePrefix } from './inflate-prefix.js';
import { patientIdentity } from './patient-identity.js';
import {
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_BIG_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
} from './transfer-syntaxes.js';
import { isUid } from './uid.js';
import { UNDEFINED_LENGTH } from './vr.js';

/** Why no header can be read; messages name attributes, never values. */
export class HeaderError extends Error {
  readonly code: 'truncated' | 'malformed' | 'uid-missing' | 'uid-invalid';

  constructor(code: HeaderError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'HeaderError';
    this.code = code;
  }
}

export interface HeaderReading {
  readonly header: InstanceHeader;
  /**
   * Where reading ended: at the first tag after all that is read here, at the bytes' end between two elements, or
   * within an element, so that something is missing.
   */
  readonly endedAt: 'end-of-header' | 'end-of-bytes' | 'within-element';
  /** How long the dataset is at least, in bytes, as far as its structure says; unknown where it is deflated. */
  readonly minimumLength?: number;
  /** Where the value of the first element after the header begins; unknown where there is none or it is deflated. */
  readonly bodyOffset?: number;
}

/** The first tag beyond all that is read: waveforms, spectra, overlays and pixel data follow (PS3.6). */
const END_OF_HEADER = 0x53000000;
const PIXEL_DATA = 0x7fe00010;

/**
 * Reads the header of a dataset (without File Meta Information) from its bytes or its beginning.
 *
 * @throws HeaderError where a UID that places the instance is missing or invalid, or the structure cannot be followed
 * so far.
 */
export function readHeader(dataset: Uint8Array, transferSyntaxUid: string): InstanceHeader {
  return scanHeader(dataset, transferSyntaxUid).header;
}

/** As readHeader, and says whether the beginning was long enough. @throws HeaderError */
export function scanHeader(dataset: Uint8Array, transferSyntaxUid: string): HeaderReading {
  const deflated = transferSyntaxUid === DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN;
  const reader = new ElementReader(deflated ? inflated(dataset) : dataset);
  const encoding = encodingOf(transferSyntaxUid);
  const elements = new Map<number, ElementHeader>();
  const end = reader.bytes.length;
  let stoppedAt: ElementHeader | undefined;
  let failure: DatasetStructureError | undefined;
  try {
    stoppedAt = reader.read(elements, encoding, 0, end, END_OF_HEADER);
  } catch (error) {
    if (!(error instanceof DatasetStructureError)) throw error;
    failure = error;
  }
  if (failure?.code === 'malformed') {
    throw new HeaderError('malformed', failure.message, { cause: failure });
  }
  const header = headerOf(reader, elements, transferSyntaxUid, failure);
  const minimumLength =
    !deflated && stoppedAt?.tag === PIXEL_DATA && stoppedAt.length !== UNDEFINED_LENGTH
      ? stoppedAt.value + stoppedAt.length
      : undefined;
  return {
    header,
    endedAt: failure ? 'within-element' : stoppedAt ? 'end-of-header' : 'end-of-bytes',
    ...(minimumLength !== undefined && { minimumLength }),
    ...(!deflated && stoppedAt && { bodyOffset: stoppedAt.value }),
  };
}

function encodingOf(transferSyntaxUid: string): Encoding {
  if (transferSyntaxUid === IMPLICIT_VR_LITTLE_ENDIAN) return IMPLICIT_LITTLE_ENDIAN;
  return { littleEndian: transferSyntaxUid !== EXPLICIT_VR_BIG_ENDIAN, explicitVr: true };
}

function inflated(dataset: Uint8Array): Uint8Array {
  try {
    return inflatePrefix(dataset);
  } catch (error) {
    throw new HeaderError('malformed', 'The dataset cannot be inflated', { cause: error });
  }
}

function headerOf(
  reader: ElementReader,
  elements: ReadonlyMap<number, ElementHeader>,
  transferSyntaxUid: string,
  failure: DatasetStructureError | undefined,
): InstanceHeader {
  const charset = new HeaderValues(reader.bytes, elements).strings(0x00080005);
  const isUtf8 = charset.some((term) => term === 'ISO_IR 192');
  const v = new HeaderValues(reader.bytes, elements, isUtf8 ? 'utf-8' : 'latin1');
  const uid = (tag: number, name: string): string => {
    const value = v.string(tag);
    if (value === undefined) {
      if (failure) throw new HeaderError('truncated', failure.message, { cause: failure });
      throw new HeaderError('uid-missing', `The dataset has no ${name}`);
    }
    if (!isUid(value)) throw new HeaderError('uid-invalid', `The ${name} is not a UID`);
    return value;
  };
  const imageType = v.strings(0x00080008);
  const pixelRepresentation = v.unsigned16(0x00280103);
  return defined({
    sopClassUid: uid(0x00080016, 'SOP Class UID'),
    sopInstanceUid: uid(0x00080018, 'SOP Instance UID'),
    studyInstanceUid: uid(0x0020000d, 'Study Instance UID'),
    seriesInstanceUid: uid(0x0020000e, 'Series Instance UID'),
    transferSyntaxUid,
    patient: patientIdentity({
      patientId: v.whole(0x00100020),
      issuerOfPatientId: v.whole(0x00100021),
      patientBirthDate: v.string(0x00100030),
      patientSex: v.string(0x00100040),
    }),
    modality: v.string(0x00080060),
    manufacturer: v.whole(0x00080070),
    stationName: v.whole(0x00081010),
    studyDescription: v.whole(0x00081030),
    seriesDescription: v.whole(0x0008103e),
    protocolName: v.whole(0x00181030),
    bodyPartExamined: v.string(0x00180015),
    imageType,
    convolutionKernel: v.whole(0x00181210),
    contrastBolusAgent: v.whole(0x00180010),
    spectral: isSpectral(imageType, v.string(0x00281054)) || undefined,
    seriesNumber: v.integer(0x00200011),
    acquisitionNumber: v.integer(0x00200012),
    instanceNumber: v.integer(0x00200013),
    temporalPositionIdentifier: v.integer(0x00200100),
    acquisitionDateTime: acquisitionDateTime(v),
    spacingBetweenSlices: v.number(0x00180088),
    gantryDetectorTilt: v.number(0x00181120),
    frameOfReferenceUid: v.string(0x00200052),
    imagesInAcquisition: v.integer(0x00201002),
    numberOfSeriesRelatedInstances: v.integer(0x00201209),
    rows: v.unsigned16(0x00280010),
    columns: v.unsigned16(0x00280011),
    samplesPerPixel: v.unsigned16(0x00280002),
    photometricInterpretation: v.string(0x00280004),
    bitsAllocated: v.unsigned16(0x00280100),
    bitsStored: v.unsigned16(0x00280101),
    highBit: v.unsigned16(0x00280102),
    pixelRepresentation,
    // US or SS, as Pixel Representation says (PS3.5 Annex A.1 with PS3.6).
    pixelPaddingValue:
      pixelRepresentation === 1 ? v.signed16(0x00280120) : v.unsigned16(0x00280120),
    frames: framesOf(reader, v),
  });
}

/** Acquisition DateTime, or Acquisition Date and Time, as digits; the offset from UTC is left out. */
function acquisitionDateTime(v: HeaderValues): string | undefined {
  const joined =
    v.string(0x0008002a)?.replace(/[+-]\d{4}$/, '') ??
    `${v.string(0x00080022) ?? ''}${v.string(0x00080032) ?? ''}`;
  const digits = joined.replace(/\D/g, '');
  return digits === '' ? undefined : digits;
}

/** Image Type value 4 of multi-energy CT images that show no plain attenuation (PS3.3 C.8.2.1.1.1). */
const SPECTRAL_IMAGE_TYPES = new Set([
  'VMI',
  'MAT_SPECIFIC',
  'MAT_REMOVED',
  'MAT_FRACTIONAL',
  'MAT_VALUE_BASED',
  'MAT_MODIFIED',
  'EFF_ATOMIC_NUM',
  'ELECTRON_DENSITY',
]);

/** Rescale Types of values other than Hounsfield units in CT (PS3.3 C.11.1.1.2). */
const SPECTRAL_RESCALE_TYPES = new Set(['HU_MOD', 'MGML', 'PCT', 'ED', 'EDW', 'Z_EFF']);

function isSpectral(imageType: readonly string[], rescaleType: string | undefined): boolean {
  return (
    imageType.some((value) => SPECTRAL_IMAGE_TYPES.has(value)) ||
    (rescaleType !== undefined && SPECTRAL_RESCALE_TYPES.has(rescaleType))
  );
}
