import type { requests, responses } from 'dcmjs-dimse';
import { withoutPadding } from '../dicom/padding.js';

type Request = requests.Request;

/**
 * Has only responses to the request itself reach its listeners, one of them final. The library goes by the message ID
 * alone, and sends the next request after any response, whether or not it was the one that was waited for.
 */
export function judgeResponses(
  request: Request,
  on: { isOver: () => boolean; onResponse: () => void; onWrong: () => void },
): void {
  const raiseResponse = request.raiseResponseEvent.bind(request);
  const raiseDone = request.raiseDoneEvent.bind(request);
  let isAnswered = false;
  request.raiseResponseEvent = (response) => {
    on.onResponse();
    if (on.isOver()) return;
    if (isAnswered || !answers(request, response)) return on.onWrong();
    isAnswered = !PENDING.includes(response.getStatus());
    raiseResponse(response);
  };
  request.raiseDoneEvent = () => {
    if (!on.isOver()) raiseDone();
  };
}

/** Whether a response with the request's message ID fits it (PS3.7 9.3): its service, its instance, and a status. */
function answers(request: Request, response: responses.Response): boolean {
  const instance = textOf(response.getAffectedSopInstanceUid());
  const ours = [request.getAffectedSopInstanceUid(), request.getRequestedSopInstanceUid()];
  return (
    response.getCommandFieldType() === (request.getCommandFieldType() | RESPONSE) &&
    Number.isInteger(response.getStatus()) &&
    (instance === '' || ours.map(textOf).includes(instance))
  );
}

/** The typings promise a string; the element may be missing. */
function textOf(uid: string | undefined): string {
  return withoutPadding(uid ?? '');
}

/** In a response's command field (PS3.7 E.1). */
const RESPONSE = 0x8000;

/** More responses follow (PS3.7 Annex C.1). */
const PENDING: readonly number[] = [0xff00, 0xff01];
