import { CODES } from '../dicom/codes.js';
import { encodePart10 } from '../dicom/dataset.js';
import { KEY_OBJECT_SELECTION } from '../dicom/sop-classes.js';
import { EXPLICIT_VR_LITTLE_ENDIAN } from '../dicom/transfer-syntaxes.js';
import type { ResultObject } from '../domain/result-object.js';
import { code, image, rootContainer, text, uidReference } from './content-item.js';
import { hierarchicalReferences } from './evidence.js';
import {
  commonModules,
  deviceUid,
  MODEL_NAME,
  type ReportContext,
  seriesUid,
} from './report-modules.js';
import { requestSequence } from './request.js';
import { distinctImages, sourceReference } from './sources.js';
import { HEADLINES } from './wording.js';

/** The source's key slices, each once, as Key Object Selection Document (PS3.3 A.35.4, PS3.16 TID 2010). */
export function keyObjectSelection(context: ReportContext): ResultObject {
  const { finding, identity, options } = context;
  const sopInstanceUid = identity.uid('key-objects');
  const slices = distinctImages(finding.keySlices);
  const description = `${HEADLINES[finding.outcome]}: slices to look at first. ${options.researchText}`;
  return {
    kind: 'key-objects',
    sopClassUid: KEY_OBJECT_SELECTION,
    sopInstanceUid,
    seriesInstanceUid: seriesUid(context, 'key-objects'),
    transferSyntaxUid: EXPLICIT_VR_LITTLE_ENDIAN,
    part10: encodePart10({
      ...commonModules(context, 'key-objects', KEY_OBJECT_SELECTION, sopInstanceUid),
      ReferencedPerformedProcedureStepSequence: [],
      InstanceNumber: context.revision,
      ...requestSequence(context.source),
      CurrentRequestedProcedureEvidenceSequence: hierarchicalReferences(
        slices.map((slice) => sourceReference(context, slice)),
      ),
      ...rootContainer(CODES.ofInterest, '2010', [
        code('HAS CONCEPT MOD', CODES.language, CODES.english),
        code('HAS OBS CONTEXT', CODES.observerType, CODES.device),
        uidReference('HAS OBS CONTEXT', CODES.deviceObserverUid, deviceUid(options)),
        text('HAS OBS CONTEXT', CODES.deviceObserverModelName, MODEL_NAME),
        text('CONTAINS', CODES.keyObjectDescription, description),
        ...slices.map((slice) => image('CONTAINS', undefined, slice)),
      ]),
    }),
  };
}
