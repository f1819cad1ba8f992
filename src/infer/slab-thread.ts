import { workerData } from 'node:worker_threads';
import type { HuImage } from '../dicom/hu-image.js';
import { StageError } from '../domain/failure.js';
import { Moved, serveThread } from '../thread.js';
import type { EngineFailure, SlabInput } from './engine-protocol.js';
import type { InputSpec } from './model-manifest.js';
import { type SlabStatistics, slabStatistics } from './pixel-gate.js';
import { type Box, headBox, writeSliceInput } from './preprocess.js';
import { SlabReader } from './slab-reader.js';

/**
 * The thread that reads slabs and makes the CNN's input of them. ONNX Runtime blocks the inference process's first
 * thread: here the next slab is made meanwhile.
 */
const input = workerData as InputSpec;
const reader = new SlabReader();

/** A slab as the CNN takes it: its input [channels, size, size], where it was cut out, and what its pixels say. */
export interface PreparedSlab {
  readonly slice: Float32Array;
  readonly box: Box;
  readonly statistics: SlabStatistics;
}

async function prepare(slab: SlabInput): Promise<Moved<PreparedSlab>> {
  const images = await reader.read(slab);
  const center = images[slab.center] as HuImage;
  const box = headBox(center, input.crop);
  const channels = slab.channels.map((group) => images[group] as HuImage);
  const slice = new Float32Array(input.channels.length * input.size * input.size);
  writeSliceInput(channels, box, input, slice);
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
