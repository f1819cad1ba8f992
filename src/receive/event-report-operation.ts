import { ALL_COMMITTED, readCommitmentEvent, SOME_FAILED } from '../dicom/commitment-dataset.js';
import { Status } from '../dicom/status.js';
import type { Log } from '../log.js';
import { DatasetOperation } from './dataset-operation.js';
import { CommandElement } from './dimse.js';
import type { CommitmentReports } from './needs.js';
import { answerWith, type Service } from './operation.js';

/**
 * N-EVENT-REPORT of the Storage Commitment Push Model as SCU (PS3.4 J.3.3): a PACS reports what became of Vigil's own
 * request, on an association that it opens. Success says that this is written down.
 */
export function eventReportService(reports: CommitmentReports, log: Log): Service {
  return (request, context) => {
    const type = request.number(CommandElement.EventTypeId);
    if (type !== ALL_COMMITTED && type !== SOME_FAILED) {
      return answerWith({
        status: Status.NoSuchEventType,
        errorComment: 'Event Type ID is neither 1 nor 2',
      });
    }
    if (!request.hasDataset) {
      return answerWith({
        status: Status.InvalidArgumentValue,
        errorComment: 'The report has no dataset',
      });
    }
    return new DatasetOperation(context.transferSyntax, (dataset) => {
      try {
        if (reports.take(readCommitmentEvent(dataset))) return { status: Status.Success };
        const errorComment = 'Transaction UID is of no request that is known';
        return { status: Status.InvalidArgumentValue, errorComment };
      } catch (error) {
        const { associationId } = context;
        log.error({ err: error, associationId }, 'a commitment report could not be written down');
        return { status: Status.ProcessingFailure, errorComment: 'The report cannot be kept now' };
      }
    });
  };
}
