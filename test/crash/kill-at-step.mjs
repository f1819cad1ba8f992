/**
 * Loaded into the node by `--import`, before its own modules: counts how often a named step is reached, and at the n-th
 * time says so on file descriptor 3 and kills the process group that the node leads. The node knows nothing of it.
 *
 * VIGIL_KILL_STEP  name of the step, see kill-steps.ts
 * VIGIL_KILL_NTH   at the how manieth time
 */
import { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import { createRequire, syncBuiltinESMExports } from 'node:module';
import net from 'node:net';
import { sep } from 'node:path';

const step = process.env.VIGIL_KILL_STEP;
const nth = Number(process.env.VIGIL_KILL_NTH ?? 1);
const { writeSync } = fs;
const REPORT_FD = 3;
let reached = 0;

function at(name) {
  if (name !== step) return;
  reached += 1;
  if (reached === nth) die();
}

function die() {
  writeSync(REPORT_FD, `${step}\n`);
  process.kill(-process.pid, 'SIGKILL');
  // The signal is delivered before the call returns to a single thread; others may live a moment longer.
  for (;;);
}

const isIn = (folder, path) => String(path).includes(`${sep}${folder}${sep}`);

// Files. The path of each open handle is kept, because its methods do not name it.
const paths = new WeakMap();
const { open, rename } = fsp;
fsp.open = async (path, flags, ...rest) => {
  const handle = await open(path, flags, ...rest);
  paths.set(handle, String(path));
  if (isIn('incoming', path) && flags & fs.constants.O_CREAT) at('file-made');
  return handle;
};
fsp.rename = async (from, to) => {
  await rename(from, to);
  if (isIn('results', to)) at('result-rename');
};
const { renameSync } = fs;
fs.renameSync = (from, to) => {
  renameSync(from, to);
  if (isIn('instances', to)) at('rename');
};
syncBuiltinESMExports();

const probe = await open(process.execPath, 'r');
const handles = Object.getPrototypeOf(probe);
await probe.close();
const { write, writev, writeFile, datasync } = handles;
handles.writev = async function (pieces, position) {
  const path = paths.get(this);
  if (path === undefined || !isIn('incoming', path)) return writev.call(this, pieces, position);
  if (step === 'torn-write' && reached + 1 === nth) {
    const whole = Buffer.concat(pieces);
    await write.call(this, whole, 0, whole.length >> 1, position);
  }
  at('torn-write');
  const result = await writev.call(this, pieces, position);
  at(position === 0 ? 'fsync' : 'temp-write');
  return result;
};
handles.writeFile = async function (...args) {
  await writeFile.apply(this, args);
  if (isIn('results', paths.get(this))) at('result-temp-write');
};
handles.datasync = async function () {
  await datasync.call(this);
  if (isIn('results', paths.get(this))) at('result-fsync');
};

// The catalog. A transaction is known by a statement that it runs.
const TRANSACTIONS = [
  { marks: 'INSERT INTO instance', before: 'before-commit', after: 'commit' },
  { marks: "SET state = 'complete'", after: 'series-complete' },
  { marks: 'INSERT INTO analysis', after: 'analysis-due' },
  { marks: "SET state = 'analysed'", after: 'analysis-done' },
  { marks: "SET state = 'reported'", before: 'before-report-commit', after: 'report-commit' },
  { marks: 'UPDATE delivery SET state = :state', after: 'delivery-commit' },
];
const Database = createRequire(process.argv[1])('better-sqlite3');
const memory = new Database(':memory:');
const statements = Object.getPrototypeOf(memory.prepare('SELECT 1'));
memory.close();
let ran = [];
for (const method of ['run', 'get', 'all']) {
  const original = statements[method];
  statements[method] = function (...args) {
    const { source } = this;
    ran.push(source);
    if (source.includes('UPDATE delivery SET state = :state') && args[0]?.state === 'delivered') {
      at('pacs-response');
    }
    const result = original.apply(this, args);
    if (source.includes("ended = 'lost' WHERE closed_at IS NULL")) at('recovery-begun');
    return result;
  };
}
const { transaction } = Database.prototype;
Database.prototype.transaction = function (work) {
  const steps = (when) => {
    for (const { marks, [when]: name } of TRANSACTIONS) {
      if (name && ran.some((source) => source.includes(marks))) at(name);
    }
  };
  const inner = transaction.call(this, (...args) => {
    ran = [];
    const result = work(...args);
    steps('before');
    return result;
  });
  const committing =
    (run) =>
    (...args) => {
      const result = run(...args);
      steps('after');
      return result;
    };
  const outer = committing(inner);
  for (const mode of ['default', 'deferred', 'immediate', 'exclusive']) {
    outer[mode] = committing(inner[mode]);
  }
  return outer;
};

// The network. P-DATA-TF is PDU type 04 (PS3.8 9.3.5); who called `connect` is the client.
const P_DATA_TF = 4;
const clients = new WeakSet();
const { connect, write: writeSocket } = net.Socket.prototype;
net.Socket.prototype.connect = function (...args) {
  clients.add(this);
  return connect.apply(this, args);
};
net.Socket.prototype.write = function (chunk, ...rest) {
  const isData = typeof chunk !== 'string' && chunk[0] === P_DATA_TF;
  if (isData && !clients.has(this)) at('before-response');
  const result = writeSocket.call(this, chunk, ...rest);
  if (isData && clients.has(this)) at('delivery');
  return result;
};

// The inference process: killed 20 ms times n after it was asked, or with its answer at the latest.
const INFERENCE_PIPE = 3;
const { spawn } = ChildProcess.prototype;
ChildProcess.prototype.spawn = function (options) {
  const result = spawn.call(this, options);
  const pipe = this.stdio[INFERENCE_PIPE];
  if (step !== 'inference' || !pipe) return result;
  const { write } = pipe;
  pipe.write = (chunk, ...rest) => {
    const written = write.call(pipe, chunk, ...rest);
    if (chunk.includes('classify') || chunk.includes('conclude')) {
      pipe.prependOnceListener('data', die);
      setTimeout(die, 20 * nth);
    }
    return written;
  };
  return result;
};
