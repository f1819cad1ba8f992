import { describe, expect, it } from 'vitest';
import { type Atom, type Condition, type Judgement, judge } from '../../../src/domain/condition.js';

const DOUBT = { code: 'doubt', text: 'It cannot be said' };
const ANSWERS: readonly Judgement[] = [true, false, DOUBT];
const NAMES = ['a', 'b', 'c'] as const;

const atom = (name: string): Atom => ({ type: 'reason', in: [name] });
const not = (of: Condition): Condition => ({ type: 'not', of });
const all = (...of: Condition[]): Condition => ({ type: 'all', of });
const any = (...of: Condition[]): Condition => ({ type: 'any', of });

/** A generator of its own: the same conditions in each run. */
function random(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

function condition(below: (limit: number) => number, depth: number): Condition {
  const kind = depth === 0 ? 0 : below(4);
  if (kind === 0) return atom(NAMES[below(3)] ?? 'a');
  if (kind === 1) return not(condition(below, depth - 1));
  const of = Array.from({ length: below(4) }, () => condition(below, depth - 1));
  return kind === 2 ? all(...of) : any(...of);
}

type Answers = Readonly<Record<string, Judgement>>;
const worlds: Answers[] = ANSWERS.flatMap((a) =>
  ANSWERS.flatMap((b) => ANSWERS.map((c) => ({ a, b, c }))),
);
const judged = (one: Condition, answers: Answers): Judgement =>
  judge(one, (asked) => (asked.type === 'reason' ? (answers[asked.in[0] ?? ''] ?? false) : false));
const sameIn = (a: Condition, b: Condition) =>
  worlds.every((answers) => judged(a, answers) === judged(b, answers));

describe('conditions, over 500 drawn ones and every combination of yes, no and unknown', () => {
  const below = random(7);
  const drawn = Array.from({ length: 500 }, () => condition(below, 4));

  it('obey the laws of Kleene: double negation, De Morgan, neutral elements', () => {
    for (const [i, one] of drawn.entries()) {
      const other = drawn[(i + 1) % drawn.length] ?? one;
      expect(sameIn(not(not(one)), one)).toBe(true);
      expect(sameIn(not(all(one, other)), any(not(one), not(other)))).toBe(true);
      expect(sameIn(not(any(one, other)), all(not(one), not(other)))).toBe(true);
      expect(sameIn(all(one), one) && sameIn(any(one), one)).toBe(true);
      expect(sameIn(all(one, any()), any())).toBe(true);
      expect(sameIn(any(one, all()), all())).toBe(true);
    }
  });

  it('never answer otherwise once a doubt is gone', () => {
    for (const one of drawn) {
      for (const answers of worlds) {
        const judgement = judged(one, answers);
        if (typeof judgement !== 'boolean') continue;
        for (const surer of worlds) {
          const resolves = NAMES.every(
            (name) => answers[name] === DOUBT || surer[name] === answers[name],
          );
          if (resolves) expect(judged(one, surer)).toBe(judgement);
        }
      }
    }
  });
});
