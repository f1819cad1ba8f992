import { describe, expect, it } from 'vitest';
import { yamlPlace } from '../../../src/console/routing/yaml-place.js';

const ROUTE = `destinations:
  pacs: { aeTitle: PACS }
routes:
  - name: everything
    when:
      outcome: [positive]
    send:
`;

describe('the place of the cursor in YAML that is being written', () => {
  it.each([
    ['', [], false],
    ['rou', [], false],
    ['routes:\n  - ', ['routes', '[]'], false],
    ['routes:\n  - na', ['routes', '[]'], false],
    [`${ROUTE}      `, ['routes', '[]', 'send'], false],
    [`${ROUTE}      to: `, ['routes', '[]', 'send', 'to'], true],
    [`${ROUTE}      to: [`, ['routes', '[]', 'send', 'to', '[]'], true],
    [`${ROUTE}      to: [pacs, `, ['routes', '[]', 'send', 'to', '[]'], true],
    [`${ROUTE}      - `, ['routes', '[]', 'send', '[]'], false],
    [`${ROUTE}    `, ['routes', '[]'], false],
    [`${ROUTE}  - `, ['routes', '[]'], false],
    ['routes:\n  - name: x\n    send: { ', ['routes', '[]', 'send'], false],
    ['routes:\n  - name: x\n    send: { to: [pacs], ', ['routes', '[]', 'send'], false],
    ['routes:\n  - name: x\n    send: { priority: ', ['routes', '[]', 'send', 'priority'], true],
    ['routes:\n  - { name: x, send: { ', ['routes', '[]', 'send'], false],
    ['# note: this\nlog:\n  level: ', ['log', 'level'], true],
    ['node:\n  port: 1\n\nlog:\n  ', ['log'], false],
  ])('%j', (text, path, inValue) => {
    expect(yamlPlace(text)).toEqual({ path, inValue });
  });
});
