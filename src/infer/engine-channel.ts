import type { Duplex } from 'node:stream';
import { deserialize, serialize } from 'node:v8';

/** Of a message's length, a 32-bit number, big endian. */
const HEADER_BYTES = 4;
/** Far more than the answer for the longest series; what claims more is no message of ours. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

/**
 * Messages over a pipe: the length, then the value in V8's serialization format. Node's own channel throws where it
 * cannot read a message, at a place where nobody can catch it; a process that has gone mad must not end its parent.
 */
export class EngineChannel {
  readonly #stream: Duplex;
  readonly #onMessage: (message: unknown) => void;
  readonly #onBroken: (error: Error) => void;
  #chunks: Buffer[] = [];
  #bytes = 0;

  /** `onBroken` is called once: nothing is read any more after what was no message. */
  constructor(
    stream: Duplex,
    onMessage: (message: unknown) => void,
    onBroken: (error: Error) => void,
  ) {
    this.#stream = stream;
    this.#onMessage = onMessage;
    this.#onBroken = onBroken;
    stream.on('data', (chunk: Buffer) => this.#read(chunk));
    // A pipe whose other end is gone: the end of the process tells the same, and more.
    stream.on('error', () => undefined);
  }

  send(message: unknown): void {
    const body = serialize(message);
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32BE(body.length);
    this.#stream.write(Buffer.concat([header, body]));
  }

  #read(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    try {
      for (let next = this.#next(); next !== undefined; next = this.#next()) {
        this.#onMessage(deserialize(next));
      }
    } catch (error) {
      this.#stream.removeAllListeners('data').resume();
      this.#chunks = [];
      this.#onBroken(error as Error);
    }
  }

  /** The body of the next message, once it is whole. @throws RangeError */
  #next(): Buffer | undefined {
    if (this.#bytes < HEADER_BYTES) return undefined;
    const header = this.#upTo(HEADER_BYTES);
    const length = header.readUInt32BE();
    if (length > MAX_MESSAGE_BYTES) throw new RangeError(`A message claims ${length} bytes`);
    const end = HEADER_BYTES + length;
    if (this.#bytes < end) return undefined;
    const whole = this.#upTo(end);
    this.#chunks = whole.length > end ? [whole.subarray(end)] : [];
    this.#bytes -= end;
    return whole.subarray(HEADER_BYTES, end);
  }

  /** The first chunk, joined with as many others as it takes to hold `bytes`. */
  #upTo(bytes: number): Buffer {
    const [first] = this.#chunks;
    if (first !== undefined && first.length >= bytes) return first;
    const whole = Buffer.concat(this.#chunks);
    this.#chunks = [whole];
    return whole;
  }
}
