import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ConfigConflictError, NoVersionError } from './config/change-errors.js';
import type { Environment } from './config/environment.js';
import {
  configHash,
  type LoadedSettings,
  parseSettings,
  readConfigText,
  storageFolderOf,
} from './config/load-settings.js';
import type { ConfigProblem } from './config/problems.js';
import { replaceFile } from './config/replace-file.js';
import type { Settings } from './config/settings.js';
import { applicable } from './config/watch.js';
import { checkText } from './config-check.js';
import {
  type AppliedBy,
  CONFIG_HISTORY_FILE,
  ConfigHistory,
  type ConfigVersion,
  type ConfigVersionText,
} from './store/config-history.js';

/** Who changes the configuration, how, and why. */
export interface ChangeNote {
  readonly who: string;
  readonly how: Extract<AppliedBy, 'command' | 'api'>;
  readonly reason: string;
}

/** The configuration file as it is now, which need not be in force. */
export interface CurrentText {
  readonly text: string;
  readonly hash: string;
}

export interface AppliedChange {
  readonly version: ConfigVersion;
  /** Absent where the file said so already. */
  readonly changed: boolean;
  /** Keys that count from the next start. */
  readonly restartNeeded: readonly string[];
  readonly warnings: readonly ConfigProblem[];
}

/** The history lies in the storage folder, which the first start makes. */
export class NoHistoryError extends Error {
  readonly code = 'no-history';

  constructor(folder: string) {
    super(
      `${folder} is not there: no node has run with this configuration. Edit the file itself, or give VIGIL_STORAGE_FOLDER as the node has it`,
    );
    this.name = 'NoHistoryError';
  }
}

const EDITED = 'edited in the file';

/**
 * The versions of a configuration file. The file is the truth: a change is written there, and the node takes it from
 * there as it takes an edit by hand; the history says who wrote what, when and why.
 */
export class ConfigVersions {
  readonly #file: string;
  readonly #env: Environment;

  constructor(file: string, env: Environment = process.env) {
    this.#file = resolve(file);
    this.#env = env;
  }

  /** Absolute path. */
  get file(): string {
    return this.#file;
  }

  get env(): Environment {
    return this.#env;
  }

  /** @throws ConfigError where it cannot be read */
  async current(): Promise<CurrentText> {
    const { text } = await readConfigText(this.#file);
    return { text, hash: configHash(text) };
  }

  /** Newest first; none where no node has run with this configuration yet. */
  async history(limit: number, before?: number): Promise<ConfigVersion[]> {
    return (await this.#read((history) => history.list(limit, before))) ?? [];
  }

  /** By number or by the beginning of the hash. @throws NoVersionError */
  async find(reference: string): Promise<ConfigVersionText> {
    const found = await this.#read((history) => history.find(reference));
    if (found === undefined) throw new NoVersionError(reference);
    return found;
  }

  /** The newest version that was in force and says something else than the file does now. @throws NoVersionError */
  async beforeTheFile(): Promise<ConfigVersionText> {
    const { hash } = await this.current();
    const found = await this.#read((history) =>
      history
        .list(MOST_NAMED)
        .filter((one) => one.inForceAt !== undefined && one.hash !== hash)
        .map(({ version }) => history.find(String(version)))
        .at(0),
    );
    if (found === undefined) throw new NoVersionError('in force before what the file holds');
    return found;
  }

  /**
   * Writes a text to the file if that still holds what the text was made from: a version's number, or the beginning of
   * its hash. Nothing is written otherwise.
   * @throws ConfigError with all that is wrong with the text, ConfigConflictError, ConfigNotWritableError, NoHistoryError
   */
  async apply(text: string, from: string, note: ChangeNote): Promise<AppliedChange> {
    return this.#write(text, from, note);
  }

  /** Writes a version's text to the file, whatever that holds now. @throws as `apply`, NoVersionError */
  async rollback(reference: string, note: ChangeNote): Promise<AppliedChange> {
    const { text, version } = await this.find(reference);
    const { hash } = await this.current();
    return this.#write(text, hash, { ...note, rollbackTo: version });
  }

  /** The node works by this configuration from now on: keeps it, if it is not the newest version already. */
  noteInForce(
    { hash, text, settings }: LoadedSettings,
    how: Extract<AppliedBy, 'start' | 'file'>,
  ): void {
    using history = ConfigHistory.open(settings.storage.folder);
    history.exclusively(() => {
      const now = Date.now();
      const newest = history.newest();
      const reason = how === 'file' || newest !== undefined ? EDITED : 'the first start';
      const { version } =
        newest?.hash === hash ? newest : history.add({ hash, text, who: 'file', how, reason }, now);
      history.markInForce(version, now);
    });
  }

  async #write(
    text: string,
    from: string,
    note: ChangeNote & { readonly rollbackTo?: number },
  ): Promise<AppliedChange> {
    const before = await this.current();
    const folder = storageFolderOf(before.text, this.#file, this.#env);
    if (!existsSync(folder)) throw new NoHistoryError(folder);
    const { settings, hash, warnings } = await checkText(text, this.#file, this.#env);
    using history = ConfigHistory.open(folder);
    const applied = history.exclusively((): AppliedChange | ConfigConflictError => {
      const now = Date.now();
      const old = readFileSync(this.#file, 'utf8');
      const oldHash = configHash(old);
      const newest = this.#keepFound(history, old, oldHash);
      if (!isVersion(from, newest)) return conflict(history, from, newest);
      const rest = { restartNeeded: this.#restartNeeded(old, settings), warnings };
      if (hash === oldHash) return { version: newest, changed: false, ...rest };
      const version = history.add({ hash, text, ...note }, now);
      replaceFile(this.#file, text);
      return { version, changed: true, ...rest };
    });
    if (applied instanceof ConfigConflictError) throw applied;
    return applied;
  }

  /** What the file holds is kept also where it was never in force: it may be somebody's hour of work. */
  #keepFound(history: ConfigHistory, text: string, hash: string): ConfigVersion {
    const newest = history.newest();
    if (newest?.hash === hash) return newest;
    const found = { hash, text, who: 'file', how: 'file', reason: EDITED } as const;
    return history.add(found, Math.round(statSync(this.#file).mtimeMs));
  }

  /** None are known where the text before is faulty. */
  #restartNeeded(before: string, after: Settings): readonly string[] {
    try {
      return applicable(parseSettings(before, this.#file, this.#env).settings, after).restartNeeded;
    } catch {
      return [];
    }
  }

  async #read<T>(look: (history: ConfigHistory) => T): Promise<T | undefined> {
    const { text } = await this.current();
    const folder = storageFolderOf(text, this.#file, this.#env);
    if (!existsSync(join(folder, CONFIG_HISTORY_FILE))) return undefined;
    using history = ConfigHistory.open(folder);
    return look(history);
  }
}

function isVersion(reference: string, { version, hash }: ConfigVersion): boolean {
  return reference === String(version) || (reference.length >= 6 && hash.startsWith(reference));
}

/** Long enough for an editor that was left open over a weekend. */
const MOST_NAMED = 50;

function conflict(history: ConfigHistory, from: string, newest: ConfigVersion) {
  const base = history.find(from);
  const since = base
    ? history.list(MOST_NAMED).filter(({ version }) => version > base.version)
    : [];
  return new ConfigConflictError(from, newest.hash, since);
}
