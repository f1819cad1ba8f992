import dimse, { type responses } from 'dcmjs-dimse';
import { commitmentEvent } from '../dicom/commitment-dataset.js';
import {
  STORAGE_COMMITMENT_INSTANCE,
  STORAGE_COMMITMENT_PUSH_MODEL,
} from '../dicom/sop-classes.js';
import { EXPLICIT_VR_LITTLE_ENDIAN } from '../dicom/transfer-syntaxes.js';
import type { CommitmentReport } from '../domain/commitment.js';
import { associate, type Peer } from './association.js';

/**
 * Reports a transaction to its requestor on an association that Vigil opens as SCP (PS3.4 J.3.3). Resolves to the
 * status of the response, or to the code of what kept it from coming.
 */
export async function reportCommitment(
  peer: Peer,
  report: CommitmentReport,
  signal?: AbortSignal,
): Promise<{ readonly status: number } | { readonly code: string }> {
  const { eventTypeId, information } = commitmentEvent(report);
  const request = new dimse.requests.NEventReportRequest(
    STORAGE_COMMITMENT_PUSH_MODEL,
    STORAGE_COMMITMENT_INSTANCE,
    eventTypeId,
  );
  request.setDataset(new dimse.Dataset({ ...information }, EXPLICIT_VR_LITTLE_ENDIAN));
  let status: number | undefined;
  request.on('response', (response: responses.NEventReportResponse) => {
    status = response.getStatus();
  });
  let accepted = false;
  const broken = await associate(peer, {
    requests: [request],
    roles: [{ sopClassUid: STORAGE_COMMITMENT_PUSH_MODEL, scu: false, scp: true }],
    sendable: (association) => {
      accepted = association.getAcceptedPresentationContextFromRequest(request) !== undefined;
      return accepted ? [request] : [];
    },
    signal,
  });
  if (status !== undefined) return { status };
  if (broken !== undefined) return { code: broken.code };
  return { code: accepted ? 'response-lost' : 'commitment-not-accepted' };
}
