// Runs a package's graphs in onnxruntime-node on the inputs that check_graphs.py wrote and prints the largest
// difference from PyTorch. Usage: node check_graphs.mjs PACKAGE_FOLDER CASES.json

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.cwd(), 'package.json'));
const ort = require('onnxruntime-node');
const [folder, casesFile] = process.argv.slice(2);
const cases = JSON.parse(readFileSync(casesFile, 'utf8'));
const decode = ({ shape, data }) =>
  new ort.Tensor(
    'float32',
    new Float32Array(Uint8Array.from(Buffer.from(data, 'base64')).buffer),
    shape,
  );
const worst = {};
const sessions = {};
for (const { graph, inputs, outputs } of cases) {
  sessions[graph] ??= await ort.InferenceSession.create(join(folder, graph), {
    intraOpNumThreads: 2,
  });
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [name, decode(value)]),
  );
  const began = performance.now();
  const results = await sessions[graph].run(feeds);
  const took = performance.now() - began;
  for (const [name, value] of Object.entries(outputs)) {
    const expected = decode(value);
    const got = results[name];
    if (String(got.dims) !== String(expected.dims))
      throw new Error(`${graph} ${name}: ${got.dims} is not ${expected.dims}`);
    const scale = Math.max(
      1e-6,
      expected.data.reduce((a, b) => Math.max(a, Math.abs(b)), 0),
    );
    let most = 0;
    for (let i = 0; i < got.data.length; i++)
      most = Math.max(most, Math.abs(got.data[i] - expected.data[i]));
    const key = `${graph} ${name}`;
    worst[key] = Math.max(worst[key] ?? 0, most / scale);
    console.log(
      `${key} [${got.dims}] difference ${most.toExponential(2)} largest value ${scale.toFixed(3)} ${took.toFixed(1)} ms`,
    );
  }
}
const limit = 1e-4;
const failed = Object.entries(worst).filter(([, value]) => !(value < limit));
if (failed.length) {
  console.error('too far from PyTorch:', failed);
  process.exit(1);
}
console.log('all graphs agree with PyTorch within', limit);
