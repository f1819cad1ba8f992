import type { Outcome } from './domain/finding.js';
import type { RoutingDecision, RoutingRules } from './domain/routing.js';
import { routeStudy } from './routing-facts.js';
import type { SeriesStore } from './store/series-store.js';
import type { StatusStore } from './store/status-store.js';

/** A study that other rules would send elsewhere: each delivery as text, such as `sr to pacs`. */
export interface ReroutedStudy {
  readonly studyInstanceUid: string;
  readonly outcome: Outcome;
  /** When its last slice came, milliseconds since the epoch. */
  readonly lastInstanceAt: number;
  readonly added: readonly string[];
  readonly removed: readonly string[];
  readonly routesBefore: readonly string[];
  readonly routesAfter: readonly string[];
  /** Whether nothing of it would be sent any more. */
  readonly unsent: boolean;
}

export interface Replay {
  readonly studies: number;
  readonly rerouted: readonly ReroutedStudy[];
}

/**
 * What two sets of rules say of the newest finding of each study whose last slice came since then (milliseconds since
 * the epoch) and that is still stored. Nothing is sent and no row written; headers are read from the stored files.
 */
export async function replayRouting(
  rules: { readonly before: RoutingRules; readonly after: RoutingRules },
  catalog: { readonly status: StatusStore; readonly series: SeriesStore },
  since: number,
): Promise<Replay> {
  const rerouted: ReroutedStudy[] = [];
  const uids = catalog.status.analysedSince(since);
  for (const studyInstanceUid of uids) {
    const study = catalog.status.analysed(studyInstanceUid);
    if (study === undefined) continue;
    const before = await routeStudy(rules.before, study, catalog.series);
    const after = await routeStudy(rules.after, study, catalog.series);
    const [old, now] = [deliveryTexts(before), deliveryTexts(after)];
    const added = now.filter((text) => !old.includes(text));
    const removed = old.filter((text) => !now.includes(text));
    if (added.length + removed.length === 0) continue;
    rerouted.push({
      studyInstanceUid,
      outcome: study.finding.outcome,
      lastInstanceAt: study.lastInstanceAt,
      added,
      removed,
      routesBefore: namesOf(before),
      routesAfter: namesOf(after),
      unsent: now.length === 0,
    });
  }
  return { studies: uids.length, rerouted };
}

function deliveryTexts({ deliveries }: RoutingDecision): string[] {
  return deliveries.map(({ kind, destination, priority, transferSyntax }) =>
    [
      `${kind} to ${destination}`,
      ...(priority === 'medium' ? [] : [`priority ${priority}`]),
      ...(transferSyntax === undefined ? [] : [transferSyntax]),
    ].join(', '),
  );
}

function namesOf({ matched, used }: RoutingDecision): string[] {
  return [...matched, ...(used === undefined ? [] : [used])];
}
