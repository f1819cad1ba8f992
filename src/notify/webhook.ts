import { createHmac } from 'node:crypto';
import type { Notification } from '../domain/notification.js';
import type { ChannelTimeout, Tell } from './channel.js';
import { readChannelFiles } from './channel-files.js';
import { sendRequest } from './http-request.js';

export interface WebhookChannel extends ChannelTimeout {
  readonly type: 'webhook';
  readonly url: string;
  /** Absolute path of the file with the key of the signature. */
  readonly secretFile: string;
  /** Absolute path of a PEM file. */
  readonly authorities?: string | undefined;
  readonly patientData: boolean;
}

/**
 * Posts JSON, signed so that the receiver knows who sends it, that it is unchanged and how old it is: the header
 * `vigil-signature` is `t=<seconds since the epoch>,v1=<hex HMAC-SHA-256 of "<seconds>.<body>">`.
 */
export function webhook(channel: WebhookChannel, now: () => number = Date.now): Tell {
  return async (notification, signal) => {
    const { url, timeoutMs } = channel;
    const files = await readChannelFiles(channel.secretFile, channel.authorities);
    if ('type' in files) return files;
    const { secret = '', authorities } = files;
    const body = JSON.stringify(webhookBody(notification, channel.patientData));
    const headers = {
      'content-type': 'application/json; charset=utf-8',
      'user-agent': 'Vigil',
      'idempotency-key': notification.uid,
      'vigil-signature': signatureOf(body, secret, now()),
    };
    return sendRequest({ method: 'POST', url, headers, body, timeoutMs, authorities, signal });
  };
}

/** `at` in milliseconds since the epoch. */
export function signatureOf(body: string, secret: string, at: number): string {
  const seconds = Math.floor(at / 1000);
  const mac = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex');
  return `t=${seconds},v1=${mac}`;
}

/** Without what names the patient or the order, unless that is asked for. */
export function webhookBody({ patient, analysedAt, ...rest }: Notification, patientData: boolean) {
  return {
    event: 'study-reported',
    ...rest,
    analysedAt: new Date(analysedAt).toISOString(),
    ...(patientData && { patient }),
  };
}
