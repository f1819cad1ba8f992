import { loadSettings } from '../config/settings.js';
import { diffRules, type RuleChange } from '../domain/rules-diff.js';
import { type Replay, replayRouting } from '../routing-replay.js';
import { SeriesStore } from '../store/series-store.js';
import { StatusStore } from '../store/status-store.js';
import { withCatalog } from './catalog.js';
import { EXIT } from './exit-codes.js';
import { table, when } from './text.js';

/** A configuration in force, and a changed copy of it. */
export interface CandidateOptions {
  readonly candidate: string;
  readonly config: string;
  readonly json: boolean;
}

/** `vigil config diff <candidate>`: which rules would change, and how. */
export async function runConfigDiff({ candidate, config, json }: CandidateOptions) {
  const [before, after] = [await loadSettings(config), await loadSettings(candidate)];
  const changes = diffRules(before.settings.routing, after.settings.routing);
  if (json) console.log(JSON.stringify({ changes }));
  else console.log(changes.length === 0 ? 'The rules mean the same' : changesText(changes));
  return EXIT.done;
}

function changesText(changes: readonly RuleChange[]): string {
  return table(changes.map(({ route, change, parts = [] }) => [change, route, parts.join(', ')]));
}

/** `vigil config replay <candidate>`: where the studies that really came would go by the changed rules. */
export async function runConfigReplay(
  options: CandidateOptions & { readonly last: number },
): Promise<number> {
  const { candidate, config, json, last } = options;
  const after = (await loadSettings(candidate)).settings.routing;
  const replay = await withCatalog(config, (catalog, settings) =>
    replayRouting(
      { before: settings.routing, after },
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
