import { workerData } from 'node:worker_threads';
import { StageError } from '../domain/failure.js';
import { Moved, serveThread } from '../thread.js';
import type { EngineFailure, SlabInput } from './engine-protocol.js';
import type { InputSpec } from './model-manifest.js';
import { type SlabStatistics, slabStatistics } from './pixel-gate.js';
import { type Box, headBox, writeSliceInput } from './preprocess.js';
import { SlabReader } from './slab-reader.js';

/** A slab as the CNN takes it: its input [channels, size, size], where it was cut out, and what its pixels say. */
export interface PreparedSlab {
  readonly slice: Float32Array;
  readonly box: Box;
  readonly statistics: SlabStatistics;
}

/**
 * The thread that reads slabs and makes the CNN's input of them. ONNX Runtime blocks the inference process's first
 * thread: here the next slab is made meanwhile.
 */
const input = workerData as InputSpec;
const reader = new SlabReader();

async function prepare(slab: SlabInput): Promise<Moved<PreparedSlab>> {
  const images = await reader.read(slab);
  const imageOf = (group: number) => {
    const image = images[group];
    if (image === undefined) throw new RangeError(`The slab has no group ${group}`);
    return image;
  };
  const center = imageOf(slab.center);
  const box = headBox(center, input.crop);
  const slice = new Float32Array(input.channels.length * input.size * input.size);
  writeSliceInput(slab.channels.map(imageOf), box, input, slice);
  return new Moved({ slice, box, statistics: slabStatistics(center, box) }, [slice.buffer]);
}

const functions = {
  /** What is wrong with a file comes as an answer: an error loses its class on the way. */
  prepare: async (slab: SlabInput): Promise<Moved<PreparedSlab> | EngineFailure> => {
    try {
      return await prepare(slab);
    } catch (error) {
      if (!(error instanceof StageError)) throw error;
      const { code, failureClass, message } = error;
      return { code, failureClass, message };
    }
  },
};

export type SlabThreadFunctions = typeof functions;

serveThread(functions);
