import { createServer, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import { LocalServer } from '../../fixtures/local-server.js';

/** A message by its segments, each by its fields as they were sent; `MSH` has its separator as field 1. */
export class Hl7Message {
  readonly text: string;
  readonly segments: readonly (readonly string[])[];

  constructor(text: string) {
    this.text = text;
    this.segments = text
      .split('\r')
      .filter((line) => line !== '')
      .map((line) => line.split('|'))
      .map((fields) => (fields[0] === 'MSH' ? ['MSH', '|', ...fields.slice(1)] : fields));
  }

  /** The fields of the first segment with that name. */
  of(name: string): readonly string[] {
    return this.segments.find(([own]) => own === name) ?? [];
  }

  /** OBX-5, with OBX-11, by the first component of OBX-3. */
  get observations(): Record<string, { value: string; flag: string; status: string }> {
    const rows = this.segments.filter(([name]) => name === 'OBX');
    return Object.fromEntries(
      rows.map((fields) => [
        fields[3]?.split('^')[0] ?? '',
        { value: fields[5] ?? '', flag: fields[8] ?? '', status: fields[11] ?? '' },
      ]),
    );
  }
}

export const framed = (text: string): Buffer => Buffer.from(`\x0b${text}\x1c\r`, 'utf8');

/** An acknowledgment (HL7 v2.5.1 chapter 2) of a message with that control ID. */
export const acknowledgment = (code: string, id: string, text = ''): string =>
  `MSH|^~\\&|RIS|H|VIGIL||20260302||ACK^R01^ACK|A1|P|2.5.1\rMSA|${code}|${id}|${text}\r`;

export interface MllpOptions {
  /** What is done on a message; it is accepted where left out. */
  readonly answer?: (id: string, socket: Socket, message: Hl7Message) => void;
  readonly tls?: TlsOptions;
  readonly port?: number;
}

/** A receiver of HL7 v2 messages by MLLP. */
export class MllpServer implements AsyncDisposable {
  readonly messages: Hl7Message[] = [];
  readonly #server: LocalServer;

  private constructor({ tls, answer = accept }: MllpOptions) {
    const talk = (socket: Socket) => this.#talk(socket, answer);
    this.#server = new LocalServer(
      tls === undefined ? createServer(talk) : createTlsServer(tls, talk),
    );
  }

  static async start(options: MllpOptions = {}): Promise<MllpServer> {
    const server = new MllpServer(options);
    await server.#server.listen(options.port);
    return server;
  }

  get port(): number {
    return this.#server.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }

  #talk(socket: Socket, answer: NonNullable<MllpOptions['answer']>): void {
    let received = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      received = Buffer.concat([received, chunk]);
      const end = received.indexOf('\x1c\r', 0, 'latin1');
      if (end < 0) return;
      if (received[0] !== 0x0b) throw new Error('The message does not begin as MLLP has it');
      const message = new Hl7Message(received.toString('utf8', 1, end));
      received = received.subarray(end + 2);
      this.messages.push(message);
      answer(message.of('MSH')[10] ?? '', socket, message);
    });
  }
}

const accept: NonNullable<MllpOptions['answer']> = (id, socket) => {
  socket.write(framed(acknowledgment('AA', id)));
};
