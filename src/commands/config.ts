import { loadSettings, parseSettings } from '../config/load-settings.js';
import type { Settings } from '../config/settings.js';
import { ConfigVersions } from '../config-versions.js';
import { diffRules, type RuleChange } from '../domain/rules-diff.js';
import { type Replay, replayRouting } from '../routing-replay.js';
import { SeriesStore } from '../store/series-store.js';
import { StatusStore } from '../store/status-store.js';
import { withCatalog } from './catalog.js';
import { EXIT } from './exit-codes.js';
import { table, when } from './text.js';

/** A configuration file, and a changed copy of it. */
export interface CandidateOptions {
  /** Where absent the file is what has changed, since the version that was in force before. */
  readonly candidate?: string;
  readonly config: string;
  readonly json: boolean;
}

/** `vigil config diff [candidate]`: which rules change, and how. */
export async function runConfigDiff({ json, ...options }: CandidateOptions) {
  const { before, after } = await routings(options);
  const changes = diffRules(before, after);
  if (json) console.log(JSON.stringify({ changes }));
  else console.log(changes.length === 0 ? 'The rules mean the same' : changesText(changes));
  return EXIT.done;
}

function changesText(changes: readonly RuleChange[]): string {
  return table(changes.map(({ route, change, parts = [] }) => [change, route, parts.join(', ')]));
}

/** The rules before a change, and after it. @throws ConfigError, NoVersionError */
async function routings({ candidate, config }: Pick<CandidateOptions, 'candidate' | 'config'>) {
  const rules = async (load: Promise<{ readonly settings: Settings }>) =>
    (await load).settings.routing;
  if (candidate !== undefined) {
    return {
      before: await rules(loadSettings(config)),
      after: await rules(loadSettings(candidate)),
    };
  }
  const versions = new ConfigVersions(config);
  const { text } = await versions.beforeTheFile();
  const before = parseSettings(text, versions.file, versions.env).settings.routing;
  return { before, after: await rules(loadSettings(config)) };
}

/** `vigil replay [candidate]`: where the studies that really came would go by the changed rules. */
export async function runConfigReplay(
  options: CandidateOptions & { readonly last: number },
): Promise<number> {
  const { config, json, last } = options;
  const rules = await routings(options);
  const replay = await withCatalog(config, (catalog, settings) =>
    replayRouting(
      rules,
      {
        status: new StatusStore(catalog),
        series: new SeriesStore(catalog, settings.storage.folder),
      },
      Date.now() - last,
    ),
  );
  console.log(json ? JSON.stringify(replay) : replayText(replay));
  return EXIT.done;
}

function replayText({ studies, rerouted }: Replay): string {
  const lines = rerouted.map((study) =>
    [
      `${when(study.lastInstanceAt)}  ${study.outcome}  ${study.studyInstanceUid}${study.unsent ? '  SENT NOWHERE' : ''}`,
      `  routes: ${study.routesBefore.join(', ') || 'none'} -> ${study.routesAfter.join(', ') || 'none'}`,
      ...study.added.map((text) => `  + ${text}`),
      ...study.removed.map((text) => `  - ${text}`),
    ].join('\n'),
  );
  const unsent = rerouted.filter((study) => study.unsent).length;
  const sum = `${rerouted.length} of ${studies} studies would go elsewhere${unsent > 0 ? `, ${unsent} of them nowhere` : ''}`;
  return [...lines, sum].join('\n\n');
}
