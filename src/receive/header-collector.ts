import { HeaderError, type HeaderReading, scanHeader } from '../dicom/header.js';
import { ByteCollector } from './byte-collector.js';

/** Enough for nearly every single-frame image, so that its header is read once. */
const FIRST_ATTEMPT_BYTES = 64 * 1024;

/**
 * Keeps the beginning of a dataset while it arrives until its header can be read: tries at 64 KiB and whenever that has
 * doubled, up to a limit, so that a dataset is never kept whole for its header.
 */
export class HeaderCollector {
  readonly #transferSyntaxUid: string;
  readonly #maximumBytes: number;
  readonly #collected = new ByteCollector();
  #attemptAt = FIRST_ATTEMPT_BYTES;
  #isCut = false;
  #reading: HeaderReading | undefined;

  constructor(transferSyntaxUid: string, maximumBytes: number) {
    this.#transferSyntaxUid = transferSyntaxUid;
    this.#maximumBytes = maximumBytes;
  }

  /** The header as soon as it is known. */
  get reading(): HeaderReading | undefined {
    return this.#reading;
  }

  /** @throws HeaderError as soon as it is certain that there is no header */
  push(bytes: Buffer): void {
    if (this.#reading || this.#isCut) return;
    this.#collected.push(bytes);
    if (this.#collected.length < Math.min(this.#attemptAt, this.#maximumBytes)) return;
    this.#attemptAt *= 2;
    this.#isCut = this.#collected.length >= this.#maximumBytes;
    this.#attempt();
  }

  /** The dataset is whole. @throws HeaderError */
  end(): HeaderReading {
    if (this.#reading) return this.#reading;
    const reading = scanHeader(this.#collected.bytes, this.#transferSyntaxUid);
    if (reading.endedAt === 'within-element' && !this.#isCut) {
      throw new HeaderError('truncated', 'The dataset ends within an element');
    }
    return reading;
  }

  #attempt(): void {
    try {
      const reading = scanHeader(this.#collected.bytes, this.#transferSyntaxUid);
      if (reading.endedAt !== 'end-of-header') return;
      this.#reading = reading;
      this.#collected.take();
    } catch (error) {
      const mayStillCome =
        error instanceof HeaderError &&
        (error.code === 'truncated' || error.code === 'uid-missing') &&
        !this.#isCut;
      if (!mayStillCome) throw error;
    }
  }
}
