import type { IncomingFile } from '../../../src/receive/needs.js';

/** A disk that stands still after some bytes until it is let go. */
export class SlowFile implements IncomingFile {
  taken = 0;
  readonly #standsAt: number;
  readonly #released: Promise<void>;
  release: () => void = () => {};

  constructor(standsAt: number) {
    this.#standsAt = standsAt;
    this.#released = new Promise((resolve) => {
      this.release = resolve;
    });
  }

  write(bytes: Uint8Array): Promise<void> | undefined {
    this.taken += bytes.length;
    return this.taken > this.#standsAt ? this.#released : undefined;
  }

  async finish() {
    return { file: '/nowhere', sha256: '', bytes: this.taken, receivedAt: 0 };
  }

  async discard(): Promise<void> {}
}
