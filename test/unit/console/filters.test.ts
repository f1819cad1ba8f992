import { describe, expect, it } from 'vitest';
import {
  filtersFrom,
  isUnfiltered,
  queryOf,
  searchOf,
} from '../../../src/console/worklist/filters.js';

const from = (query: string) => filtersFrom(new URLSearchParams(query));

describe('the filters of the worklist', () => {
  it('come back from the address that they gave', () => {
    const filters = from('outcome=failed,positive&stage=open&period=24h');
    expect(from(new URLSearchParams(queryOf(filters)).toString())).toEqual(filters);
    expect(filters.outcomes).toEqual(['positive', 'failed']);
  });

  it('leave out what they do not know', () => {
    expect(isUnfiltered(from('outcome=fine&stage=toString&period=13h'))).toBe(true);
  });

  it('become a search in the words of the API', () => {
    const now = Date.UTC(2026, 0, 2);
    expect(searchOf(from('outcome=positive&stage=open&period=24h'), ' doe ', now)).toEqual({
      text: 'doe',
      outcome: ['positive'],
      state: ['receiving', 'waiting', 'analysing', 'reporting'],
      since: Date.UTC(2026, 0, 1),
    });
    expect(searchOf(from(''), '', now)).toEqual({});
  });
});
