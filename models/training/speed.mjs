// Times a package's slice network in onnxruntime-node as the node runs it and writes speed.json: milliseconds a slice, the
// median and the best of the rounds and the median of CPU time, at 1 and 2 threads. msPerSlice is the best of all: other work
// on the machine only adds to it. FP32 and INT8 (null where no cnn.int8.onnx lies beside) run by turns.
// Usage: node models/training/speed.mjs PACKAGE_FOLDER speed.json

import { existsSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';

const require = createRequire(join(process.cwd(), 'package.json'));
const ort = require('onnxruntime-node');
const [folder, out] = process.argv.slice(2);
const GRAPHS = { fp32: 'cnn.onnx', int8: 'cnn.int8.onnx' };
const ROUNDS = 100;

const slices = new ort.Tensor(
  'float32',
  Float32Array.from({ length: 3 * 256 * 256 }, (_, i) => Math.sin(i)),
  [1, 3, 256, 256],
);

async function measured(threads) {
  const runs = {};
  for (const [graph, name] of Object.entries(GRAPHS)) {
    const file = join(folder, name);
    if (!existsSync(file)) continue;
    const session = await ort.InferenceSession.create(file, {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      extra: { session: { intra_op: { allow_spinning: '0' } } },
    });
    const run = () => session.run({ slices }, ['features', 'logits']);
    await run();
    runs[graph] = { run, wall: [], cpu: [] };
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const { run, wall, cpu } of Object.values(runs)) {
      const used = process.cpuUsage();
      const began = performance.now();
      await run();
      wall.push(performance.now() - began);
      const { user, system } = process.cpuUsage(used);
      cpu.push((user + system) / 1000);
    }
  }
  return Object.fromEntries(
    Object.entries(runs).map(([graph, { wall, cpu }]) => [
      graph,
      { median: quantile(wall, 0.5), best: quantile(wall, 0), cpu: quantile(cpu, 0.5) },
    ]),
  );
}

function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round(10 * sorted[Math.floor(share * sorted.length)]) / 10;
}

const before = loadavg()[0];
const one = await measured(1);
const two = await measured(2);
const both = (graph) => (one[graph] ? { oneThread: one[graph], twoThreads: two[graph] } : null);
const best = (graph) => (one[graph] ? Math.min(one[graph].best, two[graph].best) : null);
const speed = {
  msPerSlice: { fp32: best('fp32'), int8: best('int8') },
  speed: {
    fp32: both('fp32'),
    int8: both('int8'),
    processor: cpus()[0]?.model,
    cores: availableParallelism(),
    loadBefore: before,
  },
};
writeFileSync(out, `${JSON.stringify(speed, null, 1)}\n`);
console.log(JSON.stringify(speed));
