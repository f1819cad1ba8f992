import type {
  Applied,
  ConfigVersion,
  ConfigVersionText,
  History,
  Replay,
  Routing,
  RulesDiff,
  Validation,
} from './admin/api/schemas/routing.js';
import { ConfigError } from './config/problems.js';
import type { Settings } from './config/settings.js';
import { checkText } from './config-check.js';
import type { AppliedChange, ConfigVersions } from './config-versions.js';
import { diffRules } from './domain/rules-diff.js';
import { replayRouting } from './routing-replay.js';
import type { ConfigVersion as StoredVersion } from './store/config-history.js';
import type { SeriesStore } from './store/series-store.js';
import type { StatusStore } from './store/status-store.js';

const DAY_MS = 24 * 60 * 60 * 1000;

/** The file that the node was started with. */
export interface ConfigFileParts {
  readonly versions: ConfigVersions;
  /** Has the node take the file now; resolves when it is in force or refused. */
  readonly reload: () => Promise<void>;
}

interface ConfigDeskParts extends ConfigFileParts {
  /** What is in force. */
  readonly settings: () => Settings;
  readonly status: StatusStore;
  readonly series: SeriesStore;
}

/** Looks at and changes the configuration of a running node, for whoever asks over the API. */
export class ConfigDesk {
  readonly #parts: ConfigDeskParts;

  constructor(parts: ConfigDeskParts) {
    this.#parts = parts;
  }

  /** What the file holds, in force or not. */
  async current(): Promise<Routing> {
    const { versions } = this.#parts;
    const { text, hash } = await versions.current();
    const [newest] = await versions.history(1);
    const isNewest = newest?.hash === hash;
    return {
      text,
      version: hash,
      number: isNewest ? newest.version : null,
      inForce: isNewest && newest.inForceAt !== undefined,
      ...(await this.validate(text)),
    };
  }

  /** Everything that is wrong with a text, and what is worth a second look. */
  async validate(text: string): Promise<Validation> {
    try {
      const { warnings } = await this.#check(text);
      return { problems: [], warnings: [...warnings] };
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      return { problems: [...error.problems], warnings: [] };
    }
  }

  /** Which rules differ from those in force. @throws ConfigError */
  async diff(text: string): Promise<RulesDiff> {
    const { settings } = await this.#check(text);
    const changes = diffRules(this.#parts.settings().routing, settings.routing);
    return {
      changes: changes.map(({ parts, ...rest }) => ({ ...rest, parts: parts && [...parts] })),
    };
  }

  /** Which studies of the last days would go elsewhere by a text's rules. @throws ConfigError */
  async replay(text: string, days: number): Promise<Replay> {
    const { status, series, settings } = this.#parts;
    const after = (await this.#check(text)).settings.routing;
    const rules = { before: settings().routing, after };
    const since = Date.now() - days * DAY_MS;
    const { studies, rerouted } = await replayRouting(rules, { status, series }, since);
    return {
      studies,
      rerouted: rerouted.map((study) => ({
        ...study,
        added: [...study.added],
        removed: [...study.removed],
        routesBefore: [...study.routesBefore],
        routesAfter: [...study.routesAfter],
      })),
    };
  }

  /**
   * Writes a text to the file, and has the node take it.
   * @throws ConfigError, ConfigConflictError, ConfigNotWritableError
   */
  async apply(text: string, from: string, who: string, reason: string): Promise<Applied> {
    return this.#taken(await this.#parts.versions.apply(text, from, { who, how: 'api', reason }));
  }

  /** Writes an earlier version again, by number or hash. @throws as `apply`, NoVersionError */
  async rollback(reference: string, who: string, reason: string): Promise<Applied> {
    const { versions } = this.#parts;
    return this.#taken(await versions.rollback(reference, { who, how: 'api', reason }));
  }

  /** Newest first; `before` is the last page's `next`. */
  async history(limit: number, before?: number): Promise<History> {
    const versions = await this.#parts.versions.history(limit, before);
    const last = versions.length < limit ? undefined : versions.at(-1);
    return { versions: versions.map(told), next: last?.version ?? null };
  }

  /** @throws NoVersionError */
  async version(number: number): Promise<ConfigVersionText> {
    const found = await this.#parts.versions.find(String(number));
    return { ...told(found), text: found.text };
  }

  #check(text: string) {
    return checkText(text, this.#parts.versions.file, this.#parts.versions.env);
  }

  async #taken({ version, changed, restartNeeded, warnings }: AppliedChange): Promise<Applied> {
    const { versions, reload } = this.#parts;
    if (changed) await reload();
    const { inForceAt } = await versions.find(String(version.version));
    return {
      version: version.hash,
      number: version.version,
      changed,
      inForce: inForceAt !== undefined,
      restartNeeded: [...restartNeeded],
      warnings: [...warnings],
    };
  }
}

function told({ version, hash, rollbackTo, inForceAt, ...rest }: StoredVersion): ConfigVersion {
  const { appliedAt, who, how, reason } = rest;
  return {
    ...{ version: hash, number: version, appliedAt, who, how, reason },
    rollbackTo: rollbackTo ?? null,
    inForceAt: inForceAt ?? null,
  };
}
