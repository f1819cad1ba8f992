import type { Outcome } from '../domain/finding.js';
import { reviewRules } from '../domain/rules-review.js';
import { type Fault, type KeyPath, suggestion } from './problems.js';
import { routingRules } from './routing-rules.js';
import type { BareRouteText, RouteText } from './routing-schema.js';

/** The sections of the configuration that route. */
export interface RoutingText {
  readonly routes: readonly RouteText[];
  readonly defaultRoute?: BareRouteText | undefined;
  readonly fallbackRoute?: BareRouteText | undefined;
}

/** Names given twice, and destinations that are none. */
export function routeFaults(routing: RoutingText, known: readonly string[]): Fault[] {
  const seen = new Set<string>();
  const twice = routing.routes.flatMap(({ name }, i): Fault[] => {
    if (!seen.has(name)) {
      seen.add(name);
      return [];
    }
    return [{ keys: ['routes', i, 'name'], message: `is "${name}", as an earlier route is` }];
  });
  const unknown = placedActions(routing).flatMap(({ keys, to }) =>
    to.flatMap((name, j): Fault[] => {
      if (known.includes(name)) return [];
      const message = `is "${name}", which is no destination`;
      const hint = suggestion(name, known) ?? 'describe it under "destinations"';
      return [{ keys: [...keys, 'to', j], message, hint }];
    }),
  );
  return [...twice, ...unknown];
}

/** Names of the destinations that any route sends to. */
export function routedDestinations(routing: RoutingText): Set<string> {
  return new Set(placedActions(routing).flatMap(({ to }) => to));
}

/** Routes that can be meant so but hardly are, and studies that a person waits for and that may go nowhere. */
export function routeWarnings(routing: RoutingText): Fault[] {
  if (placedActions(routing).length === 0) {
    const message = 'No route is configured: studies are read, but results go nowhere';
    return [{ keys: ['routes'], message }];
  }
  const at = (name: string): KeyPath => [
    'routes',
    routing.routes.findIndex((route) => route.name === name),
  ];
  const { exhaustive, unreachable, superfluous, overlapping, unsent } = reviewRules(
    routingRules(routing),
  );
  const drawn =
    'The routes ask too many unlike questions to try all: only some were looked for faults';
  return [
    ...(exhaustive ? [] : [{ keys: ['routes'], message: drawn }]),
    ...unreachable.map((name) => ({
      keys: at(name),
      message: `Route "${name}" never holds`,
      hint: 'its conditions exclude each other, or a route before it stops where this one holds',
    })),
    ...superfluous.map((name) => ({
      keys: at(name),
      message: `Route "${name}" adds nothing: routes before it send the same`,
    })),
    ...overlapping.map(({ earlier, later }) => ({
      keys: at(later),
      message: `Route "${later}" gives other options for what "${earlier}" sends to the same destination`,
      hint: `the options of "${earlier}" count, as it comes first`,
    })),
    ...unsentWarnings(unsent),
  ];

  function unsentWarnings(lines: typeof unsent): Fault[] {
    const groups = new Map<string, { outcomes: Outcome[]; always: boolean; by?: string }>();
    for (const { outcome, always, withheldBy } of lines) {
      const key = `${always} ${withheldBy ?? ''}`;
      const group = groups.get(key) ?? {
        outcomes: [],
        always,
        ...(withheldBy && { by: withheldBy }),
      };
      groups.set(key, { ...group, outcomes: [...group.outcomes, outcome] });
    }
    return [...groups.values()].map(({ outcomes, always, by }) => {
      const which = `${always ? 'No' : 'Not every'} study that is ${outcomes.join(', ')} is sent`;
      if (by === undefined) {
        const hint = 'give a defaultRoute';
        return { keys: ['routes'], message: `${which}: there may be no route that holds`, hint };
      }
      const keys = at(by);
      const bare = by === 'default' ? ['defaultRoute'] : ['fallbackRoute'];
      const place = keys[1] === -1 ? bare : keys;
      return { keys: place, message: `${which}: "${by}" withholds it` };
    });
  }
}

/** Everything that sends or forwards, with its place. */
function placedActions({ routes, defaultRoute, fallbackRoute }: RoutingText) {
  return [
    ...routes.flatMap((route, i) => actionsAt(['routes', i], route)),
    ...(defaultRoute ? actionsAt(['defaultRoute'], defaultRoute) : []),
    ...(fallbackRoute ? actionsAt(['fallbackRoute'], fallbackRoute) : []),
  ];
}

function actionsAt(at: KeyPath, { send, forward }: BareRouteText) {
  return [...placed([...at, 'send'], send), ...placed([...at, 'forward'], forward)];
}

function placed(
  keys: KeyPath,
  action: BareRouteText['send'] | BareRouteText['forward'],
): { keys: KeyPath; to: readonly string[] }[] {
  if (action === undefined) return [];
  if (!Array.isArray(action)) return [{ keys, to: action.to }];
  return action.map(({ to }, i) => ({ keys: [...keys, i], to }));
}
