import { createConnection, isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls } from 'node:tls';
import type { SendResult } from '../domain/send-result.js';
import type { Credentials } from '../tls/credentials.js';
import { tlsProblem } from '../tls/problem.js';
import { BCP_195 } from '../tls/profile.js';
import { CANCELLED, connectionFailure, failed } from './channel.js';

/** Around each message (HL7 Minimal Lower Layer Protocol). */
const START = 0x0b;
const END = Buffer.of(0x1c, 0x0d);

/** An acknowledgment takes some hundred bytes. */
const LONGEST_ANSWER = 256 * 1024;

export interface MllpReceiver {
  readonly host: string;
  readonly port: number;
  readonly tls?: { readonly credentials: Credentials; readonly serverName: string } | undefined;
  /** Longest wait for the connection, and then for the answer, in ms. */
  readonly timeoutMs: number;
}

/**
 * Sends one message on a connection of its own. Each message that comes back goes to `judge`, until that has a result;
 * undefined leaves the decision to what comes next. Never rejects.
 */
export function sendByMllp(
  message: string,
  receiver: MllpReceiver,
  judge: (answer: string) => SendResult | undefined,
  signal: AbortSignal,
): Promise<SendResult> {
  if (signal.aborted) return Promise.resolve(CANCELLED);
  const { host, port, tls, timeoutMs } = receiver;
  return new Promise((resolve) => {
    let sent = false;
    let received: Buffer = Buffer.alloc(0);
    const socket = tls === undefined ? createConnection({ host, port }) : secured(host, port, tls);
    const settle = (result: SendResult): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', cancel);
      socket.destroy();
      resolve(result);
    };
    const fail = (code: string): void =>
      settle(connectionFailure(Object.assign(new Error('no answer'), { code }), sent));
    const expire = (): void => fail('ETIMEDOUT');
    const cancel = (): void => (sent ? fail('stopped') : settle(CANCELLED));
    let timer = setTimeout(expire, timeoutMs);
    signal.addEventListener('abort', cancel);
    socket.on(tls === undefined ? 'connect' : 'secureConnect', () => {
      clearTimeout(timer);
      timer = setTimeout(expire, timeoutMs);
      sent = true;
      socket.write(Buffer.concat([Buffer.of(START), Buffer.from(message, 'utf8'), END]));
    });
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      for (let end = received.indexOf(END); end >= 0; end = received.indexOf(END)) {
        if (received[0] !== START) break;
        const result = judge(received.toString('utf8', 1, end));
        if (result !== undefined) return settle(result);
        received = received.subarray(end + END.length);
      }
      if ((received[0] ?? START) !== START || received.length > LONGEST_ANSWER) settle(NOT_MLLP);
    });
    socket.on('error', (error) => {
      const problem = tls && tlsProblem(error);
      if (problem === undefined) settle(connectionFailure(error, sent));
      else settle(failed(sent ? 'ambiguous' : 'transient', problem.code, problem.text));
    });
    socket.on('close', () => fail('closed'));
  });
}

function secured(
  host: string,
  port: number,
  { credentials: { ca, cert, key }, serverName }: NonNullable<MllpReceiver['tls']>,
): Socket {
  return connectTls({
    host,
    port,
    ...BCP_195,
    ca,
    ...(cert && key && { cert, key }),
    // RFC 6066 3 has no room for an address.
    ...(isIP(serverName) === 0 && { servername: serverName }),
    checkServerIdentity: (_, certificate) => checkServerIdentity(serverName, certificate),
  });
}

const NOT_MLLP = failed(
  'ambiguous',
  'answer-not-mllp',
  'The answer is no message in MLLP: another service may listen at that port',
);
