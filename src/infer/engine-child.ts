import { writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { setPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { StageError } from '../domain/failure.js';
import { Thread } from '../thread.js';
import { EngineChannel } from './engine-channel.js';
import type { EngineFailure, EngineReply, EngineRequest, OpenModel } from './engine-protocol.js';
import { ModelGraphs } from './model-graphs.js';
import { checkFiles } from './model-package.js';
import { SeriesAnalyser } from './series-analyser.js';
import type { SlabThreadFunctions } from './slab-thread.js';

/**
 * The inference process. ONNX Runtime blocks the thread that it runs on, and pixels come from outside: so this is a
 * process of its own, behind the receiver in priority and before it when the kernel looks for memory. It does what it is
 * asked, one request after the other, and keeps nothing but what spares it work.
 */
/** The kernel's first choice when memory runs out (proc(5), oom_score_adj). */
const FIRST_TO_GO = 1000;
const OWNER_LOOK_MS = 1_000;
/** The pipe to the owner, see `engine-process.ts`. */
const CHANNEL_FD = 3;

killMeFirst();
endWithOwner();
// The parent drains first and then ends this process itself; a terminal signals the whole group.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);

let analyser: SeriesAnalyser | undefined;
const pipe = new Socket({ fd: CHANNEL_FD, readable: true, writable: true });
const channel = new EngineChannel(
  pipe,
  (message) => void answer(message as EngineRequest).then((reply) => channel.send(reply)),
  (error) => {
    throw error;
  },
);
pipe.on('close', () => process.exit(0));

async function answer(request: EngineRequest): Promise<EngineReply> {
  if (request.type === 'open') return open(request);
  const { id } = request;
  channel.send({ type: 'begun', id } satisfies EngineReply);
  try {
    if (analyser === undefined) throw new Error('No model is open');
    if (request.type === 'classify') {
      return { type: 'classified', id, results: await analyser.classify(request) };
    }
    const { slabs, results, keySlices } = request;
    const conclusion = await analyser.conclude(slabs, results, keySlices);
    return { type: 'concluded', id, conclusion };
  } catch (error) {
    return { type: isSound(error) ? 'failed' : 'broken', id, failure: failureOf(error) };
  }
}

async function open({ folder, manifest, threads, niceness }: OpenModel): Promise<EngineReply> {
  // Before the runtime's threads are made: on Linux each thread has its own, from the one that makes it.
  setPriority(niceness);
  try {
    const slabs = new Thread<SlabThreadFunctions>('infer/slab-thread', manifest.input);
    slabs.start();
    await checkFiles(folder, manifest);
    const graphs = await ModelGraphs.open(folder, manifest, threads);
    analyser = new SeriesAnalyser(graphs, manifest, slabs);
    return { type: 'ready' };
  } catch (error) {
    return { type: 'refused', message: messageOf(error) };
  }
}

/** Errors about the files, found by code that looks for them, say nothing against the process. */
function isSound(error: unknown): error is StageError {
  return error instanceof StageError && error.code !== 'model-output-invalid';
}

function failureOf(error: unknown): EngineFailure {
  if (error instanceof StageError) {
    const { code, failureClass, message } = error;
    return { code, failureClass, message };
  }
  const message = messageOf(error);
  const outOfMemory = /bad_alloc|allocat|out of memory/i.test(message);
  return {
    code: outOfMemory ? 'inference-out-of-memory' : 'inference-failed',
    failureClass: 'transient',
    message: outOfMemory ? 'The inference process ran out of memory' : message,
  };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Also where a decoder loops: the closed pipe would not be noticed, and the next node has a process of its own. */
function endWithOwner(): void {
  const watch = `
    const owner = ${process.ppid};
    setInterval(() => {
      if (process.ppid !== owner) process.kill(process.pid, 'SIGKILL');
    }, ${OWNER_LOOK_MS});`;
  new Worker(watch, { eval: true, execArgv: [] }).unref();
}

function killMeFirst(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', `${FIRST_TO_GO}`);
  } catch {
    // Not Linux, or without /proc: the kernel chooses by itself.
  }
}
