import { readNewStep, readStepChange, type StepFault } from '../dicom/performed-step-dataset.js';
import type { SourceDataset } from '../dicom/source-dataset.js';
import { Status } from '../dicom/status.js';
import { isUid, randomUid } from '../dicom/uid.js';
import type { Log } from '../log.js';
import { DatasetOperation } from './dataset-operation.js';
import { CommandElement, type Outcome } from './dimse.js';
import type { PerformedSteps, StepVerdict } from './needs.js';
import { answerWith, type RequestContext, type Service } from './operation.js';

/** N-CREATE of the Modality Performed Procedure Step SOP Class as SCP (PS3.4 F.7.2.1): a scanner begins a step. */
export function createStepService(steps: PerformedSteps, log: Log): Service {
  return (request, context) => {
    const given = request.uid(CommandElement.AffectedSopInstanceUid);
    if (given !== '' && !isUid(given)) return answerWith(INVALID_UID);
    // PS3.7 10.1.5.1.4: the SCP may name it where the requestor does not.
    const sopInstanceUid = given || randomUid();
    return stepOperation(request.hasDataset, context, log, (dataset) => {
      const step = readNewStep(dataset);
      if ('type' in step) return outcomeOf(step);
      const { callingAeTitle } = context;
      const verdict = steps.create({ ...step, sopInstanceUid, callingAeTitle });
      return { ...OUTCOMES[verdict], affectedSopInstanceUid: sopInstanceUid };
    });
  };
}

/** N-SET of the same (PS3.4 F.7.2.2): it goes on, is completed or discontinued, and says what came of it. */
export function setStepService(steps: PerformedSteps, log: Log): Service {
  return (request, context) => {
    const sopInstanceUid = request.uid(CommandElement.RequestedSopInstanceUid);
    if (!isUid(sopInstanceUid)) return answerWith(INVALID_UID);
    return stepOperation(request.hasDataset, context, log, (dataset) => {
      const change = readStepChange(dataset);
      if ('type' in change) return outcomeOf(change);
      return OUTCOMES[steps.change(sopInstanceUid, change)];
    });
  };
}

function stepOperation(
  hasDataset: boolean,
  { transferSyntax, associationId }: RequestContext,
  log: Log,
  answer: (dataset: SourceDataset) => Outcome,
) {
  if (!hasDataset) {
    return answerWith({ status: Status.MissingAttribute, errorComment: 'There is no dataset' });
  }
  return new DatasetOperation(transferSyntax, (dataset) => {
    try {
      return answer(dataset);
    } catch (error) {
      log.error({ err: error, associationId }, 'a procedure step could not be written down');
      return { status: Status.ProcessingFailure, errorComment: 'The step cannot be kept now' };
    }
  });
}

const INVALID_UID: Outcome = {
  status: Status.InvalidObjectInstance,
  errorComment: 'The SOP Instance UID is no UID',
};

/** Performed Procedure Step Object may no longer be updated (PS3.4 Table F.7.2-2). */
const NO_LONGER_UPDATED = 0xa710;

const OUTCOMES: Readonly<Record<StepVerdict, Outcome>> = {
  taken: { status: Status.Success },
  duplicate: { status: Status.DuplicateSopInstance, errorComment: 'The step exists already' },
  unknown: { status: Status.NoSuchObjectInstance, errorComment: 'No such step was created' },
  final: {
    status: Status.ProcessingFailure,
    errorId: NO_LONGER_UPDATED,
    errorComment: 'Performed Procedure Step Object may no longer be updated',
  },
  'no-end': {
    status: Status.MissingAttribute,
    errorComment: 'The final state needs the End Date and End Time of the step',
  },
  'no-series': {
    status: Status.MissingAttribute,
    errorComment: 'COMPLETED needs a Performed Series Sequence with items',
  },
  'too-many': { status: Status.ResourceLimitation, errorComment: 'Too many steps are kept' },
};

const FAULTS: Readonly<Record<StepFault['type'], { status: number; text: string }>> = {
  missing: { status: Status.MissingAttribute, text: 'is missing' },
  empty: { status: Status.MissingAttributeValue, text: 'is empty' },
  invalid: { status: Status.InvalidAttributeValue, text: 'has a value that is not valid' },
};

function outcomeOf({ type, keyword }: StepFault): Outcome {
  const { status, text } = FAULTS[type];
  return { status, errorComment: `${keyword} ${text}` };
}
