import {
  type Atom,
  answer,
  atomsOf,
  type Condition,
  type Judgement,
  judge,
  type StudyFacts,
} from './condition.js';
import type { Reason } from './finding.js';
import type { RoutableKind, SendableKind } from './result-object.js';
import type { Priority } from './urgency.js';

/** A transfer syntax that a route insists on; without one an object goes as it was made, or as the peer needs it. */
export const SEND_SYNTAXES = ['ImplicitVRLittleEndian', 'ExplicitVRLittleEndian'] as const;
export type SendSyntax = (typeof SEND_SYNTAXES)[number];

export interface SendAction {
  readonly objects: readonly SendableKind[];
  readonly to: readonly string[];
  readonly priority: Priority;
  readonly transferSyntax?: SendSyntax | undefined;
}

/** Sends the images of the series that was read as they came; of every series where none was read. */
export interface ForwardAction {
  readonly to: readonly string[];
  readonly priority: Priority;
}

/** Tells of the finding. */
export interface NotifyAction {
  /** Names of channels. */
  readonly to: readonly string[];
  readonly priority: Priority;
}

/** Sends nothing from here on: `shadow` has the objects made and kept, `drop` has none made. */
export interface Withholding {
  readonly how: 'shadow' | 'drop';
  /** What the administrator wrote. */
  readonly reason: string;
}

export interface RouteActions {
  readonly send: readonly SendAction[];
  readonly forward: readonly ForwardAction[];
  readonly notify?: readonly NotifyAction[] | undefined;
  readonly withhold?: Withholding | undefined;
}

/** A rule: where its condition holds, its actions are done. */
export interface Route extends RouteActions {
  readonly name: string;
  readonly when: Condition;
  /** No later route is looked at where this one holds; always so with `withhold`. */
  readonly stop: boolean;
}

export interface RoutingRules {
  /** In their order. */
  readonly routes: readonly Route[];
  /** Where no route holds. */
  readonly defaultRoute?: RouteActions | undefined;
  /** Where it cannot be said whether a route holds; without it such a route counts as holding, if it sends. */
  readonly fallbackRoute?: RouteActions | undefined;
}

/** How deliveries of the two routes without a name of their own are called. */
export const DEFAULT_ROUTE = 'default';
export const FALLBACK_ROUTE = 'fallback';

export interface RoutedObject {
  readonly kind: RoutableKind;
  /** Or the channel of a notification. */
  readonly destination: string;
  readonly route: string;
  readonly priority: Priority;
  readonly transferSyntax?: SendSyntax | undefined;
}

/** What the rules say of one study, and which of them. */
export interface RoutingDecision {
  /** Every (kind, destination) once, as the first route that names it has it. */
  readonly deliveries: readonly RoutedObject[];
  /** Names of the routes that hold. */
  readonly matched: readonly string[];
  /** Routes of which it cannot be said whether they hold. */
  readonly undecided: readonly { readonly route: string; readonly reason: Reason }[];
  /** Which of the two routes without a condition was used beside them or in their place. */
  readonly used?: typeof DEFAULT_ROUTE | typeof FALLBACK_ROUTE | undefined;
  readonly withheld?: (Withholding & { readonly route: string }) | undefined;
}

/** The decision for a study. Pure: the same rules and facts always give the same. */
export function decideRouting(rules: RoutingRules, facts: StudyFacts): RoutingDecision {
  return decideBy(rules, (atom) => answer(atom, facts));
}

/** As `decideRouting`, with any way to answer the questions. */
export function decideBy(
  { routes, defaultRoute, fallbackRoute }: RoutingRules,
  ask: (atom: Atom) => Judgement,
): RoutingDecision {
  const planned = new Map<string, RoutedObject>();
  const matched: string[] = [];
  const undecided: { route: string; reason: Reason }[] = [];
  let withheld: RoutingDecision['withheld'];
  const follow = (name: string, { send, forward, notify = [], withhold }: RouteActions): void => {
    const add = (kind: RoutableKind, destination: string, rest: SendAction | NotifyAction) => {
      const key = `${kind} ${destination}`;
      if (planned.has(key)) return;
      const { priority } = rest;
      const syntax = 'transferSyntax' in rest && { transferSyntax: rest.transferSyntax };
      planned.set(key, { kind, destination, route: name, priority, ...syntax });
    };
    for (const action of send) {
      for (const to of action.to) for (const kind of action.objects) add(kind, to, action);
    }
    for (const action of forward) for (const to of action.to) add('original', to, action);
    for (const action of notify) for (const to of action.to) add('notification', to, action);
    if (withhold !== undefined) withheld ??= { ...withhold, route: name };
  };
  for (const route of routes) {
    const judgement = judge(route.when, ask);
    if (judgement === false) continue;
    if (judgement === true) {
      matched.push(route.name);
      follow(route.name, route);
      if (route.stop) break;
    } else {
      undecided.push({ route: route.name, reason: judgement });
      // In doubt it is sent: neither `drop` nor `stop` may rest on what cannot be said.
      if (fallbackRoute === undefined) follow(route.name, { ...route, withhold: undefined });
    }
  }
  const used = undecided.length > 0 && fallbackRoute !== undefined ? FALLBACK_ROUTE : DEFAULT_ROUTE;
  const actions = used === FALLBACK_ROUTE ? fallbackRoute : defaultRoute;
  const isNeeded = used === FALLBACK_ROUTE || (matched.length === 0 && planned.size === 0);
  if (actions !== undefined && isNeeded) follow(used, actions);
  return {
    deliveries: [...planned.values()],
    matched,
    undecided,
    ...(actions !== undefined && isNeeded && { used }),
    ...(withheld && { withheld }),
  };
}

/** Names of the routes, with the two that have none of their own. */
export function routeNames({ routes }: RoutingRules): string[] {
  return [...routes.map(({ name }) => name), DEFAULT_ROUTE, FALLBACK_ROUTE];
}

/** Of which attributes values are asked for, and whether of every slice. */
export function attributesAsked({ routes }: RoutingRules): {
  readonly keywords: readonly string[];
  readonly everySlice: boolean;
} {
  const atoms = routes
    .flatMap(({ when }) => atomsOf(when))
    .filter((atom) => atom.type === 'attribute');
  return {
    keywords: [...new Set(atoms.map(({ keyword }) => keyword))],
    everySlice: atoms.some(({ slices }) => slices !== 'first'),
  };
}

/** Whether what other models say can change what is sent. */
export function asksSecondReaders({ routes }: RoutingRules): boolean {
  return routes.some(({ when }) => atomsOf(when).some(({ type }) => type === 'second-reader'));
}

/** What one decision sends and another does not. */
export function deliveriesBeyond(
  { deliveries }: RoutingDecision,
  other: RoutingDecision,
): readonly RoutedObject[] {
  const key = ({ kind, destination }: RoutedObject) => `${kind} ${destination}`;
  const sent = new Set(other.deliveries.map(key));
  return deliveries.filter((one) => !sent.has(key(one)));
}
