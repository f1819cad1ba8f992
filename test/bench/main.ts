import { tmpdir } from 'node:os';
import { Command } from 'commander';
import { day } from './day.js';
import { type BenchCase, type BenchReport, machine, table } from './harness.js';
import { inference } from './inference.js';
import { ingest } from './ingest.js';
import { latency } from './latency.js';
import { scale } from './scale.js';

/** Each benchmark compares Vigil with its peers in the same run; what they measure stands in docs/performance.md. */
const BENCHES: Readonly<
  Record<string, (runs: number, packages: readonly string[]) => Promise<BenchCase[]>>
> = {
  ingest,
  latency,
  inference,
  scale,
  day,
};

const program = new Command('bench')
  .argument('[names...]', `which: ${Object.keys(BENCHES).join(', ')}; all where none is named`)
  .option('--json', 'print one JSON object for each benchmark instead of a table', false)
  .option('--runs <n>', 'runs of each contestant, whose median counts', Number, 5)
  .option('--package <folder...>', 'more model packages for `inference`', [])
  .parse();

interface Options {
  readonly json: boolean;
  readonly runs: number;
  readonly package: readonly string[];
}

const { json, runs, package: packages } = program.opts<Options>();
for (const name of program.args.length > 0 ? program.args : Object.keys(BENCHES)) {
  const bench = BENCHES[name];
  if (bench === undefined) throw new Error(`${name} is no benchmark`);
  const report: BenchReport = {
    bench: name,
    machine: machine(tmpdir()),
    cases: await bench(runs, packages),
  };
  console.log(json ? JSON.stringify(report) : `${name} on ${report.machine}\n${table(report)}\n`);
}
