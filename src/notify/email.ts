import { getSystemErrorName } from 'node:util';
import { createTransport } from 'nodemailer';
import type { Notification } from '../domain/notification.js';
import type { SendResult } from '../domain/send-result.js';
import { BCP_195 } from '../tls/profile.js';
import { CANCELLED, type ChannelTimeout, connectionFailure, failed, type Tell } from './channel.js';
import { readChannelFiles } from './channel-files.js';

export interface EmailChannel extends ChannelTimeout {
  readonly type: 'email';
  readonly host: string;
  readonly port: number;
  /** TLS from the first byte, TLS that the server must offer after a greeting, or none. */
  readonly security: 'tls' | 'starttls' | 'none';
  readonly from: string;
  readonly to: readonly string[];
  readonly user?: string | undefined;
  /** Absolute path. */
  readonly passwordFile?: string | undefined;
  /** Absolute path of a PEM file. */
  readonly authorities?: string | undefined;
  readonly patientData: boolean;
  /** Where people open the console, without a slash at its end. */
  readonly consoleUrl?: string | undefined;
}

/** Hands an e-mail to a mail server (RFC 5321). A repeat has the same Message-ID, by which mail systems know it. */
export function email(channel: EmailChannel): Tell {
  return async (notification, signal) => {
    const { host, port, security, from, to, user, timeoutMs } = channel;
    const files = await readChannelFiles(channel.passwordFile, channel.authorities);
    if ('type' in files) return files;
    const { secret: password, authorities: ca } = files;
    const transport = createTransport({
      host,
      port,
      secure: security === 'tls',
      requireTLS: security === 'starttls',
      ignoreTLS: security === 'none',
      ...(user !== undefined && { auth: { user, pass: password ?? '' } }),
      connectionTimeout: timeoutMs,
      greetingTimeout: timeoutMs,
      socketTimeout: timeoutMs,
      disableFileAccess: true,
      disableUrlAccess: true,
      tls: { ...BCP_195, ...(ca && { ca }) },
    });
    const stop = () => transport.close();
    signal.addEventListener('abort', stop, { once: true });
    try {
      const { rejected, response } = await transport.sendMail({
        from,
        to: [...to],
        subject: subjectOf(notification, channel),
        text: textOf(notification, channel),
        messageId: `<${notification.uid}@vigil>`,
        date: new Date(notification.analysedAt),
        priority: notification.urgency === 'immediate' ? 'high' : 'normal',
        headers: { 'auto-submitted': 'auto-generated' },
      });
      if (rejected.length === 0) return { type: 'stored', comment: response };
      const text = `The server took it for ${to.length - rejected.length} of ${to.length} recipients`;
      return failed('permanent', 'recipients-refused', text);
    } catch (error) {
      return signal.aborted ? CANCELLED : failureOf(error as SmtpError);
    } finally {
      signal.removeEventListener('abort', stop);
      transport.close();
    }
  };
}

interface SmtpError extends Error {
  readonly code?: string;
  /** The system's own number of the error, whose code the library replaces. */
  readonly errno?: number;
  /** The command that the server answered. */
  readonly command?: string;
  /** Of the server (RFC 5321 4.2). */
  readonly responseCode?: number;
}

function failureOf(error: SmtpError): SendResult {
  const { code, command, responseCode } = error;
  if (responseCode !== undefined) {
    const text = `The mail server answered ${responseCode} to ${command ?? 'a command'}`;
    // Of RFC 5321 4.2.1: 4yz may succeed later, 5yz never does.
    const failureClass = responseCode >= 500 ? 'permanent' : 'transient';
    return failed(failureClass, `smtp-${responseCode}`, text);
  }
  if (code === 'ETLS') {
    return failed('transient', 'tls-refused', 'The mail server does not speak TLS as it must');
  }
  const own = error.errno !== undefined && error.errno < 0 ? getSystemErrorName(error.errno) : code;
  return connectionFailure(
    Object.assign(new Error(error.message), { code: own }),
    command === 'DATA',
  );
}

function subjectOf({ headline, patient, revision }: Notification, { patientData }: EmailChannel) {
  const { patientName, patientId } = patient;
  const who = [patientName?.replaceAll('^', ' ').trim(), patientId].filter(Boolean).join(', ');
  const corrected = revision > 1 ? ` (revision ${revision})` : '';
  return `${headline}${corrected}${patientData && who !== '' ? `: ${who}` : ''}`;
}

function textOf(notification: Notification, { patientData, consoleUrl }: EmailChannel): string {
  const { impression, studyInstanceUid, patient, model, analysedAt } = notification;
  const lines = patientData
    ? Object.entries(patient).map(([key, value]) => `${key}: ${value}`)
    : [];
  return [
    impression,
    '',
    ...lines,
    `Study: ${studyInstanceUid}`,
    `Analysed: ${new Date(analysedAt).toISOString()} by ${model.name} ${model.version}`,
    ...(consoleUrl === undefined ? [] : [`${consoleUrl}/#/studies/${studyInstanceUid}`]),
    '',
  ].join('\n');
}
