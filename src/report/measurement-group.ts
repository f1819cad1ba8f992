import { CLASS_CODES, CODES, PRESENCE_CODES } from '../dicom/codes.js';
import { derivedUid } from '../dicom/derived-uid.js';
import {
  CLASSES,
  type ClassResult,
  type Finding,
  type KeySlice,
  type ModelIdentity,
  type SourceImage,
} from '../domain/finding.js';
import {
  type ContentItem,
  code,
  container,
  image,
  percentage,
  text,
  uidReference,
} from './content-item.js';
import type { ReportContext } from './report-modules.js';
import { distinctImages } from './sources.js';

/** A heat map picture and the key slice that it shows. */
export interface HeatMapReference {
  readonly keySlice: KeySlice;
  readonly image: SourceImage;
}

/**
 * One class of the model as a measurement group (PS3.16 TID 1501). The certainty stands under the finding, whose
 * property it is: viewers that take every NUM of a group for a drawn measurement would look for its coordinates.
 */
export function measurementGroup(
  context: ReportContext,
  result: ClassResult,
  heatMaps: readonly HeatMapReference[],
): ContentItem {
  const { finding } = context;
  const { finding: name, site } = CLASS_CODES[result.name];
  const isOwn = ({ className }: KeySlice) => className === result.name;
  const keySlices = finding.keySlices.filter((slice) => result.name === 'any' || isOwn(slice));
  const explanations = heatMaps.filter(({ keySlice }) => isOwn(keySlice));
  const highest = highestSlice(finding, result);
  const certainty = percentage(
    'HAS PROPERTIES',
    CODES.certaintyOfFinding,
    result.probability * 100,
    highest ? [image('INFERRED FROM', CODES.sourceOfMeasurement, highest)] : [],
  );
  return container(CODES.measurementGroup, [
    text('HAS OBS CONTEXT', CODES.trackingIdentifier, `Vigil ${result.name}`),
    uidReference(
      'HAS OBS CONTEXT',
      CODES.trackingUid,
      derivedUid(['tracking', context.source.text('StudyInstanceUID'), result.name]),
    ),
    ...algorithmIdentification(finding.model),
    code('CONTAINS', CODES.finding, name, [certainty]),
    code('HAS CONCEPT MOD', CODES.findingSite, site),
    ...distinctImages(keySlices).map((slice) => image('CONTAINS', CODES.source, slice)),
    code('CONTAINS', CODES.presence, PRESENCE_CODES[result.presence]),
    ...explanations.map((explanation) =>
      image('CONTAINS', CODES.visualExplanation, explanation.image, [
        code('HAS CONCEPT MOD', CODES.method, CODES.gradCam),
      ]),
    ),
  ]);
}

/** PS3.16 TID 4019. */
function algorithmIdentification(model: ModelIdentity): ContentItem[] {
  return [
    text('HAS CONCEPT MOD', CODES.algorithmName, model.name),
    text('HAS CONCEPT MOD', CODES.algorithmVersion, model.version),
    text('HAS CONCEPT MOD', CODES.algorithmParameters, `Family: ${model.family}`),
    text('HAS CONCEPT MOD', CODES.algorithmParameters, `Model package SHA-256: ${model.hash}`),
    ...(model.calibrationHash === undefined
      ? []
      : [
          text(
            'HAS CONCEPT MOD',
            CODES.algorithmParameters,
            `Site calibration SHA-256: ${model.calibrationHash}`,
          ),
        ]),
    ...(model.prevalence === undefined
      ? []
      : [
          text(
            'HAS CONCEPT MOD',
            CODES.algorithmParameters,
            `Probabilities for a prevalence of ${model.prevalence}`,
          ),
        ]),
    text('HAS CONCEPT MOD', CODES.algorithmManufacturer, model.maker),
    code('HAS CONCEPT MOD', CODES.algorithmFamily, CODES.artificialIntelligence),
  ];
}

/** The slice in which the class is most probable. */
function highestSlice({ slices }: Finding, { name }: ClassResult): SourceImage | undefined {
  const column = CLASSES.indexOf(name);
  let highest = slices[0];
  for (const slice of slices) {
    const best = highest?.probabilities[column] ?? 0;
    if ((slice.probabilities[column] ?? 0) > best) highest = slice;
  }
  return highest?.source;
}
