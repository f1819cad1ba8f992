import { describe, expect, it } from 'vitest';
import {
  type DestinationBacklog,
  deliveryProblems,
  withoutDestination,
} from '../../../src/domain/delivery-backlog.js';

const NOW = Date.UTC(2026, 0, 2, 12);
const MINUTE = 60_000;

function line(more: Partial<DestinationBacklog>): DestinationBacklog {
  return {
    destination: 'pacs',
    due: 0,
    stored: 0,
    dead: 0,
    oldestAt: null,
    failureCode: null,
    ...more,
  };
}

describe('deliveryProblems', () => {
  it.each<[string, Partial<DestinationBacklog>, string[]]>([
    ['a busy hour without a failure', { due: 90, oldestAt: NOW - 60 * MINUTE }, []],
    [
      'a failure that may pass',
      { due: 2, oldestAt: NOW - 14 * MINUTE, failureCode: 'connection-refused' },
      [],
    ],
    [
      'a destination that has taken nothing for long',
      { due: 2, stored: 1, oldestAt: NOW - 16 * MINUTE, failureCode: 'connection-refused' },
      ['3 wait for pacs since 2026-01-02T11:44:00.000Z (connection-refused)'],
    ],
    ['dead letters', { dead: 3 }, ['3 given up at pacs']],
    [
      'a destination that is gone, at once',
      { destination: 'archive', due: 1, stored: 1, dead: 1, oldestAt: NOW },
      ['1 given up at archive', '2 wait for archive, which the configuration does not name'],
    ],
  ])('says of %s what a person has to know', (_, more, problems) => {
    expect(deliveryProblems([line(more)], ['pacs'], NOW)).toEqual(problems);
  });
});

describe('withoutDestination', () => {
  it('counts what nobody is going to send', () => {
    const backlog = [line({ due: 5 }), line({ destination: 'gone', due: 2, stored: 1, dead: 9 })];
    expect(withoutDestination(backlog, ['pacs'])).toBe(3);
  });
});
