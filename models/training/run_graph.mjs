// Runs a slice network in onnxruntime-node for run_graph.py: float32 slices from standard input, one after the other,
// features and logits of each to standard output. Usage: node models/training/run_graph.mjs GRAPH

import { createRequire } from 'node:module';
import { join } from 'node:path';

const require = createRequire(join(process.cwd(), 'package.json'));
const ort = require('onnxruntime-node');
const session = await ort.InferenceSession.create(process.argv[2], {
  intraOpNumThreads: 1,
  interOpNumThreads: 1,
});
const [, channels, height, width] = session.inputMetadata[0].shape;
const bytes = 4 * channels * height * width;

let waiting = [];
let length = 0;
for await (const chunk of process.stdin) {
  waiting.push(chunk);
  length += chunk.length;
  if (length < bytes) continue;
  const data = new Float32Array(new Uint8Array(Buffer.concat(waiting)).buffer);
  const slices = new ort.Tensor('float32', data, [1, channels, height, width]);
  const { features, logits } = await session.run({ slices }, ['features', 'logits']);
  process.stdout.write(Buffer.from(Float32Array.of(...features.data, ...logits.data).buffer));
  waiting = [];
  length = 0;
}
