/** What a peer has to send at least while a message is under way: far less than any network that carries images. */
const LEAST_BYTES_PER_SECOND = 1024;

/** A longer timer of Node fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * How long a peer may take over what it has begun to send: a time that is given, and more for the bytes that have come.
 * A timer that starts anew with every byte could be kept running for ever. Time in which it is us who keep the peer
 * waiting does not count.
 */
export class Pace {
  readonly #givenMs: number;
  readonly #onLate: () => void;
  #timer: NodeJS.Timeout | undefined;
  #isUnderWay = false;
  #leftMs = 0;
  #countedFrom: number | undefined;

  constructor(givenMs: number, onLate: () => void) {
    this.#givenMs = givenMs;
    this.#onLate = onLate;
  }

  /** A message begins; nothing happens where one is under way. */
  begin(): void {
    if (this.#isUnderWay) return;
    this.#isUnderWay = true;
    this.#leftMs = this.#givenMs;
    this.resume();
  }

  moved(bytes: number): void {
    this.#leftMs += (1000 * bytes) / LEAST_BYTES_PER_SECOND;
  }

  hold(): void {
    if (this.#countedFrom === undefined) return;
    this.#count();
    this.#countedFrom = undefined;
    clearTimeout(this.#timer);
  }

  resume(): void {
    if (!this.#isUnderWay || this.#countedFrom !== undefined) return;
    this.#countedFrom = performance.now();
    this.#wait();
  }

  end(): void {
    this.#isUnderWay = false;
    this.hold();
  }

  #count(): void {
    const now = performance.now();
    this.#leftMs -= now - (this.#countedFrom ?? now);
    this.#countedFrom = now;
  }

  #wait(): void {
    this.#timer = setTimeout(
      () => {
        this.#count();
        if (this.#leftMs > 0) this.#wait();
        else {
          this.end();
          this.#onLate();
        }
      },
      Math.min(LONGEST_TIMER_MS, Math.max(1, Math.ceil(this.#leftMs))),
    );
  }
}
