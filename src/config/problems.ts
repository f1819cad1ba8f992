import type { z } from 'zod';

export type KeyPath = readonly (string | number)[];

/** One thing that is wrong, in terms of the file's keys; `line` and `column` count from 1. */
export interface ConfigProblem {
  /** Such as `destinations.pacs.port`; empty for the file as a whole. */
  readonly path: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly line?: number | undefined;
  readonly column?: number | undefined;
  /** The environment variable that the value came from. */
  readonly variable?: string | undefined;
}

/** A problem before it has its place in the text. */
export interface Fault {
  readonly keys: KeyPath;
  /** The key itself is wrong, not its value. */
  readonly atKey?: boolean;
  readonly message: string;
  readonly hint?: string | undefined;
}

/** A configuration that cannot be used; the message lists every problem, one or two lines each. */
export class ConfigError extends Error {
  readonly code = 'config-invalid';
  readonly file: string;
  readonly problems: readonly ConfigProblem[];

  constructor(file: string, problems: readonly ConfigProblem[], options?: ErrorOptions) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    super([`${file}: ${count}`, ...problems.map(problemText)].join('\n'), options);
    this.name = 'ConfigError';
    this.file = file;
    this.problems = problems;
  }
}

/** One or two indented lines: where, what, and what to do. */
export function problemText(problem: ConfigProblem): string {
  const { path, message, hint, line, column, variable } = problem;
  const place = variable ?? (line === undefined ? '' : `line ${line}:${column ?? 1}`);
  const what = [place, path].filter((part) => part !== '').join('  ');
  return `  ${what === '' ? '' : `${what}  `}${message}${hint === undefined ? '' : `\n      hint: ${hint}`}`;
}

/** `routes[0].send.to` and the like. */
export function pathText(keys: KeyPath): string {
  return keys
    .map((key, i) => (typeof key === 'number' ? `[${key}]` : i === 0 ? key : `.${key}`))
    .join('');
}

/** What zod found, in our words. `known` gives the keys that an object at a path may have. */
export function faultsOf(
  error: z.ZodError,
  input: unknown,
  known: (keys: KeyPath) => readonly string[],
): Fault[] {
  return error.issues.flatMap((issue) => faultsOfIssue(issue, [], input, known));
}

function faultsOfIssue(
  issue: z.core.$ZodIssue,
  above: KeyPath,
  input: unknown,
  known: (keys: KeyPath) => readonly string[],
): Fault[] {
  const keys = [
    ...above,
    ...issue.path.map((key) => (typeof key === 'symbol' ? String(key) : key)),
  ];
  const value = valueAt(input, keys);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => ({
        keys: [...keys, key],
        atKey: true,
        message: 'is no known key',
        hint: suggestion(key, known(keys)),
      }));
    case 'invalid_union': {
      const branch = nearestBranch(issue, value);
      return branch === undefined
        ? [{ keys, message: `is ${shown(value)}`, hint: issue.message }]
        : branch.flatMap((inner) => faultsOfIssue(inner, keys, input, known));
    }
    case 'invalid_key': {
      const [inner = issue] = issue.issues;
      return [{ keys, atKey: true, message: inner.message, ...hintOf(inner) }];
    }
    case 'invalid_value':
      return [
        {
          keys,
          message: value === undefined ? 'is missing' : `is ${shown(value)}`,
          hint: suggestion(String(value), issue.values.map(String)),
        },
      ];
    case 'invalid_type':
      return [wrongType(keys, issue.expected, value)];
    case 'too_small':
      return [{ keys, message: `is ${size(issue.origin, value)}, less than ${issue.minimum}` }];
    case 'too_big':
      return [{ keys, message: `is ${size(issue.origin, value)}, more than ${issue.maximum}` }];
    case 'custom':
      return [{ keys, message: issue.message, ...hintOf(issue) }];
    default:
      return [{ keys, message: issue.message }];
  }
}

/** What a check of our own says beside its message. */
function hintOf(issue: z.core.$ZodIssue): { hint?: string } {
  const hint: unknown = issue.code === 'custom' ? issue.params?.['hint'] : undefined;
  return typeof hint === 'string' ? { hint } : {};
}

/** The alternative whose type the value has, with the fewest complaints; undefined where it has none of the types. */
function nearestBranch(
  { errors, message }: z.core.$ZodIssueInvalidUnion,
  value: unknown,
): readonly z.core.$ZodIssue[] | undefined {
  const isScalar = typeof value === 'string' || typeof value === 'number';
  const ofType = errors.filter((issues) =>
    issues.every(({ path, code }) => {
      if (path.length > 0 || code === 'too_small' || code === 'unrecognized_keys') return true;
      // A union with words of its own says better what it takes.
      return isScalar && message === UNION_WITHOUT_WORDS && code !== 'invalid_type';
    }),
  );
  return ofType.sort((a, b) => a.length - b.length)[0];
}

const UNION_WITHOUT_WORDS = 'Invalid input';

function wrongType(keys: KeyPath, expected: string, value: unknown): Fault {
  const noun = NOUNS[expected] ?? expected;
  if (value === undefined) return { keys, message: 'is missing', hint: `a ${noun}` };
  const message = `is ${shown(value)}, not a ${noun}`;
  if (expected === 'string' && (typeof value === 'number' || typeof value === 'boolean')) {
    return { keys, message, hint: `put it in quotes: "${value}"` };
  }
  if (expected === 'array' && typeof value === 'string') {
    return { keys, message, hint: `put it in brackets: [${value}]` };
  }
  return { keys, message };
}

const NOUNS: Readonly<Record<string, string>> = {
  string: 'piece of text',
  number: 'number',
  int: 'whole number',
  array: 'list',
  object: 'group of keys',
  record: 'group of keys',
};

function size(origin: string, value: unknown): string {
  if (origin === 'array' && Array.isArray(value)) return `a list of ${value.length}`;
  if (origin === 'string') return `${String(value).length} characters long`;
  return shown(value);
}

function shown(value: unknown): string {
  if (value === null) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a group of keys';
  return typeof value === 'string' ? `"${value.slice(0, 60)}"` : String(value);
}

function valueAt(input: unknown, keys: KeyPath): unknown {
  let value = input;
  for (const key of keys) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<string | number, unknown>)[key];
  }
  return value;
}

/** "did you mean" the nearest of a few known words, else what there is to choose from. */
export function suggestion(word: string, known: readonly string[]): string | undefined {
  const near = nearest(word, known);
  if (near !== undefined) return `did you mean "${near}"?`;
  return known.length === 0 ? undefined : `one of ${known.join(', ')}`;
}

/** The known word within a third of the word's letters of it, or undefined. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const limit = word.length < 4 ? 1 : Math.max(2, Math.floor(word.length / 3));
  const [best] = known
    .map((candidate) => ({ candidate, edits: editDistance(word, candidate) }))
    .filter(({ edits }) => edits <= limit)
    .sort((a, b) => a.edits - b.edits);
  return best?.candidate;
}

/** Levenshtein's distance, letters compared without case. */
function editDistance(a: string, b: string): number {
  const [from, to] = [a.toLowerCase(), b.toLowerCase()];
  let row = Array.from({ length: to.length + 1 }, (_, i) => i);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
