import { describe, expect, it } from 'vitest';
import type { Condition } from '../../../src/domain/condition.js';
import {
  decideBy,
  type Route,
  type RouteActions,
  type RoutingRules,
} from '../../../src/domain/routing.js';

const always: Condition = { type: 'all', of: [] };
const never: Condition = { type: 'any', of: [] };
const doubtful: Condition = { type: 'outcome', in: [] };
const DOUBT = { code: 'doubt', text: 'It cannot be said' };

const send = (objects: readonly ('sr' | 'heatmap')[], to: readonly string[]): RouteActions => ({
  send: [{ objects, to, priority: 'medium' }],
  forward: [],
});
const drop: RouteActions = { send: [], forward: [], withhold: { how: 'drop', reason: 'a trial' } };
const route = (name: string, when: Condition, actions: RouteActions, stop = false): Route => ({
  name,
  when,
  ...actions,
  stop: stop || actions.withhold !== undefined,
});

const decide = (rules: RoutingRules) => {
  const decision = decideBy(rules, () => DOUBT);
  const sent = decision.deliveries.map(
    ({ kind, destination, route }) => `${kind} ${destination} ${route}`,
  );
  return { ...decision, sent };
};

describe('decideRouting', () => {
  it('asks for each object and destination once, by the first route that does', () => {
    const routes = [
      route('first', always, send(['sr'], ['pacs'])),
      route('second', always, send(['sr', 'heatmap'], ['pacs', 'archive'])),
    ];
    expect(decide({ routes }).sent).toEqual([
      'sr pacs first',
      'heatmap pacs second',
      'sr archive second',
      'heatmap archive second',
    ]);
  });

  it('keeps what routes before a drop ask for, and nothing of those behind it', () => {
    const routes = [
      route('before', always, send(['sr'], ['pacs'])),
      route('trial', always, drop),
      route('behind', always, send(['sr'], ['archive'])),
    ];
    const { sent, withheld, matched } = decide({ routes });
    expect(sent).toEqual(['sr pacs before']);
    expect(withheld).toEqual({ how: 'drop', reason: 'a trial', route: 'trial' });
    expect(matched).toEqual(['before', 'trial']);
  });

  it('looks at no route behind one that stops', () => {
    const routes = [
      route('only', always, send(['sr'], ['pacs']), true),
      route('behind', always, send(['sr'], ['archive'])),
    ];
    expect(decide({ routes }).matched).toEqual(['only']);
  });

  it('does what the default says where no route holds, and only there', () => {
    const defaultRoute = send(['sr'], ['archive']);
    const unlike = [route('never', never, send(['sr'], ['pacs']))];
    expect(decide({ routes: unlike, defaultRoute })).toMatchObject({
      sent: ['sr archive default'],
      used: 'default',
    });
    const like = [route('always', always, send(['sr'], ['pacs']))];
    expect(decide({ routes: like, defaultRoute }).sent).toEqual(['sr pacs always']);
  });

  it('sends in doubt where there is no fallback', () => {
    const routes = [route('open', doubtful, send(['sr'], ['pacs']))];
    expect(decide({ routes })).toMatchObject({
      sent: ['sr pacs open'],
      undecided: [{ route: 'open', reason: DOUBT }],
    });
  });

  it('does what the fallback says beside the routes that hold', () => {
    const routes = [
      route('open', doubtful, send(['sr'], ['pacs'])),
      route('sure', always, send(['sr'], ['archive'])),
    ];
    const { sent, used } = decide({ routes, fallbackRoute: send(['sr'], ['workstation']) });
    expect(sent).toEqual(['sr archive sure', 'sr workstation fallback']);
    expect(used).toBe('fallback');
  });

  it.each(['drop', 'shadow'] as const)('never withholds (%s) in doubt', (how) => {
    const withhold = { send: [], forward: [], withhold: { how, reason: 'a trial' } };
    const routes = [
      route('open', doubtful, withhold),
      route('sure', always, send(['sr'], ['archive'])),
    ];
    const { sent, withheld } = decide({ routes });
    expect(sent).toEqual(['sr archive sure']);
    expect(withheld).toBeUndefined();
  });

  it('takes the default where all that is in doubt is a drop', () => {
    const routes = [route('open', doubtful, drop)];
    const { sent } = decide({ routes, defaultRoute: send(['sr'], ['archive']) });
    expect(sent).toEqual(['sr archive default']);
  });

  it('withholds by the default, with its reason', () => {
    expect(decide({ routes: [], defaultRoute: drop })).toMatchObject({
      sent: [],
      withheld: { route: 'default', reason: 'a trial' },
    });
  });
});
