import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { crossCheck, warningsFor } from './cross-checks.js';
import {
  type Environment,
  type Override,
  readEnvironment,
  variableFor,
  variableOf,
} from './environment.js';
import { ConfigError, type ConfigProblem, type Fault, faultsOf, pathText } from './problems.js';
import { type ConfigFile, configSchema, storage as storageSchema } from './schema.js';
import { knownKeys } from './schema-keys.js';
import { type Settings, settingsOf } from './settings.js';
import { type ConfigText, parseConfigText, readLeniently } from './yaml-text.js';

export interface LoadedSettings {
  readonly settings: Settings;
  /** Absolute path of the file. */
  readonly file: string;
  /** Hex SHA-256 of the file's text. */
  readonly hash: string;
  readonly text: string;
  /** What can be meant so, but is worth a line in the log. */
  readonly warnings: readonly ConfigProblem[];
}

/**
 * Reads a configuration file and the environment's overrides.
 * @throws ConfigError with every problem at once, each with its path, place and a hint
 */
export async function loadSettings(
  file: string,
  env: Environment = process.env,
): Promise<LoadedSettings> {
  const { path, text } = await readConfigText(file);
  return parseSettings(text, path, env);
}

/** A configuration file's absolute path and its text. @throws ConfigError */
export async function readConfigText(file: string): Promise<{ path: string; text: string }> {
  const path = resolve(file);
  try {
    return { path, text: await readFile(path, 'utf8') };
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const hint = code === 'ENOENT' ? 'give the file with --config' : undefined;
    throw new ConfigError(path, [{ path: '', message: `cannot be read (${code})`, hint }], {
      cause,
    });
  }
}

/** Hex SHA-256, by which a configuration's text is known. */
export function configHash(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Where a configuration keeps everything, as far as it can be said of a text that may be faulty. */
export function storageFolderOf(text: string, file: string, env: Environment): string {
  const value = readLeniently(text);
  const storage = isGroup(value) ? value['storage'] : undefined;
  const written = isGroup(storage) ? storage['folder'] : undefined;
  const folder = env[variableFor(['storage', 'folder'])] || written;
  const known = storageSchema.safeParse(typeof folder === 'string' ? { folder } : {});
  return resolve(dirname(file), (known.data ?? storageSchema.parse({})).folder);
}

/** As `loadSettings`, for a text; `file` is what relative paths start from. */
export function parseSettings(text: string, file: string, env: Environment): LoadedSettings {
  const yaml = parseConfigText(text);
  if (yaml.problems.length > 0) throw new ConfigError(file, yaml.problems);
  if (yaml.value !== null && !isGroup(yaml.value)) {
    throw new ConfigError(file, [{ path: '', message: 'holds no sections such as "node:"' }]);
  }
  const sections = presentSections(yaml.value ?? {});
  const destinations = namesIn(sections['destinations']);
  const channels = namesIn(sections['channels']);
  const { inference } = sections;
  const secondReaders = namesIn(isGroup(inference) ? inference['secondReaders'] : undefined);
  const { overrides, warnings } = readEnvironment(env, destinations);
  const input = withOverrides(sections, overrides);

  const parsed = configSchema.safeParse(input);
  const faults = [
    ...(parsed.success ? [] : faultsOf(parsed.error, input, knownKeys)),
    ...crossCheck(soundSections(input), input, { destinations, channels, secondReaders }),
  ];
  if (!parsed.success || faults.length > 0) {
    throw new ConfigError(file, locate(faults, yaml, overrides));
  }
  return {
    settings: settingsOf(parsed.data, dirname(file)),
    file,
    hash: configHash(text),
    text,
    warnings: [
      ...locate(warningsFor(parsed.data), yaml, overrides),
      ...warnings.map((message) => ({ path: '', message })),
    ],
  };
}

function locate(
  faults: readonly Fault[],
  yaml: ConfigText,
  overrides: readonly Override[],
): ConfigProblem[] {
  const problems = faults.map((fault): ConfigProblem => {
    const { message, hint } = fault;
    const path = pathText(fault.keys);
    const variable = variableOf(fault, overrides);
    return variable === undefined
      ? { path, message, hint, ...yaml.place(fault) }
      : { path, message, hint, variable };
  });
  return problems.sort((a, b) => (a.line ?? Infinity) - (b.line ?? Infinity));
}

/** The sections that are sound by themselves, so that a fault in one does not hide what is wrong with the others. */
function soundSections(input: Group): Partial<ConfigFile> {
  const sections = Object.entries(configSchema.shape).flatMap(([name, schema]) => {
    const { success, data } = schema.safeParse(input[name]);
    return success ? [[name, data] as const] : [];
  });
  return Object.fromEntries(sections);
}

type Group = Record<string, unknown>;

function isGroup(value: unknown): value is Group {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function namesIn(section: unknown): string[] {
  return isGroup(section) ? Object.keys(section) : [];
}

/** Without the sections whose every key is commented out. */
function presentSections(sections: Group): Group {
  return Object.fromEntries(Object.entries(sections).filter(([, section]) => section !== null));
}

function withOverrides(sections: Group, overrides: readonly Override[]): Group {
  const root = structuredClone(sections);
  for (const { keys, value } of overrides) {
    let group: unknown = root;
    for (const key of keys.slice(0, -1)) {
      if (isGroup(group)) group = group[key] ??= {};
    }
    // What is no group of keys is left for the schema to refuse, at its place in the text.
    if (isGroup(group)) group[keys.at(-1) ?? ''] = value;
  }
  return root;
}
