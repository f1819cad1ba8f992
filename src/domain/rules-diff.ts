import type { Matcher } from './condition.js';
import {
  DEFAULT_ROUTE,
  FALLBACK_ROUTE,
  type Route,
  type RouteActions,
  type RoutingRules,
} from './routing.js';

/** How one rule differs; `parts` are those of a changed one. */
export interface RuleChange {
  readonly route: string;
  readonly change: 'added' | 'removed' | 'changed' | 'moved';
  readonly parts?: readonly string[];
}

/** What differs between two sets of rules in what they mean, rule by rule; comments and spelling do not count. */
export function diffRules(before: RoutingRules, after: RoutingRules): RuleChange[] {
  const [old, now] = [namedRules(before), namedRules(after)];
  const removed = [...old.keys()].filter((name) => !now.has(name));
  const kept = [...old.keys()].filter((name) => now.has(name));
  const keptNow = [...now.keys()].filter((name) => old.has(name));
  const changes = [...now].flatMap(([route, rule]): RuleChange[] => {
    const was = old.get(route);
    if (was === undefined) return [{ route, change: 'added' }];
    const parts = PARTS.filter((part) => meaning(was[part]) !== meaning(rule[part]));
    if (parts.length > 0) return [{ route, change: 'changed', parts }];
    return kept.indexOf(route) === keptNow.indexOf(route) ? [] : [{ route, change: 'moved' }];
  });
  return [...changes, ...removed.map((route) => ({ route, change: 'removed' }) as const)];
}

type Rule = RouteActions & Partial<Pick<Route, 'when' | 'stop'>>;

const PARTS = [
  'when',
  'send',
  'forward',
  'notify',
  'withhold',
  'stop',
] as const satisfies (keyof Rule)[];

function namedRules({ routes, defaultRoute, fallbackRoute }: RoutingRules): Map<string, Rule> {
  const rules = new Map<string, Rule>(routes.map((route) => [route.name, route]));
  if (defaultRoute !== undefined) rules.set(DEFAULT_ROUTE, defaultRoute);
  if (fallbackRoute !== undefined) rules.set(FALLBACK_ROUTE, fallbackRoute);
  return rules;
}

/** Equal for what decides alike. */
function meaning(part: unknown): string {
  return JSON.stringify(part, (_, value: unknown) => (isMatcher(value) ? value.text : value)) ?? '';
}

function isMatcher(value: unknown): value is Matcher {
  return typeof value === 'object' && value !== null && 'test' in value && 'text' in value;
}
