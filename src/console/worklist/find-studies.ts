import type { StudyPage, StudySearch, StudySummary } from '../../admin/api/schemas/studies.js';
import type { ApiClient } from '../api/client.js';
import { OUTCOMES } from '../words.js';
import { type Filters, isUnfiltered, searchOf } from './filters.js';

export interface Worklist {
  /** What a person has to look at first, the most urgent on top; empty where the list is narrowed to something. */
  readonly first: readonly StudySummary[];
  /** Newest first, without those. */
  readonly others: readonly StudySummary[];
  readonly hasMore: boolean;
}

export const PAGE = 50;
const FRESH_MS = 24 * 3_600_000;

/** The studies of the list, `pages` pages of PAGE. */
export async function findStudies(
  api: ApiClient,
  filters: Filters,
  text: string,
  pages: number,
  signal: AbortSignal,
): Promise<Worklist> {
  const ask = (search: Partial<StudySearch>) =>
    api.post<StudyPage>('/studies/search', search, signal);
  const now = Date.now();
  const narrowed = !isUnfiltered(filters) || text.trim() !== '';
  const [list, urgent, stuck] = await Promise.all([
    pagesOf(ask, searchOf(filters, text, now), pages),
    narrowed ? undefined : ask({ outcome: URGENT, since: now - FRESH_MS, limit: 100 }),
    narrowed ? undefined : ask({ state: ['stuck'], limit: 100 }),
  ]);
  const first = distinct([...(stuck?.studies ?? []), ...(urgent?.studies ?? [])]).sort(byUrgency);
  const uids = new Set(first.map(({ studyInstanceUid }) => studyInstanceUid));
  return {
    first,
    others: list.studies.filter(({ studyInstanceUid }) => !uids.has(studyInstanceUid)),
    hasMore: list.hasMore,
  };
}

const URGENT = OUTCOMES.filter((outcome) => outcome !== 'negative');

async function pagesOf(
  ask: (search: Partial<StudySearch>) => Promise<StudyPage>,
  search: Partial<StudySearch>,
  pages: number,
): Promise<{ studies: StudySummary[]; hasMore: boolean }> {
  const studies: StudySummary[] = [];
  let cursor: string | null | undefined;
  for (let page = 0; page < pages && cursor !== null; page += 1) {
    const answer = await ask({ ...search, limit: PAGE, ...(cursor ? { cursor } : {}) });
    studies.push(...answer.studies);
    cursor = answer.next;
  }
  return { studies: distinct(studies), hasMore: cursor !== null };
}

/** A study that came while pages were asked for is on two of them. */
function distinct(studies: readonly StudySummary[]): StudySummary[] {
  return [...new Map(studies.map((study) => [study.studyInstanceUid, study])).values()];
}

function byUrgency(a: StudySummary, b: StudySummary): number {
  return rank(a) - rank(b) || b.receivedAt - a.receivedAt;
}

/** A study without a report that nothing but a person moves on is as pressing as a possible bleed. */
function rank({ outcome, state }: StudySummary): number {
  if (outcome === 'positive') return -1;
  return state === 'stuck' || outcome === null ? 0 : OUTCOMES.indexOf(outcome);
}
