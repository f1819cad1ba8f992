import { createServer, type Socket } from 'node:net';
import { readAssociateRequest } from '../../../src/receive/associate-request.js';
import { CommandElement, readCommand } from '../../../src/receive/dimse.js';
import { ContextResult, PduType } from '../../../src/receive/pdu.js';
import { PduParser } from '../../../src/receive/pdu-parser.js';
import { associateAcPdu, releaseRpPdu } from '../../../src/receive/pdu-writer.js';
import { LocalServer } from '../../fixtures/local-server.js';
import { commandPdu } from '../receive/raw-scu.js';

/** A C-STORE request as the raw PACS saw it. */
export interface SeenRequest {
  readonly contextId: number;
  readonly messageId: number;
  readonly sopInstanceUid: string;
}

/** What the raw PACS sends where a good one would answer; nothing where it is left out of the answers. */
export interface RawAnswers {
  /** Given the A-ASSOCIATE-AC that a good one would send. */
  readonly associate?: (socket: Socket, accept: Buffer) => void;
  readonly store?: (socket: Socket, request: SeenRequest) => void;
  readonly release?: (socket: Socket, response: Buffer) => void;
}

/** The answers of a good PACS. */
export const GOOD: Required<RawAnswers> = {
  associate: (socket, accept) => socket.write(accept),
  store: (socket, request) => socket.write(storeResponse(request)),
  release: (socket, response) => socket.write(response),
};

/** A PACS that reads as it should and answers with whatever bytes a test wants. */
export class RawPacs implements AsyncDisposable {
  /** Those that came whole, in the order in which they came. */
  readonly requests: SeenRequest[] = [];
  readonly #server: LocalServer;

  private constructor(answers: RawAnswers) {
    this.#server = new LocalServer(createServer((socket) => this.#serve(socket, answers)));
  }

  static async start(answers: RawAnswers): Promise<RawPacs> {
    const pacs = new RawPacs(answers);
    await pacs.#server.listen();
    return pacs;
  }

  get port(): number {
    return this.#server.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }

  #serve(socket: Socket, answers: RawAnswers): void {
    let seen: SeenRequest | undefined;
    const parser = new PduParser(
      { maximumLength: 2 ** 24, maximumAssociateLength: 2 ** 18 },
      {
        dataStarted: () => {},
        pdu: (type, body) => {
          if (type === PduType.AssociateRq) answers.associate?.(socket, acceptAll(body));
          else if (type === PduType.ReleaseRq) answers.release?.(socket, releaseRpPdu());
        },
        data: (contextId, isCommand, isLast, bytes) => {
          if (isCommand) seen = seenRequest(contextId, bytes);
          else if (isLast && seen !== undefined) {
            this.requests.push(seen);
            answers.store?.(socket, seen);
          }
        },
      },
    );
    socket.on('data', (chunk) => parser.push(chunk));
  }
}

/** A C-STORE response of Success (PS3.7 9.3.1.2) with some elements changed. */
export function storeResponse(
  request: SeenRequest,
  change: {
    messageId?: number;
    sopInstanceUid?: string;
    commandField?: number;
    status?: number | 'none';
  } = {},
): Buffer {
  const { messageId, sopInstanceUid, commandField = 0x8001, status = 0 } = change;
  return commandPdu(request.contextId, [
    [0x00000100, 'US', commandField],
    [0x00000120, 'US', messageId ?? request.messageId],
    [0x00000800, 'US', 0x0101],
    ...(status === 'none' ? [] : [[0x00000900, 'US', status] as const]),
    [0x00001000, 'UI', sopInstanceUid ?? request.sopInstanceUid],
  ]);
}

function seenRequest(contextId: number, command: Buffer): SeenRequest {
  const request = readCommand(command);
  return {
    contextId,
    messageId: request.required(CommandElement.MessageId),
    sopInstanceUid: request.uid(CommandElement.AffectedSopInstanceUid),
  };
}

function acceptAll(body: Buffer): Buffer {
  const { calledAeTitle, callingAeTitle, contexts } = readAssociateRequest(body);
  return associateAcPdu({
    calledAeTitle,
    callingAeTitle,
    contexts: contexts.map(({ id, abstractSyntax, transferSyntaxes }) => ({
      id,
      result: ContextResult.Acceptance,
      abstractSyntax,
      transferSyntax: transferSyntaxes[0] ?? '',
    })),
    maximumLength: 16_384,
    implementationClassUid: '1.2.3',
    implementationVersionName: 'RAW',
    roles: [],
    answersAsynchronousOperations: false,
    answersUserIdentity: false,
  });
}
