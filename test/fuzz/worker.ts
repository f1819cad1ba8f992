import { createHash } from 'node:crypto';
import { existsSync, openSync, readdirSync, readFileSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { Coverage } from './coverage.js';
import { encodeEntry } from './journal.js';
import { mutated, Random } from './mutate.js';
import {
  CPU_LIMIT_MS,
  type FindingKind,
  type Target,
  type WorkerMessage,
  type WorkerOptions,
} from './target.js';

/**
 * The process that runs cases on a target. It tells its supervisor of what it survives; the journal tells of what it
 * does not.
 */
const BATCH = 256;
/** One batch in so many is watched for inputs that reach new code, and runs slower for it; the first one always. */
const WATCHED = 8;
/** Share of the cases that are made by the target's grammar instead of from an earlier input. */
const GENERATED = 0.2;
const REPAIRED = 0.5;

const options = JSON.parse(process.argv[2] ?? '{}') as WorkerOptions;
const { target } = (await import(pathToFileURL(options.module).href)) as { target: Target };
const journal = openSync(options.journal, 'w');
let runs = 0;
let isWatching = false;
/** What took too long while it was watched, or beside what else a whole node does: timed again. */
const slow: { readonly index: number; readonly input: Buffer }[] = [];
/** An error that no caller was there to take: in the product it would end the process. */
let stray: unknown;
process.on('unhandledRejection', (error) => {
  stray ??= error ?? new Error('rejected without a reason');
});
process.on('uncaughtException', (error) => {
  stray ??= error;
});

try {
  if (options.replay) await replay(options.replay);
  else await fuzz();
  await target.close?.();
  await tell({ type: 'done' });
  process.exit(0);
} catch (error) {
  // An error of the fuzzer itself, which the handlers of stray errors would keep from ending this process.
  console.error(error);
  process.exit(1);
}

async function replay(files: readonly string[]): Promise<void> {
  for (const [index, file] of files.entries()) await runCase(index, readFileSync(file));
  await progress(files.length);
}

async function fuzz(): Promise<void> {
  const inputs = [...(await target.seeds()), ...options.corpus.flatMap(inputsIn)];
  const { dictionary, longest } = target;
  using coverage = new Coverage();
  const seen = new Set<string>();
  const watch = () => {
    if (target.unwatched) return;
    coverage.start();
    isWatching = true;
  };
  watch();
  for (const input of inputs) await runCase(options.from, input);
  if (isWatching) for (const block of coverage.take()) seen.add(block);
  await progress(options.from);

  for (let first = options.from, batch = 0; first < options.to; first += BATCH, batch += 1) {
    const end = Math.min(options.to, first + BATCH);
    if (batch % WATCHED === 0 && !isWatching) watch();
    const cases: Buffer[] = [];
    for (let index = first; index < end; index += 1) {
      const random = new Random(options.seed, index);
      let input = random.chance(GENERATED)
        ? target.generate(random).subarray(0, longest)
        : mutated(inputs, random, { others: inputs, dictionary, longest });
      if (target.repair && random.chance(REPAIRED)) input = target.repair(input);
      cases.push(input);
      await runCase(index, input);
    }
    if (isWatching) {
      inputs.push(...(await newcomers(first, cases, coverage, seen)));
      coverage.stop();
      isWatching = false;
    }
    for (const { index, input } of slow.splice(0)) await runCase(index, input, true);
    await progress(end);
  }
}

/** Those of the cases that ran blocks which none before had run: only then is each run once more by itself. */
async function newcomers(
  first: number,
  cases: readonly Buffer[],
  coverage: Coverage,
  seen: Set<string>,
): Promise<Buffer[]> {
  const missing = new Set([...coverage.take()].filter((block) => !seen.has(block)));
  for (const block of missing) seen.add(block);
  const found: Buffer[] = [];
  for (const [i, input] of cases.entries()) {
    if (missing.size === 0) break;
    enterInJournal(first + i, input);
    try {
      await target.run(Buffer.from(input));
    } catch {
      // It was told of when it ran first.
    }
    const ran = [...coverage.take()].filter((block) => missing.delete(block));
    if (ran.length === 0) continue;
    found.push(input);
    const folder = options.corpus.at(-1);
    if (folder) writeFileSync(join(folder, `${nameOf(input)}.bin`), input);
  }
  return found;
}

function enterInJournal(index: number, input: Buffer): void {
  runs += 1;
  writeSync(journal, encodeEntry({ run: runs, index, input }), 0, undefined, 0);
}

async function runCase(index: number, input: Buffer, isTimedAgain = false): Promise<void> {
  enterInJournal(index, input);
  const before = process.cpuUsage();
  try {
    await target.run(Buffer.from(input));
    // What nobody waited for fails within the turn.
    await setImmediate();
    if (stray !== undefined) throw stray;
  } catch (error) {
    await finding('crash', index, input, described(error));
  }
  stray = undefined;
  const { user, system } = process.cpuUsage(before);
  const rss = maxRssMb();
  if (rss > target.memoryLimitMb) {
    await finding('memory', index, input, `${rss} MB for ${input.length} bytes`);
    // The peak stays in the books of this process: the next case gets a fresh one.
    process.exit(0);
  }
  const cpuMs = (user + system) / 1000;
  const isDoubtful = isWatching || target.unwatched === true;
  if (cpuMs > CPU_LIMIT_MS && isDoubtful && !isTimedAgain) {
    slow.push({ index, input });
  } else if (cpuMs > CPU_LIMIT_MS) {
    await finding('hang', index, input, `${Math.round(cpuMs)} ms of CPU for ${input.length} bytes`);
  }
}

function described(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\ncaused by ${described(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}

function finding(kind: FindingKind, index: number, input: Buffer, message: string): Promise<void> {
  return tell({ type: 'finding', kind, index, input, message });
}

function progress(next: number): Promise<void> {
  return tell({ type: 'progress', next, maxRssMb: maxRssMb() });
}

function maxRssMb(): number {
  return Math.round(process.resourceUsage().maxRSS / 1024);
}

function tell(message: WorkerMessage): Promise<void> {
  return new Promise((resolve) => {
    if (process.send) process.send(message, () => resolve());
    else resolve();
  });
}

function inputsIn(folder: string): Buffer[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .map((name) => readFileSync(join(folder, name)).subarray(0, target.longest));
}

function nameOf(input: Buffer): string {
  return createHash('sha256').update(input).digest('hex').slice(0, 16);
}
