// Times a package's slice network in onnxruntime-node and writes speed.json: milliseconds a slice, the median and the
// best of the rounds, at 1 and 2 threads. msPerSlice is the best of all: other work on the machine only adds to it. int8
// stays null until a quantised graph lies beside it as cnn.int8.onnx.
// Usage: node models/training/speed.mjs PACKAGE_FOLDER speed.json

import { existsSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { availableParallelism, cpus, loadavg } from 'node:os';
import { join } from 'node:path';

const require = createRequire(join(process.cwd(), 'package.json'));
const ort = require('onnxruntime-node');
const [folder, out] = process.argv.slice(2);
const BATCH = 4;
const ROUNDS = 30;

async function times(file, threads) {
  const session = await ort.InferenceSession.create(file, { intraOpNumThreads: threads });
  const slices = new ort.Tensor(
    'float32',
    Float32Array.from({ length: BATCH * 3 * 256 * 256 }, (_, i) => Math.sin(i)),
    [BATCH, 3, 256, 256],
  );
  await session.run({ slices });
  const each = [];
  for (let round = 0; round < ROUNDS; round++) {
    const began = performance.now();
    await session.run({ slices });
    each.push((performance.now() - began) / BATCH);
  }
  await session.release();
  each.sort((a, b) => a - b);
  return { median: Math.round(each[ROUNDS / 2]), best: Math.round(each[0]) };
}

async function measured(name) {
  const file = join(folder, name);
  if (!existsSync(file)) return null;
  return { oneThread: await times(file, 1), twoThreads: await times(file, 2) };
}

const best = (graph) => (graph ? Math.min(graph.oneThread.best, graph.twoThreads.best) : null);
const before = loadavg()[0];
const msPerSlice = { fp32: await measured('cnn.onnx'), int8: await measured('cnn.int8.onnx') };
const speed = {
  msPerSlice: { fp32: best(msPerSlice.fp32), int8: best(msPerSlice.int8) },
  speed: {
    ...msPerSlice,
    processor: cpus()[0]?.model,
    cores: availableParallelism(),
    loadBefore: before,
  },
};
writeFileSync(out, `${JSON.stringify(speed, null, 1)}\n`);
console.log(JSON.stringify(speed));
