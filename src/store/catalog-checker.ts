import { once } from 'node:events';
import { statSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { builtModule } from '../built-module.js';
import type { Log } from '../log.js';
import { type Catalog, CatalogDamagedError, findCatalogDamage } from './database.js';

/** Read whole in a few tenths of a second: some ten thousand instances. */
const SMALL_BYTES = 32 * 1024 * 1024;

/**
 * Looks for damage in the catalog's pages. A node whose catalog is small looks before it starts; a large one is read in
 * a thread of its own while the node works, because reading 10^6 instances' rows takes longer than a scanner waits.
 */
export class CatalogChecker implements AsyncDisposable {
  readonly #file: string;
  readonly #log: Log;
  #damage: string | undefined;
  #checking: { readonly worker: Worker; readonly done: Promise<void> } | undefined;

  constructor(file: string, log: Log) {
    this.#file = file;
    this.#log = log;
  }

  /** What was found last; undefined where nothing is wrong or nobody has looked yet. */
  get damage(): string | undefined {
    return this.#damage;
  }

  /** Whether a check of the whole catalog holds up the start by no more than a moment. */
  get isSmall(): boolean {
    return statSync(this.#file).size <= SMALL_BYTES;
  }

  /** @throws CatalogDamagedError */
  checkNow(catalog: Catalog): void {
    const damage = findCatalogDamage(catalog);
    if (damage !== undefined) throw new CatalogDamagedError(this.#file, damage);
  }

  /** Resolves when the check is over; joins one that is under way. Errors are logged. */
  check(): Promise<void> {
    if (this.#checking === undefined) {
      const worker = new Worker(builtModule('store/catalog-check-thread'), {
        workerData: this.#file,
      });
      const done = this.#outcome(worker).finally(() => {
        this.#checking = undefined;
      });
      this.#checking = { worker, done };
    }
    return this.#checking.done;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const checking = this.#checking;
    await checking?.worker.terminate();
    await checking?.done;
  }

  async #outcome(worker: Worker): Promise<void> {
    try {
      const stopped = once(worker, 'exit').then(() => undefined);
      const answer = await Promise.race([once(worker, 'message'), stopped]);
      if (answer === undefined) return;
      this.#damage = answer[0] as string | undefined;
      if (this.#damage === undefined) return;
      const error = new CatalogDamagedError(this.#file, this.#damage);
      this.#log.error({ reason: this.#damage }, error.message);
    } catch (error) {
      this.#log.error({ err: error }, 'the catalog could not be checked');
    }
  }
}
