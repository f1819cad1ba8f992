import type { Outcome } from './finding.js';
import { OBJECT_KINDS, type RoutableKind } from './result-object.js';

/** How soon a person has to hear of a study. */
export const URGENCIES = ['immediate', 'prompt', 'routine'] as const;
export type Urgency = (typeof URGENCIES)[number];

/** A head that nobody has read is as pressing as a possible bleed: only a negative one can wait. */
const URGENCY_OF: Readonly<Record<Outcome, Urgency>> = {
  positive: 'immediate',
  undetermined: 'prompt',
  failed: 'prompt',
  'not-eligible': 'prompt',
  negative: 'routine',
};

export function urgencyOf(outcome: Outcome): Urgency {
  return URGENCY_OF[outcome];
}

/** What a route may ask for; also the C-STORE Priority (0000,0700), PS3.7 9.3.1.1. */
export const PRIORITIES = ['high', 'medium', 'low'] as const;
export type Priority = (typeof PRIORITIES)[number];

/** What a person has to hear of first: a bleed, then a possible one, then a head that nobody has read. */
export const OUTCOMES: readonly Outcome[] = [
  'positive',
  'undetermined',
  'failed',
  'not-eligible',
  'negative',
];

/** More than the ranks of one priority. */
const PRIORITY_STEP = 100;
/** Results take tens of kilobytes, a study's originals tens of megabytes: those go when no result waits. */
const ORIGINALS = 50;

/**
 * Rank of a delivery at its destination, lower goes first: by the route's priority, then by outcome, and among equal
 * outcomes every report before any picture, as the report alone already says what was found. Equal ranks go in the
 * order of their making.
 */
export function deliveryRank(
  outcome: Outcome,
  kind: RoutableKind,
  priority: Priority = 'medium',
): number {
  const step = (PRIORITIES.indexOf(priority) - 1) * PRIORITY_STEP;
  // Few words, and a person waits for them.
  if (kind === 'notification') return step + OUTCOMES.indexOf(outcome) * OBJECT_KINDS.length;
  if (kind === 'original') return step + ORIGINALS + OUTCOMES.indexOf(outcome);
  const object = OBJECT_KINDS.indexOf(kind === 'comprehensive-sr' ? 'sr' : kind);
  return step + OUTCOMES.indexOf(outcome) * OBJECT_KINDS.length + object;
}

/** The route's priority, from the rank that it led to. */
export function priorityOf(rank: number): Priority {
  if (rank < 0) return 'high';
  return rank >= PRIORITY_STEP ? 'low' : 'medium';
}

/** By Series Instance UID how likely a hemorrhage is by the slices seen so far, on any rising scale. */
export type Suspicion = Readonly<Record<string, number>>;

/** What is less urgent waits no longer than this for what is more. Milliseconds. */
export const LONGEST_YIELD_MS = 10 * 60 * 1000;
