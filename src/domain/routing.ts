import type { Outcome } from './finding.js';
import type { ObjectKind } from './result-object.js';

/** Who sent a study, as far as routes ask. */
export interface StudyOrigin {
  readonly callingAeTitle: string;
  readonly calledAeTitle: string;
}

/** A route: where its conditions hold, its objects go to its destinations. An absent condition holds always. */
export interface Route {
  readonly name: string;
  readonly when: {
    readonly outcome?: readonly Outcome[];
    readonly callingAeTitle?: readonly string[];
    readonly calledAeTitle?: readonly string[];
  };
  readonly send: {
    readonly objects: readonly ObjectKind[];
    readonly to: readonly string[];
  };
}

export interface RoutedObject {
  readonly kind: ObjectKind;
  readonly destination: string;
  readonly route: string;
}

/** Every (object kind, destination) that the routes ask for, once each, in the order of the routes. */
export function planDeliveries(
  routes: readonly Route[],
  outcome: Outcome,
  origin: StudyOrigin,
): RoutedObject[] {
  const planned = new Map<string, RoutedObject>();
  for (const route of routes) {
    if (!matches(route, outcome, origin)) continue;
    for (const destination of route.send.to) {
      for (const kind of route.send.objects) {
        const key = `${kind} ${destination}`;
        if (!planned.has(key)) planned.set(key, { kind, destination, route: route.name });
      }
    }
  }
  return [...planned.values()];
}

function matches({ when }: Route, outcome: Outcome, origin: StudyOrigin): boolean {
  return (
    (when.outcome?.includes(outcome) ?? true) &&
    (when.callingAeTitle?.includes(origin.callingAeTitle) ?? true) &&
    (when.calledAeTitle?.includes(origin.calledAeTitle) ?? true)
  );
}
