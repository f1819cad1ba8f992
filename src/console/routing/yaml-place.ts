/** Where in the document the cursor is: the keys above it, `[]` for an item of a list. */
export interface YamlPlace {
  readonly path: readonly string[];
  /** Set where a value is being written, and its key is the last of `path`. */
  readonly inValue: boolean;
}

const ITEM = '[]';
const KEY = /^([\w-]+)\s*:(?:\s|$)/;

/**
 * The place at the end of `text`, by indentation and open brackets: a document that is being written is rarely whole
 * YAML.
 */
export function yamlPlace(text: string): YamlPlace {
  const lines = text.split('\n');
  const last = lines.at(-1) ?? '';
  const parsed = partsOf(last);
  const path = parentsOf(lines.slice(0, -1), parsed.indent);
  path.push(...parsed.path);
  return withinBrackets(path, parsed.rest);
}

/** A line as its indentation, what its dashes and key add to the path, and what stands behind them. */
function partsOf(line: string): { indent: number; path: string[]; rest: string } {
  let indent = line.length - line.trimStart().length;
  let rest = line.trimStart();
  const path: string[] = [];
  const outer = indent;
  while (/^-(\s|$)/.test(rest)) {
    path.push(ITEM);
    const trimmed = rest.slice(1).trimStart();
    indent += rest.length - trimmed.length;
    rest = trimmed;
  }
  const key = KEY.exec(`${rest} `)?.[1];
  if (key !== undefined) {
    path.push(key);
    rest = rest.slice(rest.indexOf(':') + 1);
  } else if (rest.length > 0 && !/[[{:]/.test(rest)) {
    rest = '';
  }
  return { indent: outer, path, rest: key === undefined ? rest : `:${rest}` };
}

/** The keys of the lines above that are indented less, outermost first. */
function parentsOf(lines: readonly string[], indent: number): string[] {
  const path: string[] = [];
  let within = indent;
  for (const line of lines.toReversed()) {
    const content = line.trim();
    if (content === '' || content.startsWith('#')) continue;
    const own = line.length - line.trimStart().length;
    const dash = /^(\s*)((?:-\s+)+)/.exec(line);
    const keyIndent = dash === null ? own : dash[0].length;
    const key = KEY.exec(`${line.slice(keyIndent)} `)?.[1];
    if (key !== undefined && keyIndent < within) {
      path.unshift(key);
      within = keyIndent;
    }
    if (dash !== null && own < within) {
      path.unshift(ITEM);
      within = own;
    }
    if (within === 0) break;
  }
  return path;
}

/** Follows `{`, `[` and keys in what stands behind a line's key. */
function withinBrackets(path: string[], rest: string): YamlPlace {
  const depth: string[][] = [];
  let here = [...path];
  let inValue = rest.startsWith(':');
  const tokens = rest.replace(/^:/, '').match(/"[^"]*"?|'[^']*'?|[{}[\],:]|[^\s{}[\],:"']+/g) ?? [];
  let word = '';
  for (const token of tokens) {
    if (token === '{' || token === '[') {
      depth.push(here);
      here = token === '[' ? [...here, ITEM] : here;
      inValue = token === '[';
    } else if (token === '}' || token === ']') {
      here = depth.pop() ?? path;
      inValue = true;
    } else if (token === ',') {
      const outer = depth.at(-1);
      if (outer !== undefined && here.at(-1) !== ITEM) {
        here = here.slice(0, -1);
        inValue = false;
      }
    } else if (token === ':') {
      here = [...here, word];
      inValue = true;
    } else {
      word = token;
    }
  }
  return { path: here, inValue };
}
