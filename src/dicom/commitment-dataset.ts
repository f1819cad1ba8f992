import type { CommitmentReport, InstanceReference } from '../domain/commitment.js';
import type { Dataset } from './dataset.js';

/** Event types of the Storage Commitment Push Model (PS3.4 Table J.3-2). */
const ALL_COMMITTED = 1;
const SOME_FAILED = 2;

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

function item({ sopClassUid, sopInstanceUid }: InstanceReference): Dataset {
  return { ReferencedSOPClassUID: sopClassUid, ReferencedSOPInstanceUID: sopInstanceUid };
}
