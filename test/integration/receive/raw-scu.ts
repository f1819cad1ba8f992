import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type Command, CommandElement, readCommand } from '../../../src/receive/dimse.js';
import { dataset, type TestElement } from '../../unit/dicom-header/dataset-bytes.js';
import { associateRqBody, pdu, pdv, type RequestParts } from '../../unit/receive/pdu-bytes.js';

export const CT = '1.2.840.10008.5.1.4.1.1.2';
export const EXPLICIT = '1.2.840.10008.1.2.1';
export const CT_CONTEXT = { id: 1, abstractSyntax: CT, transferSyntaxes: [EXPLICIT] };

export interface Pdu {
  readonly type: number;
  readonly body: Buffer;
}

/** A requestor that sends whatever bytes a test wants, and reads whole PDUs. */
export class RawScu implements AsyncDisposable {
  readonly socket: Socket;
  #unread: Buffer = Buffer.alloc(0);
  #isClosed = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay(true);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      this.#unread = Buffer.concat([this.#unread, chunk]);
      this.#wake();
    });
    socket.on('close', () => {
      this.#isClosed = true;
      this.#wake();
    });
  }

  /** `from` is the address to call from: on Linux any of 127.0.0.0/8 is this machine's. */
  static async connect(port: number, from?: string): Promise<RawScu> {
    const localAddress = from === undefined ? {} : { localAddress: from };
    const socket = connect({ port, host: '127.0.0.1', ...localAddress });
    await once(socket, 'connect');
    return new RawScu(socket);
  }

  static async associated(port: number, parts: RequestParts = {}): Promise<RawScu> {
    const scu = await RawScu.connect(port);
    const answer = await scu.associate(parts);
    if (answer?.type !== 2) throw new Error(`not accepted: PDU ${answer?.type}`);
    return scu;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await this.closed();
  }

  send(...bytes: readonly Buffer[]): void {
    this.socket.write(Buffer.concat(bytes));
  }

  /** The next PDU, or undefined where the connection closed before one. */
  async next(): Promise<Pdu | undefined> {
    for (;;) {
      const length = this.#unread.length >= 6 ? 6 + this.#unread.readUInt32BE(2) : Infinity;
      if (this.#unread.length >= length) {
        const type = this.#unread.readUInt8(0);
        const body = this.#unread.subarray(6, length);
        this.#unread = this.#unread.subarray(length);
        return { type, body };
      }
      if (this.#isClosed) return undefined;
      await this.#change();
    }
  }

  async closed(): Promise<void> {
    while (!this.#isClosed) await this.#change();
  }

  associate(parts: RequestParts = {}): Promise<Pdu | undefined> {
    this.send(pdu(1, associateRqBody({ contexts: [CT_CONTEXT], ...parts })));
    return this.next();
  }

  /** Sends a C-STORE request with its dataset in PDUs of one value each. */
  store(sopInstanceUid: string, bytes: Buffer, fragment = 16_000): void {
    this.send(storeCommand({ sopInstanceUid }));
    for (let start = 0; start < bytes.length; start += fragment) {
      const last = start + fragment >= bytes.length;
      const value = bytes.subarray(start, start + fragment);
      this.send(pdu(4, pdv(1, { command: false, last }, value)));
    }
  }

  /** The next PDU as a response command. */
  async response(): Promise<{ status: number | undefined; comment: string; command: Command }> {
    const answer = await this.next();
    if (answer?.type !== 4) throw new Error(`no response but PDU ${answer?.type}`);
    const command = readCommand(answer.body.subarray(6));
    return {
      status: command.number(CommandElement.Status),
      comment: command.uid(CommandElement.ErrorComment),
      command,
    };
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

/** A command set in one PDU. */
export function commandPdu(contextId: number, elements: readonly TestElement[]): Buffer {
  const command = dataset(elements, { explicitVr: false });
  return pdu(4, pdv(contextId, { command: true, last: true }, command));
}

export function storeCommand(options: {
  sopInstanceUid: string;
  sopClassUid?: string;
  messageId?: number;
  dataSetType?: number;
}): Buffer {
  return commandPdu(1, [
    [0x00000002, 'UI', options.sopClassUid ?? CT],
    [0x00000100, 'US', 0x0001],
    [0x00000110, 'US', options.messageId ?? 1],
    [0x00000700, 'US', 0],
    [0x00000800, 'US', options.dataSetType ?? 0],
    [0x00001000, 'UI', options.sopInstanceUid],
  ]);
}

export const releaseRq = pdu(5, Buffer.alloc(4));
