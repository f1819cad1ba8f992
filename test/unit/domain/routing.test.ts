import { describe, expect, it } from 'vitest';
import { planDeliveries, type Route } from '../../../src/domain/routing.js';

const origin = { callingAeTitle: 'CT1', calledAeTitle: 'VIGIL' };

const route = (name: string, when: Route['when'], send: Route['send']): Route => ({
  name,
  when,
  send,
});

describe('planDeliveries', () => {
  it('asks for each object and destination once, by the first route that does', () => {
    const routes = [
      route('first', {}, { objects: ['sr'], to: ['pacs'] }),
      route('second', {}, { objects: ['sr', 'heatmap'], to: ['pacs', 'archive'] }),
    ];
    expect(planDeliveries(routes, 'positive', origin)).toEqual([
      { kind: 'sr', destination: 'pacs', route: 'first' },
      { kind: 'heatmap', destination: 'pacs', route: 'second' },
      { kind: 'sr', destination: 'archive', route: 'second' },
      { kind: 'heatmap', destination: 'archive', route: 'second' },
    ]);
  });

  const conditions: readonly [string, Route['when'], boolean][] = [
    ['no condition', {}, true],
    ['the outcome among several', { outcome: ['failed', 'positive'] }, true],
    ['another outcome', { outcome: ['negative'] }, false],
    ['the calling AE title', { callingAeTitle: ['CT1'] }, true],
    ['another calling AE title', { callingAeTitle: ['CT2'] }, false],
    ['all conditions', { outcome: ['positive'], calledAeTitle: ['VIGIL'] }, true],
    ['one of two conditions', { outcome: ['positive'], calledAeTitle: ['OTHER'] }, false],
  ];

  it.each(conditions)('%s', (_, when, matches) => {
    const planned = planDeliveries(
      [route('r', when, { objects: ['sr'], to: ['pacs'] })],
      'positive',
      origin,
    );
    expect(planned).toHaveLength(matches ? 1 : 0);
  });
});
