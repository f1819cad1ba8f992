import { createHash } from 'node:crypto';
import fs from 'node:fs';
import { promisify } from 'node:util';
import { type IncomingMark, writeMark } from './incoming-mark.js';
import { storageError } from './storage-errors.js';

const open = promisify(fs.open);
const close = promisify(fs.close);
const unlink = promisify(fs.unlink);
const fdatasync = promisify(fs.fdatasync);

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
  readonly #path: string;
  /** Preamble, prefix and File Meta Information. */
  readonly #head: Buffer;
  readonly #sender: Pick<IncomingMark, 'associationId' | 'callingAeTitle' | 'calledAeTitle'>;
  readonly #syncFolder: () => Promise<void>;
  readonly #hash = createHash('sha256');
  #bytes = 0;
  #opening: Promise<number> | undefined;
  #entryDurable: Promise<void> | undefined;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #writing: Promise<void> | undefined;
  #writtenTo: number;
  #failure: unknown;

  constructor(options: {
    path: string;
    head: Buffer;
    sender: Pick<IncomingMark, 'associationId' | 'callingAeTitle' | 'calledAeTitle'>;
    syncFolder: () => Promise<void>;
  }) {
    this.#path = options.path;
    this.#head = options.head;
    this.#sender = options.sender;
    this.#syncFolder = options.syncFolder;
    this.#writtenTo = options.head.length;
  }

  /** Begins to make the file and its folder's entry, while the dataset is still arriving. */
  start(): void {
    this.#opening ??= this.#open();
    this.#opening.catch((error: unknown) => {
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
   * Puts the mark on the file and makes it durable with its folder's entry.
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
      const fd = await this.#descriptor();
      if (this.#writtenTo === this.#head.length) {
        await writeAll(fd, [this.#head, ...this.#waiting], 0);
      } else {
        await writeAll(fd, this.#waiting, this.#writtenTo);
        await writeAll(fd, [this.#head], 0);
      }
      this.#waiting = [];
      await fdatasync(fd);
      await this.#entryDurable;
      this.#opening = undefined;
      await close(fd);
    } catch (error) {
      throw storageError(error);
    }
    return { file: this.#path, sha256, bytes: this.#bytes, receivedAt };
  }

  /** Removes the file; never rejects, because recovery removes what stays. */
  async discard(): Promise<void> {
    this.#failure ??= new Error('discarded');
    this.#waiting = [];
    try {
      await this.#writing;
      const opening = this.#opening;
      this.#opening = undefined;
      if (opening) await close(await opening);
      await unlink(this.#path);
    } catch {
      // The file could not be made or is gone already.
    }
  }

  async #open(): Promise<number> {
    const fd = await open(this.#path, 'wx', 0o640);
    this.#entryDurable = this.#syncFolder();
    this.#entryDurable.catch((error: unknown) => {
      this.#failure ??= error;
    });
    return fd;
  }

  #descriptor(): Promise<number> {
    this.start();
    return this.#opening as Promise<number>;
  }

  async #writeWaiting(): Promise<void> {
    try {
      const fd = await this.#descriptor();
      const pieces = this.#waiting;
      const length = this.#waitingBytes;
      this.#waiting = [];
      this.#waitingBytes = 0;
      await writeAll(fd, pieces, this.#writtenTo);
      this.#writtenTo += length;
    } catch (error) {
      this.#failure ??= error;
    }
  }
}

/** A disk that is nearly full takes a part and reports the error only for the next one. */
async function writeAll(fd: number, pieces: Uint8Array[], position: number): Promise<void> {
  if (pieces.length === 0) return;
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  let written = await writev(fd, pieces, position);
  if (written === length) return;
  const whole = Buffer.concat(pieces);
  while (written < length) {
    written += await writev(fd, [whole.subarray(written)], position + written);
  }
}

function writev(fd: number, pieces: Uint8Array[], position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    fs.writev(fd, pieces, position, (error, written) => {
      if (error) reject(error);
      else resolve(written);
    });
  });
}
