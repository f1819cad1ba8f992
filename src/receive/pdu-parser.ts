import { ByteCollector } from './byte-collector.js';
import { AbortReason, PduError, PduType, TLS_HANDSHAKE, TlsInsteadError } from './pdu.js';

/** What the parser finds, in the order of the bytes. Views are valid for as long as they are held. */
export interface PduHandler {
  /** The header of a P-DATA-TF PDU, whose values follow by `data`. */
  dataStarted(): void;
  /** A whole PDU other than P-DATA-TF; `body` is what follows the length field. */
  pdu(type: number, body: Buffer): void;
  /**
   * A part of a presentation data value, as it came; `isLast` marks the end of the last fragment of a command or
   * dataset (PS3.8 Annex E).
   */
  data(contextId: number, isCommand: boolean, isLast: boolean, bytes: Buffer): void;
}

export interface PduLimits {
  /** Of a P-DATA-TF PDU, without its header of 6 bytes (PS3.8 D.1). */
  readonly maximumLength: number;
  /** Of an A-ASSOCIATE-RQ, which is kept whole. */
  readonly maximumAssociateLength: number;
}

const PDU_HEADER = 6;
const PDV_HEADER = 6;
/** Bodies of A-RELEASE-RQ, A-RELEASE-RP, A-ASSOCIATE-RJ and A-ABORT (PS3.8 9.3.4, 9.3.6 to 9.3.8). */
const SHORT_BODY = 4;
const SHORT_TYPES: readonly number[] = [
  PduType.AssociateRj,
  PduType.ReleaseRq,
  PduType.ReleaseRp,
  PduType.Abort,
];

/**
 * Cuts a stream of bytes into PDUs (PS3.8 9.3), however it is fragmented. Lengths are checked against the limits as
 * soon as they are known, nothing is allocated for them, and presentation data values are handed on without a copy.
 */
export class PduParser {
  readonly #limits: PduLimits;
  readonly #handler: PduHandler;
  /** The beginning of a header or body that is not whole yet. */
  readonly #partial = new ByteCollector();
  #state: 'pdu-header' | 'body' | 'pdv-header' | 'pdv' = 'pdu-header';
  #needed = PDU_HEADER;
  #type = 0;
  #pduLeft = 0;
  #contextId = 0;
  #control = 0;
  #rest: Buffer | undefined;
  #held = false;

  constructor(limits: PduLimits, handler: PduHandler) {
    this.#limits = limits;
    this.#handler = handler;
  }

  get held(): boolean {
    return this.#held;
  }

  /** Whether a PDU has begun that is not whole, or is whole and not handed on. */
  get isWithinPdu(): boolean {
    const { length } = this.#partial;
    return this.#state !== 'pdu-header' || length > 0 || this.#rest !== undefined;
  }

  /** Stops after the current part, within a chunk too; what is pushed then is kept. */
  hold(): void {
    this.#held = true;
  }

  /** Goes on with what was kept. @throws PduError, and what the handler throws */
  resume(): void {
    this.#held = false;
    const rest = this.#rest;
    this.#rest = undefined;
    if (rest) this.push(rest);
  }

  /** @throws PduError, and what the handler throws; the parser is of no use after that */
  push(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#held) {
        const rest = chunk.subarray(offset);
        this.#rest = this.#rest ? Buffer.concat([this.#rest, rest]) : rest;
        return;
      }
      offset = this.#state === 'pdv' ? this.#value(chunk, offset) : this.#collect(chunk, offset);
    }
  }

  /** Takes from the chunk until a header or body is whole. */
  #collect(chunk: Buffer, offset: number): number {
    const end = Math.min(chunk.length, offset + this.#needed - this.#partial.length);
    const part = chunk.subarray(offset, end);
    const isWhole = this.#partial.length + part.length === this.#needed;
    if (!isWhole || this.#partial.length > 0) this.#partial.push(part);
    if (!isWhole) return end;
    const whole = this.#partial.length > 0 ? this.#partial.take() : part;
    if (this.#state === 'pdu-header') this.#pduHeader(whole);
    else if (this.#state === 'body') this.#body(whole);
    else this.#pdvHeader(whole);
    return end;
  }

  #pduHeader(header: Buffer): void {
    const type = header.readUInt8(0);
    const length = header.readUInt32BE(2);
    if (type === TLS_HANDSHAKE.type && header[1] === TLS_HANDSHAKE.version) {
      throw new TlsInsteadError();
    }
    if (type < PduType.AssociateRq || type > PduType.Abort) {
      throw new PduError(AbortReason.UnrecognizedPdu, 'The PDU type is unknown');
    }
    const longest =
      type === PduType.PDataTf
        ? this.#limits.maximumLength
        : SHORT_TYPES.includes(type)
          ? SHORT_BODY
          : this.#limits.maximumAssociateLength;
    const shortest = type === PduType.PDataTf ? PDV_HEADER : SHORT_BODY;
    if (length > longest || length < shortest) throw invalid(`the length ${length} is not allowed`);
    this.#type = type;
    if (type === PduType.PDataTf) {
      this.#pduLeft = length;
      this.#expect('pdv-header', PDV_HEADER);
      this.#handler.dataStarted();
    } else {
      this.#expect('body', length);
    }
  }

  #body(body: Buffer): void {
    this.#expect('pdu-header', PDU_HEADER);
    this.#handler.pdu(this.#type, body);
  }

  #pdvHeader(header: Buffer): void {
    const length = header.readUInt32BE(0);
    this.#contextId = header.readUInt8(4);
    this.#control = header.readUInt8(5);
    if (length < 2 || length + 4 > this.#pduLeft) {
      throw invalid('a presentation data value does not fit its PDU');
    }
    this.#pduLeft -= length + 4;
    this.#expect('pdv', length - 2);
    if (length === 2) this.#emit(EMPTY);
  }

  #value(chunk: Buffer, offset: number): number {
    const end = Math.min(chunk.length, offset + this.#needed);
    this.#needed -= end - offset;
    this.#emit(chunk.subarray(offset, end));
    return end;
  }

  #emit(bytes: Buffer): void {
    const isWhole = this.#needed === 0;
    if (isWhole && this.#pduLeft === 0) this.#expect('pdu-header', PDU_HEADER);
    else if (isWhole) {
      if (this.#pduLeft < PDV_HEADER) throw invalid('bytes are left over after the last value');
      this.#expect('pdv-header', PDV_HEADER);
    }
    const isCommand = (this.#control & 1) !== 0;
    const isLast = isWhole && (this.#control & 2) !== 0;
    this.#handler.data(this.#contextId, isCommand, isLast, bytes);
  }

  #expect(state: 'pdu-header' | 'body' | 'pdv-header' | 'pdv', needed: number): void {
    this.#state = state;
    this.#needed = needed;
  }
}

const EMPTY = Buffer.alloc(0);

function invalid(what: string): PduError {
  return new PduError(AbortReason.InvalidPduParameterValue, `Invalid PDU: ${what}`);
}
