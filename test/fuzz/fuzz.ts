import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError, Option } from 'commander';
import { fuzz } from './supervisor.js';
import { TARGETS, type TargetName } from './target.js';

interface Flags {
  readonly target: TargetName;
  readonly cases: number;
  readonly seed: number;
  readonly json?: boolean;
  readonly folder: string;
  readonly replay?: readonly string[];
  readonly resume?: boolean;
}

const place = (path: string) => fileURLToPath(new URL(path, import.meta.url));

const flags = new Command('fuzz')
  .description('Feeds hostile input to a part of Vigil and counts what breaks its promises.')
  .addOption(new Option('--target <name>', 'the part').choices(TARGETS).makeOptionMandatory())
  .option('--cases <n>', 'how many', wholeNumber, 10_000)
  .option('--seed <n>', 'the same seed and corpus make the same cases', wholeNumber, 1)
  .option('--json', 'print one object and nothing else')
  .option('--folder <path>', 'keeps inputs that reach new code, and findings', 'out/fuzz')
  .option('--resume', 'go on where a run with this seed was stopped, up to --cases in all')
  .option('--replay <file...>', 'run these inputs as they are')
  .parse()
  .opts<Flags>();

const folder = `${flags.folder}/${flags.target}`;
mkdirSync(folder, { recursive: true });
const result = await fuzz({
  module: place(`./targets/${flags.target}.ts`),
  cases: flags.cases,
  seed: flags.seed,
  corpus: [place(`./corpus/${flags.target}`)],
  folder,
  ...(flags.replay && { replay: flags.replay }),
  resume: flags.resume ?? false,
  onFinding: ({ kind, message, file }) => {
    console.error(`${kind}: ${message}\n  replay with: --target ${flags.target} --replay ${file}`);
  },
  onProgress: (done) => {
    if (!flags.json && process.stderr.isTTY) process.stderr.write(`\r${done} of ${flags.cases}`);
  },
});
const { cases, crashes, hangs, maxRssMb } = result;
console.log(
  flags.json
    ? JSON.stringify({ target: flags.target, ...result })
    : `${flags.target}: ${cases} cases, ${crashes} crashes, ${hangs} hangs, ${maxRssMb} MB at most`,
);
process.exitCode = crashes + hangs > 0 ? 1 : 0;

function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It is no whole number.');
  return Number(text);
}
