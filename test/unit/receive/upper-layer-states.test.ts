import { describe, expect, it } from 'vitest';
import { EVENTS, type Event, next, STATES } from '../../../src/receive/upper-layer-states.js';

/**
 * PS3.8 Table 9-10 as printed, rows by event, columns Sta1, 2, 3, 6, 8 and 13; '-' is a cell that the standard leaves
 * empty.
 */
const TABLE_9_10: Record<string, string> = {
  Evt3: '-        AA-1/13  AA-8/13  AA-8/13  AA-8/13  AA-6/13',
  Evt4: '-        AA-1/13  AA-8/13  AA-8/13  AA-8/13  AA-6/13',
  Evt5: 'AE-5/2   -        -        -        -        -      ',
  Evt6: '-        AE-6/3   AA-8/13  AA-8/13  AA-8/13  AA-7/13',
  Evt7: '-        -        AE-7/6   -        -        -      ',
  Evt8: '-        -        AE-8/13  -        -        -      ',
  Evt9: '-        -        -        DT-1/6   AR-7/8   -      ',
  Evt10: '-       AA-1/13  AA-8/13  DT-2/6   AA-8/13  AA-6/13',
  Evt12: '-       AA-1/13  AA-8/13  AR-2/8   AA-8/13  AA-6/13',
  Evt13: '-       AA-1/13  AA-8/13  AA-8/13  AA-8/13  AA-6/13',
  Evt14: '-       -        -        -        AR-4/13  -      ',
  Evt15: '-       -        AA-1/13  AA-1/13  AA-1/13  -      ',
  Evt16: '-       AA-2/1   AA-3/1   AA-3/1   AA-3/1   AA-2/1 ',
  Evt17: '-       AA-5/1   AA-4/1   AA-4/1   AA-4/1   AR-5/1 ',
  Evt18: '-       AA-2/1   -        -        -        AA-2/1 ',
  Evt19: '-       AA-1/13  AA-8/13  AA-8/13  AA-8/13  AA-7/13',
};

const cells = (Object.entries(EVENTS) as [Event, string][]).flatMap(([event, number]) => {
  const row = (TABLE_9_10[number] ?? '').trim().split(/\s+/);
  return STATES.map((state, column) => ({ event, number, state, cell: row[column] }));
});

describe('the state machine of an association acceptor', () => {
  it('is tested for every state and event', () => {
    expect(cells).toHaveLength(STATES.length * Object.keys(TABLE_9_10).length);
    expect(cells.every(({ cell }) => cell !== undefined)).toBe(true);
  });

  it.each(cells)('$state x $number ($event) is $cell', ({ state, event, cell }) => {
    const transition = next(state, event);
    const shown = transition ? `${transition.action}/${transition.next.slice(3)}` : '-';
    expect(shown).toBe(cell);
  });
});
