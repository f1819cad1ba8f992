import { setPriority } from 'node:os';
import { StageError } from '../domain/failure.js';
import type { EngineFailure, EngineReply, EngineRequest, SlabInput } from './engine-protocol.js';
import { ModelGraphs } from './model-graphs.js';
import { SeriesAnalyser } from './series-analyser.js';
import { SlabReader } from './slab-reader.js';

/**
 * The inference process. ONNX Runtime blocks the thread that it runs on, so it has a process of its own, behind the
 * receiver in priority. It answers analyses in order; between them it classifies the slices that have arrived so far.
 */
const NICE = 5;
/** An analysis that comes in the meantime waits for so many slices at most. */
const SPECULATIVE_BATCH = 4;
/** A scanner's largest series, twice over; what is dropped is computed with the analysis. */
const MOST_SPECULATIVE = 2000;

type Analyse = Extract<EngineRequest, { type: 'analyse' }>;

let analyser: SeriesAnalyser | undefined;
const analyses: Analyse[] = [];
let speculative: SlabInput[] = [];
let working = false;

setPriority(NICE);
// The parent drains first and then ends this process itself; a terminal signals the whole group.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('disconnect', () => process.exit(0));
process.on('message', (request: EngineRequest) => {
  switch (request.type) {
    case 'open':
      void open(request);
      break;
    case 'analyse':
      analyses.push(request);
      void work();
      break;
    case 'prefetch':
      speculative = [...speculative, ...request.slabs].slice(-MOST_SPECULATIVE);
      void work();
      break;
  }
});

async function open({
  folder,
  manifest,
  threads,
}: Extract<EngineRequest, { type: 'open' }>): Promise<void> {
  try {
    const graphs = await ModelGraphs.open(folder, manifest, threads);
    analyser = new SeriesAnalyser(graphs, manifest, new SlabReader());
    reply({ type: 'ready' });
  } catch (error) {
    reply({ type: 'refused', message: messageOf(error) });
  }
}

async function work(): Promise<void> {
  if (working || !analyser) return;
  working = true;
  try {
    for (;;) {
      const request = analyses.shift();
      if (request) await answer(analyser, request);
      else if (speculative.length > 0) await speculate(analyser);
      else return;
    }
  } finally {
    working = false;
  }
}

async function answer(on: SeriesAnalyser, { id, slabs, keySlices }: Analyse): Promise<void> {
  try {
    reply({ type: 'analysed', id, analysis: await on.analyse(slabs, keySlices) });
  } catch (error) {
    reply({ type: 'failed', id, failure: failureOf(error) });
  }
}

async function speculate(on: SeriesAnalyser): Promise<void> {
  const batch = speculative.splice(0, SPECULATIVE_BATCH).filter((slab) => on.isNew(slab));
  // A slice that cannot be read is told when its series is analysed.
  await on.classify(batch).catch(() => undefined);
}

function reply(message: EngineReply): void {
  process.send?.(message);
}

function failureOf(error: unknown): EngineFailure {
  if (error instanceof StageError) {
    const { code, failureClass, message } = error;
    return { code, failureClass, message };
  }
  return { code: 'inference-failed', failureClass: 'transient', message: messageOf(error) };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
