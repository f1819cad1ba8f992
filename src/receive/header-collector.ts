import { HeaderError, type HeaderReading, scanHeader } from '../dicom/header.js';
import { ByteCollector } from './byte-collector.js';

/** Enough for nearly every single-frame image, so that its header is read once. */
const FIRST_ATTEMPT_BYTES = 8 * 1024;

/**
 * Reads a dataset's header while the dataset arrives: tries at 8 KiB and whenever what came has doubled, up to a limit, so
 * that a dataset is never kept whole for its header. The first piece is read where it lies, and copied only where it is
 * not enough.
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
    const isFirst = this.#collected.length === 0;
    if (isFirst) this.#attemptIfDue(bytes);
    if (this.#reading) return;
    this.#collected.push(bytes);
    if (!isFirst) this.#attemptIfDue(this.#collected.bytes);
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

  #attemptIfDue(beginning: Buffer): void {
    if (beginning.length < Math.min(this.#attemptAt, this.#maximumBytes)) return;
    this.#attemptAt = 2 * beginning.length;
    this.#isCut = beginning.length >= this.#maximumBytes;
    this.#attempt(beginning);
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
