import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../../src/config/load-settings.js';
import { diffRules } from '../../../src/domain/rules-diff.js';

const rules = (routes: string) =>
  parseSettings(`destinations: { a: { aeTitle: A, host: h, port: 1 } }\n${routes}`, '/x', {})
    .settings.routing;

const ONE = '{ name: one, when: { attributes: { KVP: { matches: "^12" } } }, send: { to: [a] } }';
const TWO = '{ name: two, when: { outcome: positive }, send: { to: [a] } }';

describe('diffRules', () => {
  it('sees no change in what is only written otherwise', () => {
    const before = rules(`routes: [${ONE}, ${TWO}]`);
    const after = rules(`routes: # a comment
  - name: one
    send: [{ to: [a], priority: medium }]
    when: { attributes: { KVP: { slices: any, matches: ^12 } } }
  - { name: two, when: { outcome: [positive] }, send: { to: [a] } }`);
    expect(diffRules(before, after)).toEqual([]);
  });

  it('names what was added, removed, changed and moved', () => {
    const before = rules(`routes: [${ONE}, ${TWO}, { name: three, drop: why not }]`);
    const after = rules(`routes:
  - ${TWO}
  - ${ONE.replace('^12', '^13')}
  - { name: four, send: { to: [a] } }
defaultRoute: { send: { to: [a] } }`);
    expect(diffRules(before, after)).toEqual([
      { route: 'two', change: 'moved' },
      { route: 'one', change: 'changed', parts: ['when'] },
      { route: 'four', change: 'added' },
      { route: 'default', change: 'added' },
      { route: 'three', change: 'removed' },
    ]);
  });
});
