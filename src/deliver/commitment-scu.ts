import dimse, { type requests, type responses } from 'dcmjs-dimse';
import { commitmentAction, readCommitmentEvent } from '../dicom/commitment-dataset.js';
import { DatasetStructureError } from '../dicom/element-reader.js';
import {
  STORAGE_COMMITMENT_INSTANCE,
  STORAGE_COMMITMENT_PUSH_MODEL,
} from '../dicom/sop-classes.js';
import { decodeDataset } from '../dicom/source-dataset.js';
import { Status } from '../dicom/status.js';
import { EXPLICIT_VR_LITTLE_ENDIAN } from '../dicom/transfer-syntaxes.js';
import type { CommitmentReport, InstanceReference } from '../domain/commitment.js';
import { associate, DEFAULT_TIMEOUTS, type Peer } from './association.js';
import type { ProofFailure, ProofResult } from './proof.js';

/** Request Storage Commitment (PS3.4 Table J.3-1). */
const REQUEST_STORAGE_COMMITMENT = 1;

/** Who reports on the association of the request does so soon, and nothing else is asked meanwhile. */
const LONGEST_HOLD_MS = 5000;

/**
 * Asks a peer by N-ACTION to commit to instances (PS3.4 J.3.2), and holds the association open for a while, because some
 * report on it. `onReport` is given each report and says whether it is of a known request;
 * `reported` ends the waiting. Resolves to undefined where the peer took the request, else to why not; never rejects.
 */
export async function requestCommitment(
  peer: Peer,
  asked: { readonly transactionUid: string; readonly instances: readonly InstanceReference[] },
  options: {
    readonly onReport: (report: CommitmentReport) => boolean;
    readonly reported: AbortSignal;
    readonly signal?: AbortSignal;
  },
): Promise<ProofFailure | undefined> {
  const { onReport, reported, signal } = options;
  const request = new dimse.requests.NActionRequest(
    STORAGE_COMMITMENT_PUSH_MODEL,
    STORAGE_COMMITMENT_INSTANCE,
    REQUEST_STORAGE_COMMITMENT,
  );
  const information = commitmentAction(asked.transactionUid, asked.instances);
  request.setDataset(new dimse.Dataset({ ...information }, EXPLICIT_VR_LITTLE_ENDIAN));
  let status: number | undefined;
  request.on('response', (response: responses.NActionResponse) => {
    status = response.getStatus();
  });
  let answered = false;
  let accepted = false;
  const { responseMs } = peer.timeouts ?? DEFAULT_TIMEOUTS;
  const holdMs = Math.min(responseMs, LONGEST_HOLD_MS);
  const broken = await associate(peer, {
    requests: [request],
    sendable: (association) => {
      answered = true;
      accepted = association.getAcceptedPresentationContextFromRequest(request) !== undefined;
      return accepted ? [request] : [];
    },
    hold: async () => {
      if (status !== Status.Success) return;
      await abortedWithin(holdMs, reported);
    },
    eventReport: (event) => answerTo(event, onReport),
    signal,
  });
  if (status === Status.Success) return undefined;
  if (status !== undefined) return refusal(status);
  if (answered && !accepted) return NOT_ACCEPTED;
  const { failureClass, code, text } = broken ?? NO_RESPONSE;
  return { type: 'failed', failureClass, code, text, untried: !answered };
}

/** The status of the response to a report. */
function answerTo(
  event: requests.NEventReportRequest,
  onReport: (report: CommitmentReport) => boolean,
): number {
  const dataset = event.getDataset();
  if (dataset === undefined) return Status.InvalidArgumentValue;
  try {
    const information = decodeDataset(
      dataset.getDenaturalizedDataset(),
      dataset.getTransferSyntaxUid(),
    );
    return onReport(readCommitmentEvent(information))
      ? Status.Success
      : Status.InvalidArgumentValue;
  } catch (error) {
    // A catalog that takes no rows now: the peer may report again.
    return error instanceof DatasetStructureError
      ? Status.InvalidArgumentValue
      : Status.ProcessingFailure;
  }
}

/** What a reported Failure Reason (PS3.3 C.14.1.1) says of the instance; none means that it is safe. */
export function proofOf(failureReason: number | undefined): ProofResult {
  if (failureReason === undefined) return { type: 'found' };
  const lasting = LASTING_REASONS.has(failureReason);
  return { type: 'not-found', code: `not-committed-${hex(failureReason)}`, lasting };
}

const LASTING_REASONS = new Set<number>([
  Status.SopClassNotSupported,
  Status.ClassInstanceConflict,
]);

const NOT_ACCEPTED: ProofFailure = {
  type: 'failed',
  failureClass: 'permanent',
  code: 'commitment-not-accepted',
  text: 'The peer accepts no Storage Commitment Push Model',
};

const NO_RESPONSE = {
  failureClass: 'transient',
  code: 'response-lost',
  text: 'The peer released the association without a response',
} as const;

/** Statuses of an N-ACTION that a repeat cannot help (PS3.7 10.1.4.1.10). */
const LASTING: Readonly<Record<number, string>> = {
  [Status.NoSuchObjectInstance]: 'commitment-not-accepted',
  280: 'commitment-not-accepted',
  [Status.SopClassNotSupported]: 'commitment-not-accepted',
  [Status.NoSuchActionType]: 'commitment-not-accepted',
  292: 'not-authorized',
  [Status.UnrecognizedOperation]: 'commitment-not-accepted',
};

function refusal(status: number): ProofFailure {
  const code = LASTING[status];
  return {
    type: 'failed',
    failureClass: code === undefined ? 'transient' : 'permanent',
    code: code ?? 'commitment-refused',
    text: `The peer answered N-ACTION with 0x${hex(status)}`,
    status,
  };
}

function hex(status: number): string {
  return status.toString(16).padStart(4, '0').toUpperCase();
}

/** With a timer of its own: a signal that AbortSignal.any() makes can be collected before it fires. */
function abortedWithin(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(end, ms);
    if (signal.aborted) end();
    else signal.addEventListener('abort', end, { once: true });
  });
}
