import dimse, { type responses } from 'dcmjs-dimse';
import { Status } from '../dicom/status.js';
import { StageError } from '../domain/failure.js';
import { associate, type Peer } from './association.js';

export interface EchoResult {
  /** Until the connection was there, with TLS the handshake too, in ms. */
  readonly connectMs: number;
  /** From there to A-ASSOCIATE-AC, in ms. */
  readonly associateMs: number;
  /** From the request to its response, in ms. */
  readonly roundTripMs: number;
  /** From the connection's begin to its release, in ms. */
  readonly totalMs: number;
}

/**
 * Verifies by C-ECHO (PS3.4 A) that the peer is there and takes us.
 *
 * @throws StageError with the association's failure, `verification-not-accepted` or `echo-failed`.
 */
export async function echo(peer: Peer, signal?: AbortSignal): Promise<EchoResult> {
  const request = new dimse.requests.CEchoRequest();
  const begin = performance.now();
  let sentAt = begin;
  let connectedAt = begin;
  let answer: { status: number; at: number } | undefined;
  request.on('response', (response: responses.CEchoResponse) => {
    answer = { status: response.getStatus(), at: performance.now() };
  });
  let accepted = false;
  const broken = await associate(peer, {
    requests: [request],
    sendable: (association) => {
      accepted = association.getAcceptedPresentationContextFromRequest(request) !== undefined;
      sentAt = performance.now();
      return accepted ? [request] : [];
    },
    onPhase: (phase) => {
      if (phase === 'associate') connectedAt = performance.now();
    },
    signal,
  });
  const received = answer as { status: number; at: number } | undefined;
  if (received?.status === Status.Success) {
    return {
      connectMs: connectedAt - begin,
      associateMs: sentAt - connectedAt,
      roundTripMs: received.at - sentAt,
      totalMs: performance.now() - begin,
    };
  }
  if (broken !== undefined) throw new StageError(broken.code, broken.failureClass, broken.text);
  if (!accepted) {
    throw new StageError(
      'verification-not-accepted',
      'permanent',
      'The peer accepts the association but no C-ECHO',
    );
  }
  const status = received?.status.toString(16).padStart(4, '0').toUpperCase();
  throw new StageError(
    'echo-failed',
    'transient',
    status === undefined ? 'The peer gave no response' : `The peer answered 0x${status}`,
  );
}
