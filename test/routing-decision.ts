import type { RoutableKind } from '../src/domain/result-object.js';
import type { RoutingDecision } from '../src/domain/routing.js';

/** What one route that holds for every study leads to. */
export function sendTo(to: readonly string[], objects: readonly RoutableKind[]): RoutingDecision {
  const deliveries = to.flatMap((destination) =>
    objects.map((kind) => ({ kind, destination, route: 'all', priority: 'medium' }) as const),
  );
  return { deliveries, matched: ['all'], undecided: [] };
}
