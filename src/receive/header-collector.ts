import { HeaderError, type HeaderReading, scanHeader } from '../dicom/header.js';
import { ByteCollector } from './byte-collector.js';

/** A first piece of this size holds the header of nearly every single-frame image, which then is read where it lies. */
const WHOLE_HEADER_BYTES = 8 * 1024;
const FIRST_ATTEMPT_BYTES = 64 * 1024;

/**
 * Reads a dataset's header while the dataset arrives: from its first piece where that is long enough, else from what it
 * keeps of the beginning, at 64 KiB and whenever that has doubled, up to a limit, so that a dataset is never kept whole for
 * its header.
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
    if (this.#collected.length === 0 && bytes.length >= WHOLE_HEADER_BYTES) this.#attempt(bytes);
    if (this.#reading) return;
    this.#collected.push(bytes);
    if (this.#collected.length < Math.min(this.#attemptAt, this.#maximumBytes)) return;
    this.#attemptAt *= 2;
    this.#isCut = this.#collected.length >= this.#maximumBytes;
    this.#attempt(this.#collected.bytes);
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

  #attempt(beginning: Buffer): void {
    try {
      const reading = scanHeader(beginning, this.#transferSyntaxUid);
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
