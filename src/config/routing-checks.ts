import type { Outcome } from '../domain/finding.js';
import { reviewRules } from '../domain/rules-review.js';
import { type Fault, type KeyPath, suggestion } from './problems.js';
import { routingRules } from './routing-rules.js';
import type { BareRouteText, RouteText } from './routing-schema.js';

/** The sections of the configuration that route. */
export interface RoutingText extends WrittenRouting {
  readonly routes: readonly RouteText[];
  readonly defaultRoute?: BareRouteText | undefined;
  readonly fallbackRoute?: BareRouteText | undefined;
}

/** What a file has under these keys, of whatever form: what is wrong with one route hides nothing of the others. */
interface WrittenRouting {
  readonly routes?: unknown;
  readonly defaultRoute?: unknown;
  readonly fallbackRoute?: unknown;
}

/** Names given twice, and destinations that are none. */
export function routeFaults(written: WrittenRouting, known: readonly string[]): Fault[] {
  const seen = new Set<unknown>();
  const twice = listOf(written.routes).flatMap((route, i): Fault[] => {
    const name = isGroup(route) ? route['name'] : undefined;
    if (typeof name !== 'string' || !seen.has(name)) {
      seen.add(name);
      return [];
    }
    return [{ keys: ['routes', i, 'name'], message: `is "${name}", as an earlier route is` }];
  });
  const unknown = namedDestinations(written)
    .filter(({ name }) => !known.includes(name))
    .map(({ keys, name }): Fault => {
      const hint = suggestion(name, known) ?? 'describe it under "destinations"';
      return { keys, message: `is "${name}", which is no destination`, hint };
    });
  return [...twice, ...unknown];
}

/** Every name of a destination that anything is sent or forwarded to, with its place. */
function namedDestinations({ routes, defaultRoute, fallbackRoute }: WrittenRouting) {
  return [
    ...listOf(routes).flatMap((route, i) => namesIn(['routes', i], route)),
    ...namesIn(['defaultRoute'], defaultRoute),
    ...namesIn(['fallbackRoute'], fallbackRoute),
  ];
}

function namesIn(at: KeyPath, route: unknown): { keys: KeyPath; name: string }[] {
  if (!isGroup(route)) return [];
  return ['send', 'forward'].flatMap((key) => {
    const actions = route[key];
    const listed = Array.isArray(actions)
      ? actions.map((action: unknown, i) => ({ keys: [...at, key, i, 'to'], action }))
      : [{ keys: [...at, key, 'to'], action: actions }];
    return listed.flatMap(({ keys, action }) =>
      listOf(isGroup(action) ? action['to'] : undefined).flatMap((name, i) =>
        typeof name === 'string' ? [{ keys: [...keys, i], name }] : [],
      ),
    );
  });
}

function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Names of the destinations that any route sends to. */
export function routedDestinations(routing: RoutingText): Set<string> {
  return new Set(namedDestinations(routing).map(({ name }) => name));
}

/** Routes that can be meant so but hardly are, and studies that a person waits for and that may go nowhere. */
export function routeWarnings(routing: RoutingText): Fault[] {
  if (namedDestinations(routing).length === 0) {
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
