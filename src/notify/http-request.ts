import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { SendResult } from '../domain/send-result.js';
import { BCP_195 } from '../tls/profile.js';
import { CANCELLED, connectionFailure, failed } from './channel.js';

export interface OutgoingRequest {
  readonly method: 'POST' | 'PUT';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly timeoutMs: number;
  /** PEM; those that Node trusts where absent. */
  readonly authorities?: Buffer | undefined;
  readonly signal: AbortSignal;
}

/** What a receiver answers is of no use beyond its status; so much is read to keep the connection orderly. Bytes. */
const MOST_ANSWER = 64 * 1024;

/** Sends a body once; redirections are not followed, since they could lead anywhere. Never rejects. */
export function sendRequest(options: OutgoingRequest): Promise<SendResult> {
  const { method, url, headers, body, timeoutMs, authorities, signal } = options;
  const isTls = url.startsWith('https:');
  return new Promise((resolve) => {
    let sent = false;
    const request = (isTls ? requestHttps : requestHttp)(url, {
      method,
      headers: { ...headers, 'content-length': Buffer.byteLength(body), connection: 'close' },
      agent: false,
      signal,
      ...(isTls && { ...BCP_195, ...(authorities && { ca: authorities }) }),
    });
    request.setTimeout(timeoutMs, () => {
      const error = Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' });
      request.destroy(error);
    });
    request.on('finish', () => {
      sent = true;
    });
    request.on('error', (error) => {
      resolve(signal.aborted && !sent ? CANCELLED : connectionFailure(error, sent));
    });
    request.on('response', (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > MOST_ANSWER) response.destroy();
      });
      // The status is the answer, whatever becomes of the rest.
      response.on('error', () => {});
      resolve(resultOf(response.statusCode ?? 0));
    });
    request.end(body);
  });
}

/** Answers after which the same request may do (RFC 9110 15.5, RFC 6585 4, RFC 8470 5.2). */
const LATER = new Set([408, 423, 425, 429]);

function resultOf(status: number): SendResult {
  if (status >= 200 && status < 300) return { type: 'stored', comment: `HTTP ${status}` };
  const text = `The receiver answered HTTP ${status}`;
  const isTransient = status >= 500 || LATER.has(status);
  return failed(isTransient ? 'transient' : 'permanent', `http-${status}`, text);
}
