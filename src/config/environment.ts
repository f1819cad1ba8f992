import { type Fault, nearest } from './problems.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Settings that differ between hosts with the same file. Each variable's name is its key's path. */
const NODE_VARIABLES: readonly (readonly string[])[] = [
  ['node', 'aeTitle'],
  ['node', 'host'],
  ['node', 'port'],
  ['storage', 'folder'],
  ['inference', 'model'],
  ['inference', 'threads'],
  ['admin', 'host'],
  ['admin', 'port'],
  ['log', 'level'],
];
const DESTINATION_KEYS = ['aeTitle', 'host', 'port'];
const NUMBERS = new Set(['port', 'threads']);

/** A value from the environment, and where it goes. */
export interface Override {
  readonly variable: string;
  readonly keys: readonly string[];
  readonly value: string | number;
}

/** `['node', 'aeTitle']` is VIGIL_NODE_AE_TITLE. */
export function variableFor(keys: readonly string[]): string {
  const words = keys.map((key) =>
    String(key)
      .replaceAll(/(?=[A-Z])/g, '_')
      .replaceAll('-', '_'),
  );
  return `VIGIL_${words.join('_').toUpperCase()}`;
}

/** The overrides that the environment holds, with a line for each variable that looks like a misspelt one. */
export function readEnvironment(
  env: Environment,
  destinations: readonly string[],
): { overrides: Override[]; warnings: string[] } {
  const paths = [
    ...NODE_VARIABLES,
    ...destinations.flatMap((name) => DESTINATION_KEYS.map((key) => ['destinations', name, key])),
  ];
  const overrides = paths.flatMap((keys): Override[] => {
    const variable = variableFor(keys);
    const text = env[variable];
    if (text === undefined || text === '') return [];
    const value = NUMBERS.has(keys.at(-1) ?? '') && /^\d+$/.test(text) ? Number(text) : text;
    return [{ variable, keys, value }];
  });
  const known = paths.map(variableFor);
  const warnings = Object.keys(env).flatMap((variable) => {
    // Others are let be: orchestrators set VIGIL_PORT and the like for a service of that name.
    if (!variable.startsWith('VIGIL_') || known.includes(variable)) return [];
    const near = nearest(variable, known);
    return near === undefined ? [] : [`${variable} is not read; did you mean ${near}?`];
  });
  return { overrides, warnings };
}

/** The variable that a fault's value came from. */
export function variableOf(fault: Fault, overrides: readonly Override[]): string | undefined {
  return overrides.find(({ keys }) => keys.join('\n') === fault.keys.join('\n'))?.variable;
}
