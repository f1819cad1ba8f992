import { BlockList, isIPv6 } from 'node:net';
import { RE2JS } from 're2js';
import type { Atom, Condition, Matcher } from '../domain/condition.js';
import type { Route, RouteActions, RoutingRules } from '../domain/routing.js';
import type { BareRouteText, ConditionText, RouteText } from './routing-schema.js';

/** Routes as the configuration file has them, made ready to be decided by. */
export function routingRules(config: {
  readonly routes: readonly RouteText[];
  readonly defaultRoute?: BareRouteText | undefined;
  readonly fallbackRoute?: BareRouteText | undefined;
}): RoutingRules {
  const { routes, defaultRoute, fallbackRoute } = config;
  return {
    routes: routes.map(routeOf),
    ...(defaultRoute && { defaultRoute: actionsOf(defaultRoute) }),
    ...(fallbackRoute && { fallbackRoute: actionsOf(fallbackRoute) }),
  };
}

function routeOf(route: RouteText): Route {
  const actions = actionsOf(route);
  return {
    name: route.name,
    when: conditionOf(route.when),
    ...actions,
    stop: route.stop || actions.withhold !== undefined,
  };
}

function actionsOf({ send, forward, notify, shadow, drop }: BareRouteText): RouteActions {
  const withhold =
    shadow === undefined
      ? drop && ({ how: 'drop', reason: drop } as const)
      : ({ how: 'shadow', reason: shadow } as const);
  return {
    send: listOf(send),
    forward: listOf(forward),
    ...(notify && { notify: listOf(notify) }),
    ...(withhold && { withhold }),
  };
}

function listOf<T>(value: T | readonly T[] | undefined): readonly T[] {
  if (value === undefined) return [];
  return isList(value) ? value : [value];
}

function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

function conditionOf(when: ConditionText): Condition {
  const { all, any, not } = when;
  const of = [
    ...atomsOf(when),
    ...(all ?? []).map(conditionOf),
    ...(any === undefined ? [] : [{ type: 'any', of: any.map(conditionOf) } as const]),
    ...(not === undefined ? [] : [{ type: 'not', of: conditionOf(not) } as const]),
  ];
  const [only] = of;
  return of.length === 1 && only !== undefined ? only : { type: 'all', of };
}

function atomsOf(when: ConditionText): Atom[] {
  const { series, probability, time, model, secondReader } = when;
  const membership = (type: Membership, value: string | readonly string[] | undefined) =>
    value === undefined ? [] : [{ type, in: listOf(value) } as Atom];
  return [
    ...membership('outcome', when.outcome),
    ...membership('urgency', when.urgency),
    ...membership('reason', when.reason),
    ...membership('class', when.class),
    ...(probability ? [{ type: 'probability', ...probability } as const] : []),
    ...membership('model-name', model?.name),
    ...membership('model-version', model?.version),
    ...(secondReader ? [secondReaderAtom(secondReader)] : []),
    ...membership('calling-ae-title', when.callingAeTitle),
    ...membership('called-ae-title', when.calledAeTitle),
    ...(when.address === undefined
      ? []
      : [{ type: 'address', in: listOf(when.address).map(addressMatcher) } as const]),
    ...membership('weekday', when.weekday),
    ...(time
      ? [{ type: 'time', from: minutesOf(time.from), to: minutesOf(time.to) } as const]
      : []),
    ...(series ? [seriesAtom(series)] : []),
    ...Object.entries(when.attributes ?? {}).map(attributeOf),
  ];
}

function secondReaderAtom(asked: NonNullable<ConditionText['secondReader']>): Atom {
  const { name, outcome } = asked;
  return {
    type: 'second-reader',
    ...(name !== undefined && { name: listOf(name) }),
    ...(outcome !== undefined && { outcome: listOf(outcome) }),
    ...(asked.class !== undefined && { class: listOf(asked.class) }),
  };
}

function seriesAtom({ verdict, reason, modality }: NonNullable<ConditionText['series']>): Atom {
  return {
    type: 'series',
    ...(verdict !== undefined && { verdict: listOf(verdict) }),
    ...(reason !== undefined && { reason: listOf(reason) }),
    ...(modality !== undefined && { modality: listOf(modality) }),
  };
}

type Membership = Extract<Atom, { readonly in: readonly string[] }>['type'];
type TestText = NonNullable<ConditionText['attributes']>[string];

function attributeOf([keyword, test]: [string, TestText]): Atom {
  const isShort = typeof test !== 'object' || Array.isArray(test);
  const { slices, present, matches, ...value } = isShort
    ? ({ slices: 'any', equals: test } as const)
    : { ...test, equals: test.equals };
  const { equals, ...range } = value;
  return {
    type: 'attribute',
    keyword,
    slices,
    present: present ?? true,
    value: {
      ...range,
      ...(equals !== undefined && { equals: listOf<string | number>(equals) }),
      ...(matches !== undefined && { matches: patternMatcher(matches) }),
    },
  };
}

function patternMatcher(text: string): Matcher {
  const compiled = RE2JS.compile(text);
  return { text, test: (value) => compiled.test(value) };
}

/** A range such as 10.1.0.0/16, or one address; an IPv4 address also in its IPv6 form (RFC 4291 2.5.5.2). */
function addressMatcher(text: string): Matcher {
  const list = new BlockList();
  const [address = '', prefix] = text.split('/');
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  if (prefix === undefined) list.addAddress(address, family);
  else list.addSubnet(address, Number(prefix), family);
  return { text, test: (value) => list.check(value, isIPv6(value) ? 'ipv6' : 'ipv4') };
}

function minutesOf(clock: string): number {
  const [hours = '', minutes = ''] = clock.split(':');
  return Number(hours) * 60 + Number(minutes);
}
