import { realpathSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type FSWatcher, watch } from 'chokidar';
import type { Environment } from './environment.js';
import { type LoadedSettings, readConfigText } from './load-settings.js';
import type { Settings } from './settings.js';

/** A change of the file that is in force from now on. */
export interface ConfigChange {
  /** As the file says, but the running values for the keys that need a restart. */
  readonly loaded: LoadedSettings;
  /** Keys that differ and count from the next start, such as `node.port`. */
  readonly restartNeeded: readonly string[];
}

/** Sockets, folders and processes are set up once: these keys are read at start only. */
const NEEDS_RESTART = {
  node: ['aeTitle', 'host', 'port'],
  storage: ['folder', 'minFreeBytes'],
  receive: [
    'plain',
    'maxPduLength',
    'maxAssociations',
    'maxAssociationsPerAddress',
    'maxConnections',
    'artimMs',
    'idleMs',
    'calledAeTitles',
    'callingAeTitles',
    'allowFrom',
    'access',
    'storageClasses',
    'tls',
  ],
  inference: [
    'model',
    'signedBy',
    'calibration',
    'prevalence',
    'threads',
    'timeoutMs',
    'memoryBytes',
    'maxKeySlices',
    'secondReaders',
  ],
  admin: ['host', 'port', 'console', 'tls', 'behindProxy', 'url'],
} as const satisfies { readonly [S in keyof Settings]?: readonly (keyof Settings[S])[] };

/** What of `next` can be in force while Vigil runs with `running`, and the keys that cannot. */
export function applicable(
  running: Settings,
  next: Settings,
): { settings: Settings; restartNeeded: string[] } {
  const settings: Record<string, unknown> = { ...next };
  const restartNeeded: string[] = [];
  for (const [section, keys] of Object.entries(NEEDS_RESTART)) {
    const before = running[section as keyof Settings] as unknown as Record<string, unknown>;
    const after = { ...(settings[section] as Record<string, unknown>) };
    for (const key of keys) {
      if (isDeepStrictEqual(before[key], after[key])) continue;
      restartNeeded.push(`${section}.${fileKey(key)}`);
      after[key] = before[key];
    }
    settings[section] = after;
  }
  return { settings: settings as unknown as Settings, restartNeeded };
}

/** The file's name for a setting, which has the unit that people write. */
function fileKey(key: string): string {
  return key.replace(/Ms$/, 'Seconds').replace(/Bytes$/, 'Mb');
}

/** Reads a configuration's text; `file` is what relative paths start from. @throws ConfigError */
type Check = (text: string, file: string, env: Environment) => Promise<LoadedSettings>;

/** Writers that truncate and write again are given this long to finish. Milliseconds. */
const QUIET_MS = 200;

/**
 * Follows the configuration file. A changed file that is good is handed to `onChange`; a bad one leaves the running
 * configuration in force and goes to `onProblem`, once for each content.
 */
export class ConfigWatcher implements AsyncDisposable {
  readonly #options: {
    readonly env: Environment;
    readonly check: Check;
    readonly onChange: (change: ConfigChange) => void;
    readonly onProblem: (error: Error) => void;
  };
  #running: LoadedSettings;
  #lastProblem: string | undefined;
  #watcher: FSWatcher | undefined;
  #reloads: Promise<void> = Promise.resolve();
  /** Whether a change has been seen that is not read yet. */
  #changed = false;
  #settling: Promise<void> = Promise.resolve();

  constructor(options: {
    /** What Vigil was started with. */
    loaded: LoadedSettings;
    env?: Environment;
    check: Check;
    onChange: (change: ConfigChange) => void;
    /** Gets a ConfigError where the file is bad. */
    onProblem: (error: Error) => void;
  }) {
    const { loaded, env = process.env, check, onChange, onProblem } = options;
    this.#running = loaded;
    this.#options = { env, check, onChange, onProblem };
  }

  /** Resolves when changes from now on are seen. */
  async start(): Promise<void> {
    if (this.#watcher !== undefined) return;
    const { file } = this.#running;
    // The links beside the file too: Kubernetes turns one of them to change a mounted file.
    const watched = [dirname(file), realpathSync(file)];
    const watcher = watch(watched, {
      ignoreInitial: true,
      depth: 0,
      followSymlinks: false,
      ignored: (path, stats) => stats?.isFile() === true && path !== file && path !== watched[1],
    });
    this.#watcher = watcher;
    watcher.on('all', () => this.#noticed());
    watcher.on('error', (error) => this.#options.onProblem(error as Error));
    await new Promise<void>((resolve) => watcher.once('ready', resolve));
  }

  /** Reads the file now, as SIGHUP asks; resolves when it is in force or reported, even if nothing changed. */
  async reload(): Promise<void> {
    await this.#reload(true);
  }

  async stop(): Promise<void> {
    const watcher = this.#watcher;
    this.#watcher = undefined;
    await watcher?.close();
    await this.#settling;
    await this.#reloads;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #noticed(): void {
    if (this.#changed) return;
    this.#changed = true;
    this.#settling = this.#written().then(() => this.#reload(false));
  }

  #reload(asked: boolean): Promise<void> {
    this.#reloads = this.#reloads.then(() => this.#read(asked)).catch(this.#options.onProblem);
    return this.#reloads;
  }

  /** Resolves when the file has stayed as it is: one that is being written is empty for a moment, and then a part. */
  async #written(): Promise<void> {
    const { file } = this.#running;
    const content = () => readFile(file, 'utf8').catch(() => undefined);
    let before = await content();
    for (;;) {
      await delay(QUIET_MS);
      const now = await content();
      if (now === before) break;
      before = now;
    }
    this.#changed = false;
  }

  async #read(asked: boolean): Promise<void> {
    let next: LoadedSettings;
    try {
      const { path, text } = await readConfigText(this.#running.file);
      next = await this.#options.check(text, path, this.#options.env);
    } catch (error) {
      const { message } = error as Error;
      if (!asked && message === this.#lastProblem) return;
      this.#lastProblem = message;
      this.#options.onProblem(error as Error);
      return;
    }
    const recovered = this.#lastProblem !== undefined;
    this.#lastProblem = undefined;
    if (next.hash === this.#running.hash && !asked && !recovered) return;
    const { settings, restartNeeded } = applicable(this.#running.settings, next.settings);
    this.#running = { ...next, settings };
    this.#options.onChange({ loaded: this.#running, restartNeeded });
  }
}
