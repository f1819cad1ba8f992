import type { Outcome, StudySearch, StudyState } from '../../admin/api/schemas/studies.js';

/** What the worklist is narrowed to. It stands in the address, so that it can be linked to; a searched name does not. */
export interface Filters {
  readonly outcomes: readonly Outcome[];
  readonly stage: Stage;
  readonly period: Period;
}

export const STAGES = {
  all: 'Any',
  open: 'In progress',
  reported: 'Reported',
  stuck: 'Stuck',
} as const;
export type Stage = keyof typeof STAGES;

const STATES: Readonly<Record<Exclude<Stage, 'all'>, StudyState[]>> = {
  open: ['receiving', 'waiting', 'analysing', 'reporting'],
  reported: ['reported'],
  stuck: ['stuck'],
};

export const PERIODS = {
  all: 'Any time',
  '12h': 'Last 12 hours',
  '24h': 'Last 24 hours',
  '7d': 'Last 7 days',
  '30d': 'Last 30 days',
} as const;
export type Period = keyof typeof PERIODS;

const HOURS: Readonly<Record<Exclude<Period, 'all'>, number>> = {
  '12h': 12,
  '24h': 24,
  '7d': 7 * 24,
  '30d': 30 * 24,
};

/** What the chips choose; both ways of not being analysed are one, as neither is a result. */
export const OUTCOME_GROUPS: readonly {
  readonly word: string;
  readonly outcomes: readonly Outcome[];
}[] = [
  { word: 'Positive', outcomes: ['positive'] },
  { word: 'Undetermined', outcomes: ['undetermined'] },
  { word: 'Not analysed', outcomes: ['failed', 'not-eligible'] },
  { word: 'Negative', outcomes: ['negative'] },
];

export const isUnfiltered = ({ outcomes, stage, period }: Filters): boolean =>
  outcomes.length === 0 && stage === 'all' && period === 'all';

/** The filters of an address; what it does not know it leaves out. */
export function filtersFrom(query: URLSearchParams): Filters {
  const named = (query.get('outcome') ?? '').split(',');
  const known = OUTCOME_GROUPS.flatMap(({ outcomes }) => outcomes);
  const stage = query.get('stage') ?? 'all';
  const period = query.get('period') ?? 'all';
  return {
    outcomes: known.filter((outcome) => named.includes(outcome)),
    stage: isKeyOf(STAGES, stage) ? stage : 'all',
    period: isKeyOf(PERIODS, period) ? period : 'all',
  };
}

export function queryOf({ outcomes, stage, period }: Filters): Record<string, string> {
  return {
    outcome: outcomes.join(','),
    stage: stage === 'all' ? '' : stage,
    period: period === 'all' ? '' : period,
  };
}

/** The same in the words of the API. */
export function searchOf(
  { outcomes, stage, period }: Filters,
  text: string,
  now: number,
): Partial<StudySearch> {
  return {
    ...(text.trim() === '' ? {} : { text: text.trim() }),
    ...(outcomes.length === 0 ? {} : { outcome: [...outcomes] }),
    ...(stage === 'all' ? {} : { state: STATES[stage] }),
    ...(period === 'all' ? {} : { since: now - HOURS[period] * 3_600_000 }),
  };
}

function isKeyOf<Table extends object>(table: Table, key: string): key is string & keyof Table {
  return Object.hasOwn(table, key);
}
