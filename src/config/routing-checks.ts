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

/** The names that routes may lead to, and ask for. */
export interface KnownNames {
  readonly destinations: readonly string[];
  readonly channels: readonly string[];
  readonly secondReaders: readonly string[];
}

/** Names given twice, and destinations, channels and second readers that are none. */
export function routeFaults(written: WrittenRouting, known: KnownNames): Fault[] {
  const seen = new Set<unknown>();
  const twice = listOf(written.routes).flatMap((route, i): Fault[] => {
    const name = isGroup(route) ? route['name'] : undefined;
    if (typeof name !== 'string' || !seen.has(name)) {
      seen.add(name);
      return [];
    }
    return [{ keys: ['routes', i, 'name'], message: `is "${name}", as an earlier route is` }];
  });
  return [
    ...twice,
    ...namedTargets(written).flatMap((target) => targetFault(target, known)),
    ...listOf(written.routes).flatMap((route, i) =>
      readerFaults(['routes', i, 'when'], isGroup(route) ? route['when'] : undefined, known),
    ),
  ];
}

/** Second readers that a condition asks for, and that there are not. */
function readerFaults(at: KeyPath, condition: unknown, known: KnownNames): Fault[] {
  if (!isGroup(condition)) return [];
  const { secondReader, all, any, not } = condition;
  const asked = isGroup(secondReader) ? secondReader['name'] : undefined;
  const names = Array.isArray(asked)
    ? asked.map((name: unknown, i) => ({ keys: [...at, 'secondReader', 'name', i], name }))
    : [{ keys: [...at, 'secondReader', 'name'], name: asked }];
  const unknown = names.flatMap(({ keys, name }): Fault[] => {
    if (typeof name !== 'string' || known.secondReaders.includes(name)) return [];
    const message = `is "${name}", which is no second reader`;
    const hint =
      suggestion(name, known.secondReaders) ?? 'describe it under "inference.secondReaders"';
    return [{ keys, message, hint }];
  });
  const within = [
    ...listOf(all).map((one, i) => ({ keys: [...at, 'all', i], one })),
    ...listOf(any).map((one, i) => ({ keys: [...at, 'any', i], one })),
    { keys: [...at, 'not'], one: not },
  ];
  return [...unknown, ...within.flatMap(({ keys, one }) => readerFaults(keys, one, known))];
}

interface NamedTarget {
  readonly keys: KeyPath;
  readonly section: 'destinations' | 'channels';
  readonly name: string;
}

function targetFault({ keys, section, name }: NamedTarget, known: KnownNames): Fault[] {
  if (known[section].includes(name)) return [];
  const other = section === 'channels' ? 'destinations' : 'channels';
  const noun = section === 'channels' ? 'channel' : 'destination';
  const message = `is "${name}", which is no ${noun}`;
  if (known[other].includes(name)) {
    const hint =
      section === 'channels'
        ? 'it is a destination: objects are sent there with "send"'
        : 'it is a channel: it is told with "notify"';
    return [{ keys, message, hint }];
  }
  const hint = suggestion(name, known[section]) ?? `describe it under "${section}"`;
  return [{ keys, message, hint }];
}

/** Every name of a destination or channel that an action leads to, with its place. */
function namedTargets({ routes, defaultRoute, fallbackRoute }: WrittenRouting): NamedTarget[] {
  return [
    ...listOf(routes).flatMap((route, i) => namesIn(['routes', i], route)),
    ...namesIn(['defaultRoute'], defaultRoute),
    ...namesIn(['fallbackRoute'], fallbackRoute),
  ];
}

function namesIn(at: KeyPath, route: unknown): NamedTarget[] {
  if (!isGroup(route)) return [];
  return ACTIONS.flatMap(([key, section]) => {
    const actions = route[key];
    const listed = Array.isArray(actions)
      ? actions.map((action: unknown, i) => ({ keys: [...at, key, i, 'to'], action }))
      : [{ keys: [...at, key, 'to'], action: actions }];
    return listed.flatMap(({ keys, action }) =>
      listOf(isGroup(action) ? action['to'] : undefined).flatMap((name, i) =>
        typeof name === 'string' ? [{ keys: [...keys, i], section, name }] : [],
      ),
    );
  });
}

/** What leads somewhere, and the section that names whereto. */
const ACTIONS = [
  ['send', 'destinations'],
  ['forward', 'destinations'],
  ['notify', 'channels'],
] as const;

function isGroup(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/** Names of the destinations and channels that any route leads to. */
export function routedTargets(routing: RoutingText): Set<string> {
  return new Set(namedTargets(routing).map(({ name }) => name));
}

/** Routes that can be meant so but hardly are, and studies that a person waits for and that may go nowhere. */
export function routeWarnings(routing: RoutingText): Fault[] {
  if (namedTargets(routing).length === 0) {
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
