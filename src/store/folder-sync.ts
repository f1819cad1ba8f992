import { type FileHandle, open } from 'node:fs/promises';

/**
 * Makes the entries of one folder durable. Calls that come while the disk is busy share the next sync, so that many
 * files cost few.
 */
export class FolderSync implements AsyncDisposable {
  readonly #handle: FileHandle;
  #current: Promise<void> | undefined;
  #following: Promise<void> | undefined;

  private constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  static async open(folder: string): Promise<FolderSync> {
    return new FolderSync(await open(folder, 'r'));
  }

  /** Resolves when every entry made before the call is durable. */
  sync(): Promise<void> {
    if (!this.#current) {
      this.#current = this.#run();
      return this.#current;
    }
    // The sync under way may have begun before the entry was made.
    this.#following ??= this.#current
      .catch(() => {})
      .then(() => {
        this.#following = undefined;
        this.#current = this.#run();
        return this.#current;
      });
    return this.#following;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled([this.#current, this.#following]);
    await this.#handle.close();
  }

  async #run(): Promise<void> {
    try {
      await this.#handle.sync();
    } finally {
      this.#current = undefined;
    }
  }
}
