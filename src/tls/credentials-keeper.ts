import { dirname } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { type FSWatcher, watch } from 'chokidar';
import type { Log } from '../log.js';
import {
  type Credentials,
  CredentialsError,
  readCredentials,
  type TlsFiles,
} from './credentials.js';

/** Writers replace certificate and key one after the other: milliseconds without a change before they are read. */
const QUIET_MS = 500;

/** What stands with one use's credentials: for the log, health and metrics. */
export interface CredentialsState {
  /** Where the configuration names the files, such as `receive.tls`. */
  readonly use: string;
  /** Of those in force; undefined while none could be read. */
  readonly expiresAt: number | undefined;
  /** Why the files as they are now are not in force. */
  readonly problem: string | undefined;
}

/**
 * The credentials for one use of TLS. The files are followed: good ones are in force for the connections that come
 * after, bad ones leave in force what was, and the log says so.
 */
export class CredentialsKeeper implements AsyncDisposable {
  readonly use: string;
  readonly #log: Log;
  readonly #onRead: (changed: boolean) => void;
  #files: TlsFiles;
  #current: Credentials | undefined;
  #problem: CredentialsError | undefined;
  #watcher: FSWatcher | undefined;
  #quiet: NodeJS.Timeout | undefined;
  #reloads: Promise<void> = Promise.resolve();

  constructor(options: {
    use: string;
    files: TlsFiles;
    log: Log;
    onRead?: (changed: boolean) => void;
  }) {
    this.use = options.use;
    this.#files = options.files;
    this.#log = options.log;
    this.#onRead = options.onRead ?? (() => {});
  }

  /** @throws CredentialsError where no files that could be used were ever there */
  get current(): Credentials {
    if (this.#current !== undefined) return this.#current;
    throw this.#problem ?? new Error(`The TLS files of ${this.use} are not read yet`);
  }

  get state(): CredentialsState {
    return {
      use: this.use,
      expiresAt: this.#current?.expiresAt,
      problem: this.#problem?.message,
    };
  }

  /**
   * Reads the files and follows them from then on. An expired certificate is better than none at the start: the peers
   * that refuse it say so.
   */
  async start(): Promise<void> {
    await this.#read();
    if (this.#current === undefined && this.#problem?.code === 'expired') {
      this.#current = await readCredentials(this.#files, undefined).catch(() => undefined);
    }
    await this.#watch();
  }

  /** Reads the files now, which may be others than before. */
  reload(files: TlsFiles = this.#files): Promise<void> {
    const moved = !isDeepStrictEqual(files, this.#files);
    this.#files = files;
    this.#reloads = this.#reloads.then(async () => {
      await this.#read();
      if (moved) await this.#watch();
    });
    return this.#reloads;
  }

  async stop(): Promise<void> {
    clearTimeout(this.#quiet);
    const watcher = this.#watcher;
    this.#watcher = undefined;
    await watcher?.close();
    await this.#reloads;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #read(): Promise<void> {
    const { use } = this;
    try {
      const next = await readCredentials(this.#files, Date.now());
      const changed = !isDeepStrictEqual(next, this.#current);
      this.#problem = undefined;
      this.#current = next;
      if (changed) {
        this.#log.info({ use, expiresAt: new Date(next.expiresAt) }, 'TLS certificate in force');
      }
      this.#onRead(changed);
    } catch (error) {
      if (!(error instanceof CredentialsError)) throw error;
      this.#problem = error;
      const { code, message } = error;
      const kept = this.#current === undefined ? 'there is none' : 'the one before stays in force';
      this.#log.error({ use, code, reason: message }, `TLS certificate refused: ${kept}`);
      this.#onRead(false);
    }
  }

  /** Folders, because tools replace files, and Kubernetes turns a link beside them. */
  async #watch(): Promise<void> {
    await this.#watcher?.close();
    const files = Object.values(this.#files).filter((file) => file !== undefined);
    const watcher = watch([...new Set(files.map((file) => dirname(file)))], {
      ignoreInitial: true,
      depth: 0,
      followSymlinks: false,
    });
    this.#watcher = watcher;
    watcher.on('all', () => {
      clearTimeout(this.#quiet);
      this.#quiet = setTimeout(() => void this.reload(), QUIET_MS);
    });
    watcher.on('error', (error) => this.#log.error({ err: error }, 'TLS files are not followed'));
    await new Promise<void>((resolve) => watcher.once('ready', resolve));
  }
}
