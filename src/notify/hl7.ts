import type { SendResult } from '../domain/send-result.js';
import { type Credentials, readCredentials, type TlsFiles } from '../tls/credentials.js';
import { type ChannelTimeout, failed, type Tell } from './channel.js';
import { sendByMllp } from './mllp.js';
import { controlId, type MessageOptions, observationResult } from './observation-result.js';

export interface Hl7Channel extends ChannelTimeout, MessageOptions {
  readonly type: 'hl7';
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly files: TlsFiles; readonly serverName: string };
}

/** Tells a receiver of HL7 v2 messages, such as a RIS or an interface engine, by MLLP. */
export function hl7(channel: Hl7Channel): Tell {
  return async (notification, signal) => {
    const { host, port, tls, timeoutMs } = channel;
    let credentials: Credentials | undefined;
    try {
      credentials = tls && (await readCredentials(tls.files, Date.now()));
    } catch (error) {
      return failed('transient', 'tls-files-unusable', (error as Error).message);
    }
    const receiver = {
      host,
      port,
      timeoutMs,
      ...(tls && credentials && { tls: { credentials, serverName: tls.serverName } }),
    };
    const id = controlId(notification);
    const message = observationResult(notification, channel);
    return sendByMllp(message, receiver, (answer) => resultOf(answer, id), signal);
  };
}

/**
 * What an acknowledgment says of the message with that control ID (HL7 v2.5.1 chapter 2, table 0008). Nothing
 * where it answers another message.
 */
function resultOf(answer: string, id: string): SendResult | undefined {
  const segments = answer.split(/[\r\n]+/);
  const separator = segments[0]?.startsWith('MSH') ? segments[0].charAt(3) : '';
  const found =
    separator === '' ? undefined : segments.find((one) => one.startsWith(`MSA${separator}`));
  if (found === undefined) {
    return failed('ambiguous', 'answer-no-ack', 'The answer is no acknowledgment in HL7 v2');
  }
  const [, code = '', acknowledged = '', comment] = found.split(separator).map((one) => one.trim());
  if (acknowledged !== id) return undefined;
  switch (code) {
    case 'AA':
    case 'CA':
      return { type: 'stored', comment: code };
    case 'AE':
    case 'CE':
      return failed(
        'transient',
        `hl7-${code.toLowerCase()}`,
        'The receiver could not process it',
        comment,
      );
    case 'AR':
    case 'CR':
      return failed(
        'permanent',
        `hl7-${code.toLowerCase()}`,
        'The receiver rejects the message',
        comment,
      );
    default:
      return failed('ambiguous', 'answer-no-ack', 'The acknowledgment has no known code');
  }
}
