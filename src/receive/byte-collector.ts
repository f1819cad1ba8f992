/**
 * Puts pieces together in one buffer that grows with them. A list of the pieces would keep an object, and the whole
 * chunk it came in, for each: with a peer that sends single bytes a hundred times what it sends.
 */
export class ByteCollector {
  #buffer: Buffer = Buffer.alloc(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What came so far; changes no more, whatever comes. */
  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  push(piece: Uint8Array): void {
    const length = this.#length + piece.length;
    if (length > this.#buffer.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#buffer.length, 64));
      grown.set(this.bytes);
      this.#buffer = grown;
    }
    this.#buffer.set(piece, this.#length);
    this.#length = length;
  }

  /** Gives the bytes away and begins anew. */
  take(): Buffer {
    const { bytes } = this;
    this.#buffer = Buffer.alloc(0);
    this.#length = 0;
    return bytes;
  }
}
