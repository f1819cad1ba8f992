import type { CommitmentReport, InstanceReference } from '../domain/commitment.js';
import type { Dataset } from './dataset.js';
import type { SourceDataset } from './source-dataset.js';
import { Status } from './status.js';

/** Event types of the Storage Commitment Push Model (PS3.4 Table J.3-2). */
export const ALL_COMMITTED = 1;
export const SOME_FAILED = 2;

/** The Event Information of a transaction's result (PS3.4 Table J.3-2). */
export function commitmentEvent({ transactionUid, instances }: CommitmentReport): {
  readonly eventTypeId: number;
  readonly information: Dataset;
} {
  const committed = instances.filter(({ failureReason }) => failureReason === undefined);
  const failed = instances.flatMap(({ failureReason, ...reference }) =>
    failureReason === undefined ? [] : [{ ...item(reference), FailureReason: failureReason }],
  );
  return {
    eventTypeId: failed.length === 0 ? ALL_COMMITTED : SOME_FAILED,
    information: {
      TransactionUID: transactionUid,
      ...(committed.length > 0 && { ReferencedSOPSequence: committed.map(item) }),
      ...(failed.length > 0 && { FailedSOPSequence: failed }),
    },
  };
}

/** Reads an Event Information; an instance that failed for no reason that is given has a processing failure. */
export function readCommitmentEvent(information: SourceDataset): CommitmentReport {
  return {
    transactionUid: information.text('TransactionUID'),
    instances: [
      ...readReferences(information),
      ...information.items('FailedSOPSequence').map((failed) => ({
        ...readReference(failed),
        failureReason: failed.unsigned('FailureReason') || Status.ProcessingFailure,
      })),
    ],
  };
}

/** The Action Information of a request (PS3.4 Table J.3-1). */
export function commitmentAction(
  transactionUid: string,
  instances: readonly InstanceReference[],
): Dataset {
  return { TransactionUID: transactionUid, ReferencedSOPSequence: instances.map(item) };
}

/** What Referenced SOP Sequence (0008,1199), or another of its kind, names, in its order. */
export function readReferences(
  dataset: SourceDataset,
  keyword = 'ReferencedSOPSequence',
): InstanceReference[] {
  return dataset.items(keyword).map(readReference);
}

function readReference(item: SourceDataset): InstanceReference {
  return {
    sopClassUid: item.text('ReferencedSOPClassUID'),
    sopInstanceUid: item.text('ReferencedSOPInstanceUID'),
  };
}

function item({ sopClassUid, sopInstanceUid }: InstanceReference): Dataset {
  return { ReferencedSOPClassUID: sopClassUid, ReferencedSOPInstanceUID: sopInstanceUid };
}
