import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { crashRun } from './crash-run.js';
import { KILL_STEP_NAMES, KILL_STEPS, type KillStep } from './kill-steps.js';

const FAULTS = ['lost', 'altered', 'duplicates', 'orphans', 'unreported'] as const;

function wholeNumber(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 1) throw new InvalidArgumentError('Not a whole number');
  return number;
}

const program = new Command('test:crash')
  .description('kill the node again and again and compare with what its senders were told')
  .option('--kills <n>', 'how many times', wholeNumber, 4 * KILL_STEP_NAMES.length)
  .option('--seed <n>', 'repeats a run, as far as processes can be repeated', wholeNumber)
  .addOption(
    new Option('--step <name...>', 'kill only at these steps and at random').choices(
      KILL_STEP_NAMES,
    ),
  )
  .option('--keep', 'keep the storage folder', false)
  .option('--json', 'print one JSON object', false)
  .parse();
const { kills, seed, step, keep, json } = program.opts<{
  kills: number;
  seed?: number;
  step?: KillStep[];
  keep: boolean;
  json: boolean;
}>();

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(130));
const folder = await mkdtemp(join(tmpdir(), 'vigil-crash-'));
const chosenSeed = seed ?? 1 + Math.floor(Math.random() * 1e6);
console.error(`seed ${chosenSeed}, in ${folder}`);
const result = await crashRun({
  folder,
  kills,
  seed: chosenSeed,
  ...(step && { steps: step }),
  onKill: (number, where) => console.error(`kill ${number} of ${kills}: ${where}`),
});

for (const name of FAULTS) for (const line of result[name]) console.error(`${name}: ${line}`);
const untried = (step ?? KILL_STEP_NAMES).filter((name) => !result.killedAt.has(name));
for (const name of step ?? KILL_STEP_NAMES) {
  const times = result.killedAt.get(name) ?? 0;
  console.error(`${String(times).padStart(5)}  ${name}: ${KILL_STEPS[name]}`);
}
console.error(`${String(result.killedAt.get('random') ?? 0).padStart(5)}  at a random time`);
if (untried.length > 0) {
  console.error(`Too few kills for every step; not tried: ${untried.join(', ')}`);
}

const counts = Object.fromEntries(FAULTS.map((name) => [name, result[name].length]));
const figures = { kills: result.kills, acknowledged: result.acknowledged, ...counts };
if (json) {
  console.log(JSON.stringify(figures));
} else {
  console.table({ ...figures, studies: result.studies, 'sent again to the PACS': result.resent });
}
const isClean = FAULTS.every((name) => result[name].length === 0);
if (!isClean) process.exitCode = 1;
if (isClean && !keep) await rm(folder, { recursive: true });
else console.error(`The storage folder stays in ${folder}`);
