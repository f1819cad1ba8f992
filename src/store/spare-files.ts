import { constants } from 'node:fs';
import { type FileHandle, open, unlink } from 'node:fs/promises';
import { join } from 'node:path';

/** An empty file whose entry in its folder is durable, and whose writes are when they return. */
export interface SpareFile {
  /** Absolute path. */
  readonly path: string;
  readonly handle: FileHandle;
}

/**
 * A write that returns when its bytes are durable saves the round trip of an fdatasync; O_DSYNC is Linux, O_SYNC the
 * same and more elsewhere.
 */
const FLAGS =
  constants.O_CREAT |
  constants.O_EXCL |
  constants.O_WRONLY |
  (constants.O_DSYNC ?? constants.O_SYNC);

/** How many are made for one sync of the folder, and how few may be left before the next are made. */
const BATCH = 16;
const FEW = 8;

/**
 * Empty files made ahead. Making a new file durable takes two syncs, of its bytes and of its folder's entry; with the
 * entries made ahead, many instances share one of the latter and none waits for it.
 */
export class SpareFiles implements AsyncDisposable {
  readonly #folder: string;
  readonly #ready: SpareFile[] = [];
  #making: Promise<void> | undefined;
  #counter = 0;

  /** Makes nothing until the first file is asked for. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** The next file, named so that files sort in the order in which they are taken. @throws Error of the disk */
  async take(): Promise<SpareFile> {
    for (;;) {
      const file = this.#ready.shift();
      if (this.#ready.length < FEW) {
        this.#making ??= this.#make().finally(() => {
          this.#making = undefined;
        });
        // Who finds none ready gets the error; who finds one does not need it.
        this.#making.catch(() => {});
      }
      if (file) return file;
      await this.#making;
    }
  }

  /** Removes the files that were not taken. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([this.#making]);
    for (const { path, handle } of this.#ready.splice(0)) {
      await handle.close();
      await unlink(path).catch(() => {});
    }
  }

  async #make(): Promise<void> {
    const made: SpareFile[] = [];
    try {
      for (let i = 0; i < BATCH; i += 1) {
        this.#counter += 1;
        const path = join(this.#folder, `${Date.now()}-${this.#counter}.dcm`);
        made.push({ path, handle: await open(path, FLAGS, 0o640) });
      }
      await using folder = await open(this.#folder, 'r');
      await folder.sync();
    } catch (error) {
      for (const { path, handle } of made) {
        await handle.close();
        await unlink(path).catch(() => {});
      }
      throw error;
    }
    this.#ready.push(...made);
  }
}
