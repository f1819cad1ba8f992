import { expect, it } from 'vitest';
import { Recent } from '../../../src/infer/recent.js';

it('forgets what was not used for longest', () => {
  const recent = new Recent<number>(2);
  recent.set('a', 1);
  recent.set('b', 2);
  recent.get('a');
  expect(recent.set('c', 3)).toBe(2);
  expect([recent.get('a'), recent.get('b'), recent.get('c')]).toEqual([1, undefined, 3]);
});
