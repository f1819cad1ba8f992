import { readReferences } from '../dicom/commitment-dataset.js';
import { STORAGE_COMMITMENT_INSTANCE } from '../dicom/sop-classes.js';
import type { SourceDataset } from '../dicom/source-dataset.js';
import { Status } from '../dicom/status.js';
import { isUid } from '../dicom/uid.js';
import type { InstanceReference } from '../domain/commitment.js';
import type { Log } from '../log.js';
import { DatasetOperation } from './dataset-operation.js';
import { type Command, CommandElement, type Outcome } from './dimse.js';
import type { CommitmentRequests, CommitmentVerdict } from './needs.js';
import { answerWith, type RequestContext, type Service } from './operation.js';

/** Request Storage Commitment, the only action of the SOP class (PS3.4 J.3.2). */
const REQUEST_STORAGE_COMMITMENT = 1;

/** N-ACTION of the Storage Commitment Push Model as SCP: takes the request; what became of it is reported later. */
export function commitmentService(requests: CommitmentRequests, log: Log): Service {
  return (request, context) => {
    const refusal = refuseCommand(request);
    if (refusal) return answerWith(refusal);
    return new DatasetOperation(context.transferSyntax, (dataset) => {
      try {
        return accept(dataset, context, requests);
      } catch (error) {
        const { associationId } = context;
        log.error({ err: error, associationId }, 'a commitment request could not be written down');
        return { status: Status.ProcessingFailure, errorComment: 'The request cannot be kept now' };
      }
    });
  };
}

function refuseCommand(request: Command): Outcome | undefined {
  if (request.uid(CommandElement.RequestedSopInstanceUid) !== STORAGE_COMMITMENT_INSTANCE) {
    return {
      status: Status.NoSuchObjectInstance,
      errorComment: `Requested SOP Instance UID is not ${STORAGE_COMMITMENT_INSTANCE}`,
    };
  }
  if (request.number(CommandElement.ActionTypeId) !== REQUEST_STORAGE_COMMITMENT) {
    return { status: Status.NoSuchActionType, errorComment: 'Action Type ID is not 1' };
  }
  if (!request.hasDataset) return invalid('The request has no dataset');
  return undefined;
}

function accept(
  dataset: SourceDataset,
  context: RequestContext,
  requests: CommitmentRequests,
): Outcome {
  const transactionUid = dataset.text('TransactionUID');
  if (!isUid(transactionUid)) return invalid('Transaction UID is missing or no UID');
  const instances = references(dataset);
  if (instances.length === 0) return invalid('Referenced SOP Sequence is missing or empty');
  if (!instances.every((one) => isUid(one.sopClassUid) && isUid(one.sopInstanceUid))) {
    return invalid('Referenced SOP Sequence holds what is no UID');
  }
  const { associationId, callingAeTitle, calledAeTitle } = context;
  return OUTCOMES[
    requests.accept({
      transactionUid,
      associationId,
      callingAeTitle,
      calledAeTitle,
      instances,
      requestedAt: Date.now(),
    })
  ];
}

/** Each instance once, though a list may name it twice. */
function references(dataset: SourceDataset): InstanceReference[] {
  return [
    ...new Map(readReferences(dataset).map((one) => [one.sopInstanceUid, one] as const)).values(),
  ];
}

const OUTCOMES: Readonly<Record<CommitmentVerdict, Outcome>> = {
  accepted: { status: Status.Success },
  'duplicate-transaction': {
    status: Status.DuplicateTransactionUid,
    errorComment: 'The Transaction UID stands for another request',
  },
  'too-many-pending': {
    status: Status.ResourceLimitation,
    errorComment: 'Too many requests wait to be reported',
  },
};

function invalid(errorComment: string): Outcome {
  return { status: Status.InvalidArgumentValue, errorComment };
}
