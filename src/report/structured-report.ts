import { CODES, CODING_SCHEME_IDENTIFICATION, localCode, SUMMARY_CODES } from '../dicom/codes.js';
import { type Dataset, encodePart10 } from '../dicom/dataset.js';
import { COMPREHENSIVE_3D_SR, COMPREHENSIVE_SR } from '../dicom/sop-classes.js';
import { EXPLICIT_VR_LITTLE_ENDIAN } from '../dicom/transfer-syntaxes.js';
import type { Outcome } from '../domain/finding.js';
import { percent } from '../domain/percent.js';
import type { ResultObject } from '../domain/result-object.js';
import {
  type ContentItem,
  code,
  container,
  image,
  rootContainer,
  text,
  uidReference,
} from './content-item.js';
import { hierarchicalReferences, type ReferencedObject } from './evidence.js';
import { type HeatMapReference, measurementGroup } from './measurement-group.js';
import {
  commonModules,
  deviceUid,
  MANUFACTURER,
  MODEL_NAME,
  type ReportContext,
  seriesUid,
} from './report-modules.js';
import { requestSequence } from './request.js';
import { procedureCode } from './source-modules.js';
import { evidenceImages, sliceNumber, sourceReference } from './sources.js';
import { HEADLINES, impression, seriesLine } from './wording.js';

/** CID 6047. A finding that a reader has to decide is a finding: it must not read as "without". */
const SUMMARY: Readonly<Record<Outcome, keyof typeof SUMMARY_CODES>> = {
  positive: 'withFindings',
  undetermined: 'withFindings',
  negative: 'withoutFindings',
  'not-eligible': 'noneSucceeded',
  failed: 'noneSucceeded',
};

/**
 * The report as Comprehensive 3D SR (PS3.3 A.35.13) by TID 1500, and the same as Comprehensive SR (A.35.3) for peers
 * that take no other: two objects with a UID each, since an object's class is part of what its UID names. Each names the
 * predecessor of its own class, which is the one that the same peer has.
 */
export function structuredReports(
  context: ReportContext,
  heatMaps: readonly HeatMapReference[],
): [ResultObject, ResultObject] {
  const content = contentTree(context, heatMaps);
  const primary = context.identity.uid('sr');
  const { predecessor } = context;
  const encode = (
    sopClassUid: string,
    sopInstanceUid: string,
    superseded: ReferencedObject | undefined,
  ): ResultObject => ({
    kind: 'sr',
    sopClassUid,
    sopInstanceUid,
    seriesInstanceUid: seriesUid(context, 'sr'),
    transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
    part10: encodePart10({
      ...commonModules(context, 'sr', sopClassUid, sopInstanceUid),
      ...documentModule(context, heatMaps, superseded),
      ...content,
    }),
  });
  return [
    encode(COMPREHENSIVE_3D_SR, primary, predecessor),
    {
      ...encode(
        COMPREHENSIVE_SR,
        context.identity.uid('sr', 'comprehensive'),
        predecessor?.fallback,
      ),
      fallbackFor: primary,
    },
  ];
}

/** SR Document Series and SR Document General (PS3.3 C.17.1, C.17.2). */
function documentModule(
  context: ReportContext,
  heatMaps: readonly HeatMapReference[],
  superseded: ReferencedObject | undefined,
): Dataset {
  const { finding, predecessor, identity } = context;
  const failed = finding.outcome === 'failed';
  const supersedes = predecessor && predecessor.sopInstanceUid !== identity.uid('sr');
  const references = hierarchicalReferences(evidence(context, heatMaps));
  return {
    CodingSchemeIdentificationSequence: CODING_SCHEME_IDENTIFICATION,
    ReferencedPerformedProcedureStepSequence: [],
    InstanceNumber: context.revision,
    CompletionFlag: failed ? 'PARTIAL' : 'COMPLETE',
    ...(failed ? { CompletionFlagDescription: HEADLINES.failed } : {}),
    VerificationFlag: 'UNVERIFIED',
    PreliminaryFlag: 'PRELIMINARY',
    ...(supersedes && superseded
      ? { PredecessorDocumentsSequence: hierarchicalReferences([superseded]) }
      : {}),
    ...requestSequence(context.source),
    PerformedProcedureCodeSequence: [],
    ...(references.length > 0 ? { CurrentRequestedProcedureEvidenceSequence: references } : {}),
  };
}

function evidence(
  context: ReportContext,
  heatMaps: readonly HeatMapReference[],
): ReferencedObject[] {
  const studyInstanceUid = context.source.text('StudyInstanceUID');
  return [
    ...evidenceImages(context).map((source) => sourceReference(context, source)),
    ...heatMaps.map(({ image: { sopClassUid, sopInstanceUid } }) => ({
      studyInstanceUid,
      seriesInstanceUid: seriesUid(context, 'heatmap'),
      sopClassUid,
      sopInstanceUid,
    })),
  ];
}

/** PS3.16 TID 1500, which may be extended: the impression stands before all that is evidence for it. */
function contentTree(context: ReportContext, heatMaps: readonly HeatMapReference[]): Dataset {
  const { finding, source, options } = context;
  const procedure = procedureCode(source);
  const keySlices = finding.keySlices.map(
    ({ source: slice, className, probability }) =>
      `${sliceNumber(context, slice)} (${className} ${percent(probability)})`,
  );
  const library = evidenceImages(context).map((slice) => image('CONTAINS', undefined, slice));
  return rootContainer(CODES.imagingMeasurementReport, '1500', [
    code('HAS CONCEPT MOD', CODES.language, CODES.english),
    ...deviceObserver(context),
    code(
      'HAS CONCEPT MOD',
      CODES.procedureReported,
      procedure ? { item: procedure } : CODES.ctOfHead,
    ),
    text('CONTAINS', CODES.impression, impression(finding, options.researchText, keySlices)),
    container(CODES.imageLibrary, [container(CODES.imageLibraryGroup, library)]),
    container(
      CODES.imagingMeasurements,
      [...finding.classes]
        .sort((a, b) => Number(b.name === 'any') - Number(a.name === 'any'))
        .map((result) => measurementGroup(context, result, heatMaps)),
    ),
    container(CODES.qualitativeEvaluations, evaluations(context)),
  ]);
}

/** PS3.16 TID 1002 and 1004. */
function deviceObserver({ options, finding }: ReportContext): ContentItem[] {
  return [
    code('HAS OBS CONTEXT', CODES.observerType, CODES.device),
    uidReference('HAS OBS CONTEXT', CODES.deviceObserverUid, deviceUid(options)),
    text(
      'HAS OBS CONTEXT',
      CODES.deviceObserverName,
      `${finding.model.name} ${finding.model.version}`,
    ),
    text('HAS OBS CONTEXT', CODES.deviceObserverManufacturer, MANUFACTURER),
    text('HAS OBS CONTEXT', CODES.deviceObserverModelName, MODEL_NAME),
  ];
}

function evaluations({ finding, options }: ReportContext): ContentItem[] {
  const { outcome, reason, series, conflicts = [] } = finding;
  const summary = SUMMARY_CODES[SUMMARY[outcome]];
  return [
    code('CONTAINS', CODES.processingSummary, summary),
    code('CONTAINS', CODES.outcome, localCode(outcome.toUpperCase(), HEADLINES[outcome])),
    ...(outcome === 'positive'
      ? [code('CONTAINS', CODES.urgency, CODES.categoryOneActionable)]
      : []),
    ...(reason
      ? [
          code('CONTAINS', CODES.reason, localCode(reason.code, reason.text)),
          text('CONTAINS', CODES.reason, reason.text),
        ]
      : []),
    ...conflicts.flatMap(({ code: value, text: meaning }) => [
      code('CONTAINS', CODES.conflict, localCode(value, meaning)),
      text('CONTAINS', CODES.conflict, meaning),
    ]),
    ...series.map((verdict) => text('CONTAINS', CODES.seriesVerdict, seriesLine(finding, verdict))),
    text('CONTAINS', CODES.intendedUse, options.researchText),
  ];
}
