import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { setTimeout } from 'node:timers/promises';
import { readFileMeta } from '../dicom/file-meta.js';

/** What a row says of its file. */
export interface ExpectedFile {
  /** Absolute path. */
  readonly path: string;
  /** Hex SHA-256 and length, where it is known: of a received instance's dataset, of a result's whole file. */
  readonly sha256: string;
  readonly bytes: number | null;
  readonly of: 'dataset' | 'file';
}

/** How a file differs from its row; `unreadable` is an error of the disk, which may pass. */
export type FileProblem = 'missing' | 'truncated' | 'altered' | 'unreadable';

const CHUNK_BYTES = 1024 * 1024;
/** Preamble, prefix and File Meta Information are far shorter. */
const META_BYTES = 64 * 1024;

/** Compares a file with its row, byte by byte, at the pace. Never rejects for the file's sake. */
export async function checkFile(
  expected: ExpectedFile,
  pace: Pace,
): Promise<FileProblem | undefined> {
  try {
    await using handle = await open(expected.path, 'r');
    const { size } = await handle.stat();
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, Math.max(size, META_BYTES)));
    let start = 0;
    if (expected.of === 'dataset') {
      const { bytesRead } = await handle.read(chunk, 0, META_BYTES, 0);
      const meta = readFileMeta(chunk.subarray(0, bytesRead));
      if (meta === undefined) return size < (expected.bytes ?? 1) ? 'truncated' : 'altered';
      start = meta.datasetOffset;
    }
    const expectedSize = start + (expected.bytes ?? size - start);
    if (size !== expectedSize) return size < expectedSize ? 'truncated' : 'altered';
    const hash = createHash('sha256');
    for (let at = start; at < size; ) {
      const { bytesRead } = await handle.read(chunk, 0, chunk.length, at);
      if (bytesRead === 0) return 'truncated';
      hash.update(chunk.subarray(0, bytesRead));
      at += bytesRead;
      await pace.spent(bytesRead);
    }
    return hash.digest('hex') === expected.sha256 ? undefined : 'altered';
  } catch (error) {
    if (pace.signal?.aborted) throw error;
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'missing' : 'unreadable';
  }
}

/** Keeps reading under a rate, so that receiving and inference have the disk to themselves. */
export class Pace {
  readonly #bytesPerSecond: number;
  readonly signal: AbortSignal | undefined;
  #bytes = 0;
  #begun = performance.now();

  constructor(bytesPerSecond: number, signal?: AbortSignal) {
    this.#bytesPerSecond = bytesPerSecond;
    this.signal = signal;
  }

  /** Resolves when so many bytes more are within the rate. @throws AbortError */
  async spent(bytes: number): Promise<void> {
    this.#bytes += bytes;
    const aheadMs = (1000 * this.#bytes) / this.#bytesPerSecond - (performance.now() - this.#begun);
    if (aheadMs > 0) await setTimeout(aheadMs, undefined, { signal: this.signal });
    else this.signal?.throwIfAborted();
    // What was not used of the rate, as in a pause, is not caught up with.
    if (aheadMs < -1000) {
      this.#bytes = 0;
      this.#begun = performance.now();
    }
  }
}
