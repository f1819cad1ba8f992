import type { ClassName, ClassResult } from '../domain/finding.js';
import { DECIDING_CLASS, type Scores, topSlices } from './decision.js';
import type { Decision } from './model-manifest.js';

/** A slab to show, and the class that it is shown for. */
export interface Pick {
  readonly index: number;
  readonly className: ClassName;
}

/**
 * The slabs worth looking at: those that decided the study, then for each present type of hemorrhage, the likeliest
 * first, the one where it is seen best. No slab comes twice. A negative study has none.
 */
export function pickKeySlices(
  scores: Scores,
  classes: readonly ClassResult[],
  decision: Decision,
  atMost: number,
): Pick[] {
  const deciding = classes.find(({ name }) => name === DECIDING_CLASS);
  if (!deciding || deciding.presence === 'absent') return [];
  const present = classes
    .filter(({ name, presence }) => name !== DECIDING_CLASS && presence === 'present')
    .sort((a, b) => b.probability - a.probability);
  const wanted = [
    ...topSlices(scores, DECIDING_CLASS, decision).map((index) => ({
      index,
      className: DECIDING_CLASS,
    })),
    ...present.flatMap(({ name: className }) =>
      topSlices(scores, className, decision)
        .slice(0, 1)
        .map((index) => ({ index, className })),
    ),
  ];
  const picks = new Map<number, Pick>();
  for (const pick of wanted) if (!picks.has(pick.index)) picks.set(pick.index, pick);
  return [...picks.values()].slice(0, atMost);
}
