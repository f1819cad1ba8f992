import type { FailureClass } from '../domain/failure.js';
import type { Notification } from '../domain/notification.js';
import type { SendResult } from '../domain/send-result.js';

/** Tells one receiver of a finding. Never rejects. */
export type Tell = (notification: Notification, signal: AbortSignal) => Promise<SendResult>;

/** How long a receiver may take for an answer, in ms from the last byte that moved. */
export interface ChannelTimeout {
  readonly timeoutMs: number;
}

export const failed = (
  failureClass: FailureClass,
  code: string,
  text: string,
  comment?: string,
): Extract<SendResult, { type: 'failed' }> => ({
  type: 'failed',
  failureClass,
  code,
  text,
  ...(comment !== undefined && { comment }),
});

/** What the system says of a connection that did not come about. */
const CONNECTION_ERRORS: Readonly<Record<string, readonly [code: string, text: string]>> = {
  ECONNREFUSED: ['connection-refused', 'Nothing listens at that host and port'],
  EHOSTUNREACH: ['host-unreachable', 'The host cannot be reached'],
  ENETUNREACH: ['host-unreachable', 'The network of the host cannot be reached'],
  ENOTFOUND: ['host-unknown', 'The host name is unknown'],
  EAI_AGAIN: ['host-unknown', 'The host name cannot be looked up now'],
  ETIMEDOUT: ['connect-timeout', 'The host does not answer'],
};

/**
 * A connection that failed. Where the receiver may have the notification by then (`sent`), only its answer is lost: it is
 * told again, with the same identifier.
 */
export function connectionFailure(error: Error, sent: boolean): SendResult {
  const { code = error.name } = error as NodeJS.ErrnoException;
  if (sent) {
    return failed('ambiguous', 'answer-lost', `The connection broke before the answer (${code})`);
  }
  const [known, text] = CONNECTION_ERRORS[code] ?? [
    'connection-failed',
    `No connection could be made (${code})`,
  ];
  return failed('transient', known, text);
}

export const CANCELLED = failed('transient', 'cancelled', 'Vigil stopped the attempt');
