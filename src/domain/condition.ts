import type { ClassName, Outcome, Presence, Reason, SeriesVerdict } from './finding.js';
import { type Urgency, urgencyOf } from './urgency.js';

/** Who sent slices of a study, by which of our names, and from where; the address is lost with the association's row. */
export interface StudySource {
  readonly callingAeTitle: string;
  readonly calledAeTitle: string;
  readonly address?: string;
}

/** What the header of one slice says; undefined where it cannot be read. */
export interface SliceAttributes {
  /** The values as text; none where the attribute is absent or empty. `keyword` may lead into sequences: `A.B`. */
  values(keyword: string): readonly string[];
}

/** What conditions can ask for of a model beside the deciding one. */
export interface SecondAnswer {
  /** Its name in the configuration. */
  readonly reader: string;
  readonly outcome: Outcome;
  readonly classes: StudyFacts['classes'];
}

/** Everything that conditions can ask for of an analysed study. */
export interface StudyFacts {
  readonly outcome: Outcome;
  readonly reason?: Reason | undefined;
  readonly classes: readonly {
    readonly name: ClassName;
    readonly probability: number;
    readonly presence: Presence;
  }[];
  readonly model: { readonly name: string; readonly version: string };
  /** What other models have said of the series so far; none before the report. */
  readonly secondReadings: readonly SecondAnswer[];
  readonly series: readonly SeriesVerdict[];
  readonly sources: readonly StudySource[];
  /** When the study was analysed, on the node's clock. */
  readonly localTime: { readonly weekday: Weekday; readonly minutes: number };
  /** The slices of the series that was read, in the order of Instance Number; of all series where none was. */
  readonly slices: readonly (SliceAttributes | undefined)[];
}

export const WEEKDAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
export type Weekday = (typeof WEEKDAYS)[number];

/** A regular expression in linear time, or a range of addresses: `text` as it was written. */
export interface Matcher {
  readonly text: string;
  test(value: string): boolean;
}

/** Of how many slices a test must hold. */
export const QUANTIFIERS = ['any', 'all', 'first'] as const;
export type Quantifier = (typeof QUANTIFIERS)[number];

/** What one value of an attribute must be; all that is given holds for the same value. */
export interface ValueTest {
  readonly equals?: readonly (string | number)[] | undefined;
  readonly matches?: Matcher | undefined;
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** A question with one answer for a study. */
export type Atom =
  | { readonly type: 'outcome'; readonly in: readonly Outcome[] }
  | { readonly type: 'urgency'; readonly in: readonly Urgency[] }
  | { readonly type: 'reason'; readonly in: readonly string[] }
  | { readonly type: 'class'; readonly in: readonly ClassName[] }
  | {
      readonly type: 'probability';
      readonly of: ClassName;
      readonly min?: number | undefined;
      readonly max?: number | undefined;
    }
  | { readonly type: 'model-name' | 'model-version'; readonly in: readonly string[] }
  | {
      readonly type: 'second-reader';
      readonly name?: readonly string[] | undefined;
      readonly outcome?: readonly Outcome[] | undefined;
      readonly class?: readonly ClassName[] | undefined;
    }
  | { readonly type: 'calling-ae-title' | 'called-ae-title'; readonly in: readonly string[] }
  | { readonly type: 'address'; readonly in: readonly Matcher[] }
  | { readonly type: 'weekday'; readonly in: readonly Weekday[] }
  /** Minutes since midnight; `from` later than `to` goes over midnight. `to` is not in it. */
  | { readonly type: 'time'; readonly from: number; readonly to: number }
  | {
      readonly type: 'series';
      readonly verdict?: readonly SeriesVerdict['verdict'][] | undefined;
      readonly reason?: readonly string[] | undefined;
      readonly modality?: readonly string[] | undefined;
    }
  | {
      readonly type: 'attribute';
      readonly keyword: string;
      readonly slices: Quantifier;
      /** `false` asks for slices without a value. */
      readonly present: boolean;
      readonly value: ValueTest;
    };

export type Condition =
  | Atom
  | { readonly type: 'all' | 'any'; readonly of: readonly Condition[] }
  | { readonly type: 'not'; readonly of: Condition };

/** Whether a condition holds, or why that cannot be said. */
export type Judgement = boolean | Reason;

/**
 * Kleene's logic of three values: what cannot be said makes the whole unsaid only where it matters. `ask` answers the
 * questions.
 */
export function judge(condition: Condition, ask: (atom: Atom) => Judgement): Judgement {
  switch (condition.type) {
    case 'all':
      return join(condition.of, ask, false);
    case 'any':
      return join(condition.of, ask, true);
    case 'not': {
      const judgement = judge(condition.of, ask);
      return typeof judgement === 'boolean' ? !judgement : judgement;
    }
    default:
      return ask(condition);
  }
}

/** `decisive` settles the whole: false for `all`, true for `any`. */
function join(
  conditions: readonly Condition[],
  ask: (atom: Atom) => Judgement,
  decisive: boolean,
): Judgement {
  let open: Reason | undefined;
  for (const condition of conditions) {
    const judgement = judge(condition, ask);
    if (judgement === decisive) return decisive;
    if (typeof judgement !== 'boolean') open ??= judgement;
  }
  return open ?? !decisive;
}

/** The answer to a question about this study. */
export function answer(atom: Atom, facts: StudyFacts): Judgement {
  switch (atom.type) {
    case 'outcome':
      return atom.in.includes(facts.outcome);
    case 'urgency':
      return atom.in.includes(urgencyOf(facts.outcome));
    case 'reason':
      return facts.reason !== undefined && atom.in.includes(facts.reason.code);
    case 'class':
      return hasPresent(facts.classes, atom.in);
    case 'probability': {
      const found = facts.classes.find(({ name }) => name === atom.of);
      return found !== undefined && within(found.probability, atom);
    }
    case 'model-name':
      return atom.in.includes(facts.model.name);
    case 'model-version':
      return atom.in.includes(facts.model.version);
    case 'second-reader':
      return facts.secondReadings.some(
        ({ reader, outcome, classes }) =>
          (atom.name?.includes(reader) ?? true) &&
          (atom.outcome?.includes(outcome) ?? true) &&
          (atom.class === undefined || hasPresent(classes, atom.class)),
      );
    case 'calling-ae-title':
      return facts.sources.some(({ callingAeTitle }) => atom.in.includes(callingAeTitle));
    case 'called-ae-title':
      return facts.sources.some(({ calledAeTitle }) => atom.in.includes(calledAeTitle));
    case 'address':
      return isFrom(atom.in, facts.sources);
    case 'weekday':
      return atom.in.includes(facts.localTime.weekday);
    case 'time':
      return isWithinDay(facts.localTime.minutes, atom.from, atom.to);
    case 'series':
      return facts.series.some(
        ({ verdict, reason, modality }) =>
          (atom.verdict?.includes(verdict) ?? true) &&
          (atom.reason?.includes(reason.code) ?? true) &&
          (atom.modality === undefined || (modality ? atom.modality.includes(modality) : false)),
      );
    case 'attribute':
      return holdsOfSlices(atom, facts.slices);
  }
}

type AttributeAtom = Extract<Atom, { readonly type: 'attribute' }>;

const NO_SLICES: Reason = { code: 'no-slices', text: 'No slice of the study is stored any more' };
const UNREADABLE: Reason = { code: 'header-unreadable', text: "A slice's header cannot be read" };
const NO_ADDRESS: Reason = { code: 'address-lost', text: 'It is not known any more who sent it' };

export function isWithinDay(minutes: number, from: number, to: number): boolean {
  return from < to ? minutes >= from && minutes < to : minutes >= from || minutes < to;
}

function hasPresent(classes: StudyFacts['classes'], wanted: readonly ClassName[]): boolean {
  return classes.some(({ name, presence }) => presence === 'present' && wanted.includes(name));
}

function within(value: number, { min = -Infinity, max = Infinity }: ValueTest): boolean {
  return value >= min && value <= max;
}

function isFrom(ranges: readonly Matcher[], sources: readonly StudySource[]): Judgement {
  const addresses = sources.flatMap(({ address }) => (address === undefined ? [] : [address]));
  if (addresses.some((address) => ranges.some((range) => range.test(address)))) return true;
  return addresses.length < sources.length || sources.length === 0 ? NO_ADDRESS : false;
}

function holdsOfSlices(atom: AttributeAtom, slices: StudyFacts['slices']): Judgement {
  if (slices.length === 0) return NO_SLICES;
  const asked = atom.slices === 'first' ? slices.slice(0, 1) : slices;
  const decisive = atom.slices === 'any';
  let open: Reason | undefined;
  for (const slice of asked) {
    const judgement = slice === undefined ? UNREADABLE : holdsOfSlice(atom, slice);
    if (judgement === decisive) return decisive;
    if (typeof judgement !== 'boolean') open ??= judgement;
  }
  return open ?? !decisive;
}

/** One value that fits is enough: an attribute such as Image Type has several. */
function holdsOfSlice({ keyword, present, value }: AttributeAtom, slice: SliceAttributes) {
  const values = slice.values(keyword).filter((text) => text !== '');
  if (!present) return values.length === 0;
  return values.some((text) => fits(value, text));
}

function fits(test: ValueTest, text: string): boolean {
  const { equals, matches, min, max } = test;
  const number = text.trim() === '' ? Number.NaN : Number(text);
  return (
    (equals?.some((one) => (typeof one === 'number' ? one === number : one === text)) ?? true) &&
    (matches?.test(text) ?? true) &&
    // What is no number lies in no range.
    ((min === undefined && max === undefined) || within(number, test))
  );
}

/** Every question in a condition. */
export function atomsOf(condition: Condition): Atom[] {
  switch (condition.type) {
    case 'all':
    case 'any':
      return condition.of.flatMap(atomsOf);
    case 'not':
      return atomsOf(condition.of);
    default:
      return [condition];
  }
}
