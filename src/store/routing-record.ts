import type { RoutingDecision } from '../domain/routing.js';

/** What the catalog keeps of a routing decision. */
export interface RoutingRecord {
  /** Names of the routes whose actions were done. */
  readonly routes: readonly string[];
  readonly undecided?: RoutingDecision['undecided'];
  /** Why nothing is sent, for people; absent where something is. */
  readonly unsent?: string;
}

export function routingRecord(decision: RoutingDecision): RoutingRecord {
  const { matched, used, undecided, deliveries, withheld } = decision;
  const why = withheld && `${withheld.how} by ${withheld.route}: ${withheld.reason}`;
  return {
    routes: [...matched, ...(used === undefined ? [] : [used])],
    ...(undecided.length > 0 && { undecided }),
    ...(deliveries.length === 0 && { unsent: why ?? 'no route holds' }),
  };
}
