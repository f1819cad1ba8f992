import type { Canvas } from '@napi-rs/canvas';
import { CODES, codeItem } from '../dicom/codes.js';
import { type Dataset, encodePart10 } from '../dicom/dataset.js';
import { SECONDARY_CAPTURE } from '../dicom/sop-classes.js';
import { EXPLICIT_VR_LITTLE_ENDIAN } from '../dicom/transfer-syntaxes.js';
import type { SourceImage } from '../domain/finding.js';
import type { ResultObject } from '../domain/result-object.js';
import { bytesToFill } from './canvases.js';
import { imageReference } from './evidence.js';
import {
  commonModules,
  contentDateTime,
  MANUFACTURER,
  MODEL_NAME,
  type ReportContext,
  seriesUid,
} from './report-modules.js';

export interface Picture {
  readonly kind: 'heatmap' | 'summary';
  readonly canvas: Canvas;
  readonly instanceNumber: number;
  /** What tells the picture from others of its kind. */
  readonly role: readonly string[];
  readonly derivation: string;
  /** The slices that are drawn in it. */
  readonly sources: readonly SourceImage[];
}

/** The UID that the picture of the given kind and role will have. */
export function pictureUid(
  context: ReportContext,
  { kind, role }: Pick<Picture, 'kind' | 'role'>,
): string {
  return context.identity.uid(kind, ...role);
}

/** A picture as Secondary Capture (PS3.3 A.8.1) in RGB, one frame. */
export function secondaryCapture(context: ReportContext, picture: Picture): ResultObject {
  const sopInstanceUid = pictureUid(context, picture);
  const { date, time } = contentDateTime(context);
  return {
    kind: picture.kind,
    sopClassUid: SECONDARY_CAPTURE,
    sopInstanceUid,
    seriesInstanceUid: seriesUid(context, picture.kind),
    transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
    part10: encodePart10({
      ...commonModules(context, picture.kind, SECONDARY_CAPTURE, sopInstanceUid),
      BodyPartExamined: 'HEAD',
      ConversionType: 'DI',
      SecondaryCaptureDeviceManufacturer: MANUFACTURER,
      SecondaryCaptureDeviceManufacturerModelName: MODEL_NAME,
      SecondaryCaptureDeviceSoftwareVersions: context.options.softwareVersion,
      DateOfSecondaryCapture: date,
      TimeOfSecondaryCapture: time,
      InstanceNumber: picture.instanceNumber,
      PatientOrientation: picture.kind === 'heatmap' ? ['L', 'P'] : '',
      ImageType: ['DERIVED', 'SECONDARY', 'OTHER'],
      DerivationDescription: picture.derivation,
      ...sourceImages(picture.sources),
      BurnedInAnnotation: 'YES',
      RecognizableVisualFeatures: 'NO',
      ImageComments: context.options.researchText,
      ...lossyCompression(context),
      ...pixelModule(picture.canvas),
    }),
  };
}

function sourceImages(sources: readonly SourceImage[]): Dataset {
  if (sources.length === 0) return {};
  return {
    SourceImageSequence: sources.map((source) => ({
      ...imageReference(source),
      PurposeOfReferenceCodeSequence: [codeItem(CODES.sourceImageForProcessing)],
    })),
  };
}

/** Once lossy, always lossy (PS3.3 C.7.6.1.1.5). */
function lossyCompression({ source }: ReportContext): Dataset {
  if (source.text('LossyImageCompression') !== '01') return { LossyImageCompression: '00' };
  const ratios = source.values('LossyImageCompressionRatio');
  const methods = source.values('LossyImageCompressionMethod');
  return {
    LossyImageCompression: '01',
    ...(ratios.length > 0 ? { LossyImageCompressionRatio: ratios } : {}),
    ...(methods.length > 0 ? { LossyImageCompressionMethod: methods } : {}),
  };
}

/** Image Pixel (PS3.3 C.7.6.3): colour by pixel, 8 bits a channel. The next picture is written over it. */
function pixelModule(canvas: Canvas): Dataset {
  const { width, height } = canvas;
  const rgba = canvas.data();
  const rgb = bytesToFill(width * height * 3);
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) {
    rgb[to] = rgba[from] as number;
    rgb[to + 1] = rgba[from + 1] as number;
    rgb[to + 2] = rgba[from + 2] as number;
  }
  return {
    SamplesPerPixel: 3,
    PhotometricInterpretation: 'RGB',
    PlanarConfiguration: 0,
    Rows: height,
    Columns: width,
    BitsAllocated: 8,
    BitsStored: 8,
    HighBit: 7,
    PixelRepresentation: 0,
    PixelData: rgb,
  };
}
