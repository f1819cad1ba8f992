import type { Outcome } from './finding.js';
import { OBJECT_KINDS, type ObjectKind } from './result-object.js';

/** What a person has to hear of first: a bleed, then a possible one, then a head that nobody has read. */
const OUTCOMES: readonly Outcome[] = [
  'positive',
  'undetermined',
  'failed',
  'not-eligible',
  'negative',
];

/**
 * Rank of a delivery at its destination, lower goes first: by outcome, and among equal outcomes every report before
 * any picture, as the report alone already says what was found. Equal ranks go in the order of their making.
 */
export function urgency(outcome: Outcome, kind: ObjectKind): number {
  return OUTCOMES.indexOf(outcome) * OBJECT_KINDS.length + OBJECT_KINDS.indexOf(kind);
}
