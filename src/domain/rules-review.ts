import { type Atom, atomsOf, isWithinDay, WEEKDAYS } from './condition.js';
import type { Outcome } from './finding.js';
import { decideBy, type Route, type RoutingRules } from './routing.js';
import { urgencyOf } from './urgency.js';

/** What can be said of rules without any study. */
export interface RulesReview {
  /** Whether every combination was tried; without it nothing is said of what never happens. */
  readonly exhaustive: boolean;
  /** Routes that hold for no study, or stand behind routes that stop before them. */
  readonly unreachable: readonly string[];
  /** Routes whose every delivery an earlier route already asks for. */
  readonly superfluous: readonly string[];
  /** Two routes of which the later asks for the same delivery with other options, which do not count. */
  readonly overlapping: readonly { readonly earlier: string; readonly later: string }[];
  /** Outcomes whose studies may go nowhere: which route withholds them, or none where none holds. */
  readonly unsent: readonly {
    readonly outcome: Outcome;
    /** Whether this is so of every study with that outcome. */
    readonly always: boolean;
    readonly withheldBy?: string;
  }[];
}

/** Where there are more combinations, so many of them are drawn. */
const MOST_WORLDS = 1 << 12;

const OUTCOMES: readonly Outcome[] = [
  'positive',
  'undetermined',
  'failed',
  'not-eligible',
  'negative',
];
/** What nobody would miss. */
const MAY_GO_UNSENT: readonly Outcome[] = ['negative'];

/** One way that a study can be, as far as the rules ask: what its questions are answered with. */
interface World {
  readonly outcome: Outcome;
  readonly ask: (atom: Atom) => boolean;
}

/**
 * Tries the rules on every kind of study that they can tell apart: each outcome, with each combination of answers to
 * the other questions. Questions on one thing (a weekday, an AE title, a probability) are answered consistently; any
 * other two as if they had nothing to do with each other.
 */
export function reviewRules(rules: RoutingRules): RulesReview {
  const { worlds, exhaustive } = worldsOf(rules.routes.flatMap(({ when }) => atomsOf(when)));
  const reached = new Set<string>();
  const useful = new Set<string>();
  const overlaps = new Map<string, { earlier: string; later: string }>();
  const unsent = new Map<string, RulesReview['unsent'][number]>();
  const sent = new Set<Outcome>();
  const disputed = disputedRoutes(rules);
  for (const { outcome, ask } of worlds) {
    const { matched, deliveries, withheld } = decideBy(rules, ask);
    for (const name of matched) reached.add(name);
    for (const { route } of deliveries) useful.add(route);
    if (disputed.length > 0) noteOverlaps(disputed, matched, deliveries, overlaps);
    if (deliveries.length > 0) sent.add(outcome);
    else if (!MAY_GO_UNSENT.includes(outcome)) {
      const withheldBy = withheld?.route;
      const entry = { outcome, always: false, ...(withheldBy && { withheldBy }) };
      unsent.set(`${outcome} ${withheldBy ?? ''}`, entry);
    }
  }
  const sending = rules.routes.filter(
    ({ send, forward, notify = [] }) => send.length + forward.length + notify.length > 0,
  );
  const unreachable = rules.routes.filter(({ name }) => !reached.has(name));
  const superfluous = sending.filter(({ name, withhold, stop }) => {
    return reached.has(name) && !useful.has(name) && withhold === undefined && !stop;
  });
  return {
    exhaustive,
    unreachable: exhaustive ? unreachable.map(({ name }) => name) : [],
    superfluous: exhaustive ? superfluous.map(({ name }) => name) : [],
    overlapping: [...overlaps.values()],
    unsent: [...unsent.values()].map((entry) => ({
      ...entry,
      always: exhaustive && !sent.has(entry.outcome),
    })),
  };
}

/** Routes that give other options than some route for the same object and destination. */
function disputedRoutes({ routes }: RoutingRules): readonly Route[] {
  const options = new Map<string, Set<string>>();
  const sends = routes.flatMap((route) =>
    route.send.flatMap(({ objects, to, priority, transferSyntax }) =>
      objects.flatMap((kind) =>
        to.map((name) => ({
          route,
          key: `${kind} ${name}`,
          option: `${priority} ${transferSyntax}`,
        })),
      ),
    ),
  );
  for (const { key, option } of sends) {
    options.set(key, (options.get(key) ?? new Set()).add(option));
  }
  const disputed = sends.filter(({ key }) => (options.get(key)?.size ?? 0) > 1);
  return [...new Set(disputed.map(({ route }) => route))];
}

function noteOverlaps(
  routes: readonly Route[],
  matched: readonly string[],
  deliveries: ReturnType<typeof decideBy>['deliveries'],
  overlaps: Map<string, { earlier: string; later: string }>,
): void {
  for (const { name, send } of routes) {
    if (!matched.includes(name)) continue;
    for (const { objects, to, priority, transferSyntax } of send) {
      const other = deliveries.find(
        (planned) =>
          planned.route !== name &&
          to.includes(planned.destination) &&
          objects.some((kind) => kind === planned.kind) &&
          (planned.priority !== priority || planned.transferSyntax !== transferSyntax),
      );
      if (other === undefined) continue;
      overlaps.set(`${other.route} ${name}`, { earlier: other.route, later: name });
    }
  }
}

/** Something that a study has one value of; `values` are told apart by the atoms. */
interface Dimension {
  readonly atoms: readonly Atom[];
  readonly values: readonly unknown[];
}

function worldsOf(atoms: readonly Atom[]): { worlds: World[]; exhaustive: boolean } {
  const dimensions = dimensionsOf(atoms);
  const place = new Map(dimensions.flatMap(({ atoms }, i) => atoms.map((atom) => [atom, i])));
  const world = (outcome: Outcome, values: readonly unknown[]): World => ({
    outcome,
    ask: (atom) => answerIn(atom, outcome, values[place.get(atom) ?? -1]),
  });
  const count = dimensions.reduce((product, { values }) => product * values.length, 1);
  const exhaustive = count * OUTCOMES.length <= MOST_WORLDS;
  const combined = exhaustive
    ? combinations(dimensions)
    : drawn(dimensions, Math.floor(MOST_WORLDS / OUTCOMES.length));
  return {
    worlds: OUTCOMES.flatMap((outcome) => combined.map((values) => world(outcome, values))),
    exhaustive,
  };
}

function answerIn(atom: Atom, outcome: Outcome, value: unknown): boolean {
  if (atom.type === 'outcome') return atom.in.includes(outcome);
  if (atom.type === 'urgency') return atom.in.includes(urgencyOf(outcome));
  const isUnread = outcome === 'failed' || outcome === 'not-eligible';
  if (isUnread && (atom.type === 'class' || atom.type === 'probability')) return false;
  return holds(atom, value);
}

function combinations(dimensions: readonly Dimension[]): unknown[][] {
  return dimensions.reduce<unknown[][]>(
    (so, { values }) => so.flatMap((row) => values.map((value) => [...row, value])),
    [[]],
  );
}

/** Combinations by a linear congruential generator (Numerical Recipes): the same rules draw the same ones. */
function drawn(dimensions: readonly Dimension[], count: number): unknown[][] {
  let state = 1;
  const below = (limit: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
  return Array.from({ length: count }, () =>
    dimensions.map(({ values }) => values[below(values.length)]),
  );
}

/** A value that no rule names. */
const OTHER = Symbol('other');

function dimensionsOf(atoms: readonly Atom[]): Dimension[] {
  const groups = new Map<string, Atom[]>();
  for (const atom of atoms) {
    if (atom.type === 'outcome' || atom.type === 'urgency') continue;
    const key = subjectOf(atom);
    groups.set(key, [...(groups.get(key) ?? []), atom]);
  }
  return [...groups.values()].map((group) => {
    const seen = new Set<string>();
    const values = candidates(group).filter((value) => {
      const signature = group.map((atom) => Number(holds(atom, value))).join('');
      return !seen.has(signature) && seen.add(signature);
    });
    return { atoms: group, values };
  });
}

/** Atoms on the same subject exclude or imply one another. */
function subjectOf(atom: Atom): string {
  switch (atom.type) {
    case 'probability':
      return `probability ${atom.of}`;
    case 'model-name':
    case 'model-version':
    case 'calling-ae-title':
    case 'called-ae-title':
    case 'weekday':
    case 'time':
    case 'reason':
      return atom.type;
    default:
      return atomKey(atom);
  }
}

function candidates(group: readonly Atom[]): unknown[] {
  const [first] = group;
  switch (first?.type) {
    case 'probability': {
      const cuts = group.flatMap((atom) => ('min' in atom ? [atom.min, atom.max] : []));
      const known = cuts.filter((cut) => cut !== undefined);
      return [0, 1, ...known, ...known.flatMap((cut) => [cut - 1e-9, cut + 1e-9])].filter(
        (value) => value >= 0 && value <= 1,
      );
    }
    case 'time':
      return group.flatMap((atom) => (atom.type === 'time' ? [atom.from, atom.to] : []));
    case 'weekday':
      return [...WEEKDAYS];
    case 'model-name':
    case 'model-version':
    case 'calling-ae-title':
    case 'called-ae-title':
    case 'reason':
      return [OTHER, ...group.flatMap((atom) => ('in' in atom ? [...atom.in] : []))];
    default:
      return [true, false];
  }
}

function holds(atom: Atom, value: unknown): boolean {
  switch (atom.type) {
    case 'probability':
      return Number(value) >= (atom.min ?? 0) && Number(value) <= (atom.max ?? 1);
    case 'time':
      return isWithinDay(Number(value), atom.from, atom.to);
    case 'weekday':
    case 'model-name':
    case 'model-version':
    case 'calling-ae-title':
    case 'called-ae-title':
    case 'reason':
      return atom.in.some((one) => one === value);
    default:
      return value === true;
  }
}

/** Equal for questions that are written alike. */
function atomKey(atom: Atom): string {
  return JSON.stringify(atom, (_, value: unknown) =>
    typeof value === 'object' && value !== null && 'test' in value && 'text' in value
      ? value.text
      : value,
  );
}
