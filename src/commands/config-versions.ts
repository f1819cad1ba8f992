import { setTimeout as delay } from 'node:timers/promises';
import { ConfigConflictError, NoVersionError, shortHash } from '../config/change-errors.js';
import { readConfigText } from '../config/load-settings.js';
import { ConfigError, problemText } from '../config/problems.js';
import { type AppliedChange, ConfigVersions } from '../config-versions.js';
import type { ConfigVersion } from '../store/config-history.js';
import { EXIT } from './exit-codes.js';
import { operatorName } from './operator.js';
import { table, when } from './text.js';

interface Options {
  readonly config: string;
  readonly json: boolean;
}

/** `vigil config history`: who applied what, when and why, newest first. */
export async function runConfigHistory({ config, json, limit }: Options & { limit: number }) {
  const versions = new ConfigVersions(config);
  const [history, { hash }] = [await versions.history(limit), await versions.current()];
  if (json) {
    console.log(JSON.stringify({ file: versions.file, hash, versions: history }));
    return EXIT.done;
  }
  if (history.length === 0) console.log('No version yet: the first start of the node keeps one');
  else console.log(historyText(history));
  if (history.length > 0 && history[0]?.hash !== hash) {
    console.log(
      `\n${versions.file} holds something else by now, ${shortHash(hash)}: the node takes it if it is good (vigil check-config)`,
    );
  }
  return EXIT.done;
}

function historyText(history: readonly ConfigVersion[]): string {
  const inForce = history.reduce((newest, { inForceAt = 0 }) => Math.max(newest, inForceAt), 0);
  const rows = history.map(({ version, hash, appliedAt, who, how, reason, ...rest }) => {
    const back = rest.rollbackTo === undefined ? '' : `back to version ${rest.rollbackTo}: `;
    const state = rest.inForceAt === undefined ? 'not taken' : '';
    const taken = rest.inForceAt === inForce && inForce > 0 ? 'in force' : state;
    return [
      String(version),
      shortHash(hash),
      when(appliedAt),
      who,
      how,
      taken,
      back + reason,
    ] as const;
  });
  return table([['version', 'hash', 'applied', 'by', 'how', 'state', 'reason'], ...rows]);
}

/** `vigil config show [version]`: the text alone, so that it can be written to a file. */
export async function runConfigShow({ version, config, json }: Options & { version?: string }) {
  const versions = new ConfigVersions(config);
  try {
    const found = version === undefined ? await versions.current() : await versions.find(version);
    if (json) console.log(JSON.stringify(found));
    else process.stdout.write(found.text);
    return EXIT.done;
  } catch (error) {
    return refused(error);
  }
}

/** `vigil config apply <file> --from <version> --reason <text>` */
export async function runConfigApply(
  options: Options & { file: string; from?: string; reason: string },
): Promise<number> {
  const { file, from, reason, config, json } = options;
  const versions = new ConfigVersions(config);
  if (from === undefined) {
    const { hash } = await versions.current();
    console.error(
      `Say which version the copy was made from, so that nobody's change is overwritten: --from ${shortHash(hash)} is what the file holds now`,
    );
    return EXIT.usage;
  }
  const { path, text } = await readConfigText(file);
  return changing(versions, json, async () => {
    try {
      return await versions.apply(text, from, { who: operatorName(), how: 'command', reason });
    } catch (error) {
      // The places are those of the copy, though its paths start from the file.
      throw error instanceof ConfigError ? new ConfigError(path, error.problems) : error;
    }
  });
}

/** `vigil config rollback <version> --reason <text>` */
export async function runConfigRollback(
  options: Options & { version: string; reason: string },
): Promise<number> {
  const { version, reason, config, json } = options;
  const versions = new ConfigVersions(config);
  return changing(versions, json, () =>
    versions.rollback(version, { who: operatorName(), how: 'command', reason }),
  );
}

async function changing(
  versions: ConfigVersions,
  json: boolean,
  change: () => Promise<AppliedChange>,
): Promise<number> {
  try {
    const applied = await change();
    const taken = await isTaken(versions, applied.version.version);
    console.log(json ? JSON.stringify({ ...applied, taken }) : appliedText(applied, taken));
    return EXIT.done;
  } catch (error) {
    return refused(error);
  }
}

/** The node follows the file; what runs takes it within a second. Milliseconds. */
const TAKEN_WITHIN_MS = 3000;
const LOOK_EVERY_MS = 100;

async function isTaken(versions: ConfigVersions, version: number): Promise<boolean> {
  const until = Date.now() + TAKEN_WITHIN_MS;
  for (;;) {
    const { inForceAt } = await versions.find(String(version));
    if (inForceAt !== undefined) return true;
    if (Date.now() >= until) return false;
    await delay(LOOK_EVERY_MS);
  }
}

function appliedText({ version, changed, restartNeeded, warnings }: AppliedChange, taken: boolean) {
  const { version: number, hash, who } = version;
  const name = `version ${number} (${shortHash(hash)})`;
  return [
    ...warnings.map((warning) => `warning:${problemText(warning).slice(1)}`),
    changed ? `Written as ${name} by ${who}` : `The file holds this already: ${name}`,
    ...(restartNeeded.length === 0
      ? []
      : [`These keys count from the next start: ${restartNeeded.join(', ')}`]),
    taken
      ? 'The node works by it'
      : 'No node has taken it yet: it does not run, or its log says why',
  ].join('\n');
}

/** What went wrong with a version, as text and exit code; what else is thrown goes on. */
function refused(error: unknown): number {
  if (!(error instanceof ConfigConflictError) && !(error instanceof NoVersionError)) throw error;
  console.error(error.message);
  return error instanceof NoVersionError ? EXIT.notFound : EXIT.failed;
}
