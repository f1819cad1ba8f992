import type { FailureClass } from '../domain/failure.js';
import { handshakeProblem, tlsProblem } from '../tls/problem.js';

/** How far an association had come. */
export type Phase = 'connect' | 'handshake' | 'associate' | 'response' | 'release';

/** Why an association did not end with a release; `text` is for people and holds no patient data. */
export interface AssociationFailure {
  readonly failureClass: FailureClass;
  readonly code: string;
  readonly text: string;
}

const transient = (code: string, text: string): AssociationFailure => ({
  failureClass: 'transient',
  code,
  text,
});

export const CANCELLED = transient('cancelled', 'Vigil stopped the association');

export const UNANNOUNCED_CLOSE = transient(
  'connection-lost',
  'The peer closed the connection without a release',
);

export const CLOSED_UNHEARD = transient(
  'connection-lost',
  'The peer closed the connection without any answer: it may expect TLS on this port, or take no calls from this host',
);

export const PEER_RELEASED = transient(
  'association-released',
  'The peer released the association before it had answered',
);

const TIMEOUTS: Readonly<Record<Phase, AssociationFailure>> = {
  connect: transient('connect-timeout', 'The host does not answer'),
  handshake: transient('tls-handshake-timeout', 'The peer does not finish the TLS handshake'),
  associate: transient('associate-timeout', 'No answer to A-ASSOCIATE-RQ'),
  response: transient('response-timeout', 'No response to a request'),
  release: transient('release-timeout', 'No answer to A-RELEASE-RQ'),
};

export function timeoutFailure(phase: Phase): AssociationFailure {
  return TIMEOUTS[phase];
}

const CONNECTION_ERRORS: Readonly<Record<string, AssociationFailure>> = {
  ECONNREFUSED: transient('connection-refused', 'Nothing listens at that host and port'),
  EHOSTUNREACH: transient('host-unreachable', 'The host cannot be reached'),
  ENETUNREACH: transient('host-unreachable', 'The network of the host cannot be reached'),
  ENOTFOUND: transient('host-unknown', 'The host name is unknown'),
  EAI_AGAIN: transient('host-unknown', 'The host name cannot be looked up now'),
  ETIMEDOUT: TIMEOUTS.connect,
};

export function connectionFailure(error: Error, phase: Phase): AssociationFailure {
  const { code = 'unknown' } = error as NodeJS.ErrnoException;
  if (phase === 'handshake') return handshakeFailure(error);
  // In TLS 1.3 the peer refuses our certificate only after the handshake has ended for us.
  const problem = tlsProblem(error);
  if (problem !== undefined) return transient(problem.code, problem.text);
  return (
    CONNECTION_ERRORS[code] ??
    transient(
      phase === 'connect' ? 'connection-failed' : 'connection-lost',
      `The connection broke (${code})`,
    )
  );
}

/** `error` is the socket's, or the code of a check of the peer's certificate. */
export function handshakeFailure(error: Error | string): AssociationFailure {
  const { code, text } = handshakeProblem(error);
  return transient(code, text);
}

/** Own TLS files that cannot be used; a delivery waits until they can. */
export function credentialsFailure(error: Error): AssociationFailure {
  return transient('tls-files', error.message);
}

/** The own passcode cannot be read; a delivery waits until it can. */
export function passcodeFailure(error: Error): AssociationFailure {
  return transient('passcode-file', error.message);
}

export const USER_NOT_CONFIRMED: AssociationFailure = {
  failureClass: 'permanent',
  code: 'user-not-confirmed',
  text: 'The peer accepts the association but does not say that it has checked the user, as user.mustConfirm asks: it may not check users at all',
};

export const PLAIN_TO_TLS = transient(
  'peer-expects-tls',
  'The peer speaks TLS on this port: set tls for the destination, or give the port for plain DICOM',
);

export function protocolFailure(what: string): AssociationFailure {
  return transient('protocol-error', `The peer sent a ${what} that cannot be used`);
}

/** Reasons of the DICOM layer's own A-ABORT (PS3.8 Table 9-26). */
const ABORT_REASONS: Readonly<Record<number, string>> = {
  0: 'no reason given',
  1: 'unrecognized PDU',
  2: 'unexpected PDU',
  4: 'unrecognized PDU parameter',
  5: 'unexpected PDU parameter',
  6: 'invalid PDU parameter value',
};

const SERVICE_PROVIDER = 2;

export function abortFailure(abort: {
  readonly source: number;
  readonly reason: number;
}): AssociationFailure {
  const { source, reason } = abort;
  const by =
    source === SERVICE_PROVIDER
      ? `by its DICOM layer: ${ABORT_REASONS[reason] ?? `reason ${reason}`}`
      : 'by its user';
  return transient('association-aborted', `The peer aborted the association, ${by}`);
}

/** Result of A-ASSOCIATE-RJ (PS3.8 Table 9-21): permanent; 2 is transient. */
const REJECTED_PERMANENT = 1;

const OWN_USER_REFUSED = 'it may not know the user, or the passcode is wrong';
const USER_WANTED = 'it may ask for a user and a passcode';

/** Source and reason of A-ASSOCIATE-RJ (PS3.8 Table 9-21). */
const REJECT_REASONS: Readonly<Record<string, string>> = {
  '1/1': 'no reason given',
  '1/2': 'application context name not supported',
  '1/3': 'calling AE title not recognized',
  '1/7': 'called AE title not recognized',
  '2/1': 'no reason given by the ACSE provider',
  '2/2': 'protocol version not supported',
  '3/1': 'temporary congestion',
  '3/2': 'local limit exceeded',
};

/** How a user that is not accepted is answered (PS3.7 D.3.3.7). */
const USER_REJECTED = '2/1';

export function rejectionFailure(
  rejection: { readonly result: number; readonly source: number; readonly reason: number },
  { statedUser = false } = {},
): AssociationFailure {
  const { result, source, reason } = rejection;
  const key = `${source}/${reason}`;
  const known = REJECT_REASONS[key] ?? `source ${source}, reason ${reason}`;
  const text =
    key === USER_REJECTED ? `${known}: ${statedUser ? OWN_USER_REFUSED : USER_WANTED}` : known;
  return {
    failureClass: result === REJECTED_PERMANENT ? 'permanent' : 'transient',
    code: 'association-rejected',
    text: `The association was rejected: ${text}`,
  };
}
