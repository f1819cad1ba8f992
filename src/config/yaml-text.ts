import { isMap, isNode, isPair, LineCounter, type Node, parseDocument } from 'yaml';
import type { ConfigProblem, Fault, KeyPath } from './problems.js';

export interface Place {
  /** From 1. */
  readonly line: number;
  readonly column: number;
}

/** A configuration's text as plain values, which still knows where each came from. */
export interface ConfigText {
  readonly value: unknown;
  /** Errors of YAML itself; the value is of no use where there is any. */
  readonly problems: readonly ConfigProblem[];
  /** Where the faulty key or value stands, or the nearest thing around it that does. */
  place(fault: Fault): Place | undefined;
}

/** Characters. Hundreds of destinations and routes come to less. */
const LONGEST_TEXT = 64 * 1024;
/** Of YAML itself: one wrong bracket can make an error of all that follows. */
const MOST_ERRORS = 20;
/** Levels; the schema has six. Nesting by indentation is bounded by the text's length. */
const DEEPEST = 100;
const NESTED_ON_ONE_LINE = new RegExp(`(?:[-?:][ \\t]+){${DEEPEST}}`);

export function parseConfigText(text: string): ConfigText {
  if (text.length > LONGEST_TEXT) {
    return unusable(`is ${text.length} characters long, more than ${LONGEST_TEXT}`);
  }
  if (nestsTooDeep(text)) return unusable(`nests deeper than ${DEEPEST} levels`);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const problems: ConfigProblem[] = document.errors.slice(0, MOST_ERRORS).map((error) => {
    const { line, col } = lines.linePos(error.pos[0]);
    return { path: '', message: `is no YAML: ${error.message}`, line, column: col };
  });
  const more = document.errors.length - problems.length;
  if (more > 0) problems.push({ path: '', message: `is no YAML in ${more} more places` });
  let value: unknown;
  try {
    value = problems.length > 0 ? undefined : document.toJS();
  } catch (error) {
    // Aliases that lead nowhere, or that multiply without end.
    problems.push({ path: '', message: `is no YAML: ${(error as Error).message}` });
  }

  const at = (offset: number | undefined): Place | undefined => {
    if (offset === undefined) return undefined;
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const nodeAt = (keys: KeyPath): Node | undefined => {
    const node = keys.length === 0 ? document.contents : document.getIn(keys, true);
    return isNode(node) ? node : undefined;
  };
  return {
    value,
    problems,
    place({ keys, atKey }) {
      if (atKey) {
        const parent = nodeAt(keys.slice(0, -1));
        const pair = isMap(parent)
          ? parent.items.find((item) => keyText(item) === keys.at(-1))
          : undefined;
        if (isPair(pair) && isNode(pair.key)) return at(pair.key.range?.[0]);
      }
      for (let length = keys.length; length > 0; length--) {
        const node = nodeAt(keys.slice(0, length));
        if (node !== undefined) return at(node.range?.[0]);
      }
      return undefined;
    },
  };
}

/** As much of a faulty text as YAML can make of it; undefined where that is nothing. */
export function readLeniently(text: string): unknown {
  if (text.length > LONGEST_TEXT || nestsTooDeep(text)) return undefined;
  try {
    return parseDocument(text, { prettyErrors: false }).toJS();
  } catch {
    return undefined;
  }
}

/**
 * The YAML parser recurses, and V8 ends the process where a regular expression is compiled with the stack nearly full:
 * nesting is looked at before. Brackets in quotes and comments count too, which no sensible text has so many of.
 */
function nestsTooDeep(text: string): boolean {
  if (NESTED_ON_ONE_LINE.test(text)) return true;
  let depth = 0;
  for (const character of text) {
    if (character === '[' || character === '{') depth += 1;
    else if ((character === ']' || character === '}') && depth > 0) depth -= 1;
    if (depth > DEEPEST) return true;
  }
  return false;
}

/** A text that is not read at all. */
function unusable(message: string): ConfigText {
  return { value: undefined, problems: [{ path: '', message }], place: () => undefined };
}

function keyText(pair: { readonly key: unknown }): string | undefined {
  return isNode(pair.key) ? String(pair.key.toJSON()) : undefined;
}
