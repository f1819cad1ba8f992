import { createHash } from 'node:crypto';
import { unlink } from 'node:fs/promises';
import { type IncomingMark, writeMark } from './incoming-mark.js';
import type { SpareFile } from './spare-files.js';
import { StorageFullError, storageError } from './storage-errors.js';

/** A dataset up to this size goes to the disk in one call; a longer one in pieces of at least this size. */
const WRITE_BYTES = 1024 * 1024;
/** A dataset that comes in tiny pieces is written sooner, so that their bookkeeping stays small. */
const WRITE_PIECES = 1024;

export interface FinishedFile {
  /** Absolute path. */
  readonly file: string;
  /** Hex SHA-256 of the dataset. */
  readonly sha256: string;
  /** Length of the dataset. */
  readonly bytes: number;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
}

/**
 * A Part 10 file that is being received. It exists as one of the incoming folder only when `finish` has put its mark on
 * it; whatever a crash leaves without a mark was never acknowledged.
 */
export class IncomingFile {
  readonly #spare: Promise<SpareFile>;
  /** Preamble, prefix and File Meta Information. */
  readonly #head: Buffer;
  readonly #sender: Pick<IncomingMark, 'associationId' | 'callingAeTitle' | 'calledAeTitle'>;
  readonly #hash = createHash('sha256');
  readonly #hasRoom: () => boolean;
  #bytes = 0;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  #writtenTo: number;
  #failure: unknown;

  constructor(options: {
    /** An empty file whose folder's entry is durable; it may still be on its way. */
    spare: Promise<SpareFile>;
    head: Buffer;
    sender: Pick<IncomingMark, 'associationId' | 'callingAeTitle' | 'calledAeTitle'>;
    /** Asked before each part of a long dataset goes to the disk. */
    hasRoom: () => boolean;
  }) {
    this.#hasRoom = options.hasRoom;
    this.#spare = options.spare;
    this.#head = options.head;
    this.#sender = options.sender;
    this.#writtenTo = options.head.length;
    this.#spare.catch((error: unknown) => {
      this.#failure ??= error;
    });
  }

  /**
   * Takes a part of the dataset, which must not change afterwards. A promise asks to wait until it resolves; it never
   * rejects: errors come from `finish`.
   */
  write(bytes: Uint8Array): Promise<void> | undefined {
    if (this.#failure !== undefined) return undefined;
    this.#hash.update(bytes);
    this.#bytes += bytes.length;
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    if (this.#waitingBytes < WRITE_BYTES && this.#waiting.length < WRITE_PIECES) return undefined;
    if (this.#writing) return this.#writing;
    this.#writing = this.#writeWaiting().finally(() => {
      this.#writing = undefined;
    });
    return undefined;
  }

  /**
   * Puts the mark on the file; it is durable when this resolves, as the spare file's writes are.
   *
   * @throws StorageFullError, StorageFailedError
   */
  async finish(): Promise<FinishedFile> {
    const sha256 = this.#hash.digest('hex');
    const receivedAt = Date.now();
    writeMark(this.#head, { bytes: this.#bytes, sha256, receivedAt, ...this.#sender });
    try {
      await this.#writing;
      if (this.#failure !== undefined) throw this.#failure;
      const { path, handle } = await this.#spare;
      if (this.#writtenTo === this.#head.length) {
        await writeAll(handle, [this.#head, ...this.#waiting], 0);
      } else {
        await writeAll(handle, this.#waiting, this.#writtenTo);
        await writeAll(handle, [this.#head], 0);
      }
      this.#waiting = [];
      // All is durable: what the close says changes nothing, and nobody waits for it.
      handle.close().catch(() => {});
      return { file: path, sha256, bytes: this.#bytes, receivedAt };
    } catch (error) {
      throw error instanceof StorageFullError ? error : storageError(error);
    }
  }

  /** Removes the file; never rejects, because recovery removes what stays. */
  async discard(): Promise<void> {
    this.#failure ??= new Error('discarded');
    this.#waiting = [];
    try {
      await this.#writing;
      const { path, handle } = await this.#spare;
      await handle.close();
      await unlink(path);
    } catch {
      // The file could not be made or is gone already.
    }
  }

  async #writeWaiting(): Promise<void> {
    try {
      if (!this.#hasRoom()) throw new StorageFullError();
      const { handle } = await this.#spare;
      const pieces = this.#waiting;
      const length = this.#waitingBytes;
      this.#waiting = [];
      this.#waitingBytes = 0;
      await writeAll(handle, pieces, this.#writtenTo);
      this.#writtenTo += length;
    } catch (error) {
      this.#failure ??= error;
    }
  }
}

/** A disk that is nearly full takes a part and reports the error only for the next one. */
async function writeAll(
  handle: SpareFile['handle'],
  pieces: Uint8Array[],
  position: number,
): Promise<void> {
  if (pieces.length === 0) return;
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  let written = (await handle.writev(pieces, position)).bytesWritten;
  if (written === length) return;
  const whole = Buffer.concat(pieces);
  while (written < length) {
    const rest = whole.subarray(written);
    written += (await handle.write(rest, 0, rest.length, position + written)).bytesWritten;
  }
}
