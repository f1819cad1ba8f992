import type { HuImage } from '../dicom/hu-image.js';
import { CLASSES, type ClassName, type HeatMap } from '../domain/finding.js';
import { decide, sliceProbabilities, studyLogitSeed } from './decision.js';
import type { Conclusion, SlabInput, SlabResult } from './engine-protocol.js';
import { type Pick, pickKeySlices } from './key-slices.js';
import type { ModelGraphs } from './model-graphs.js';
import type { ModelManifest } from './model-manifest.js';
import { slabStatistics } from './pixel-gate.js';
import { type Box, headBox, writeSliceInput } from './preprocess.js';
import type { SlabReader } from './slab-reader.js';

interface Batch {
  readonly slices: Float32Array;
  readonly boxes: readonly Box[];
  readonly centers: readonly HuImage[];
}

/** Runs the model over slabs and series. */
export class SeriesAnalyser {
  readonly #graphs: ModelGraphs;
  readonly #manifest: ModelManifest;
  readonly #reader: SlabReader;

  constructor(graphs: ModelGraphs, manifest: ModelManifest, reader: SlabReader) {
    this.#graphs = graphs;
    this.#manifest = manifest;
    this.#reader = reader;
  }

  /** Reads and classifies slabs, as one batch. @throws StageError */
  async classify(slabs: readonly SlabInput[]): Promise<SlabResult[]> {
    const { slices, boxes, centers } = await this.#prepare(slabs);
    const { features, logits } = await this.#graphs.classify(slices, slabs.length);
    const width = this.#manifest.features;
    return slabs.map((_, i) => {
      const box = boxes[i] as Box;
      return {
        features: features.slice(i * width, (i + 1) * width),
        logits: logits.slice(i * CLASSES.length, (i + 1) * CLASSES.length),
        box,
        statistics: slabStatistics(centers[i] as HuImage, box),
      };
    });
  }

  /**
   * The whole answer for the slabs of a series, inferior to superior, and what `classify` gave for each of them.
   * @throws StageError
   */
  async conclude(
    slabs: readonly SlabInput[],
    results: readonly SlabResult[],
    keySlices: number,
  ): Promise<Conclusion> {
    const features = concatenated(results.map((result) => result.features));
    const logits = concatenated(results.map((result) => result.logits));
    const flat = await this.#graphs.scores(features, logits, slabs.length);
    const scores = results.map((_, i) =>
      flat.subarray(i * CLASSES.length, (i + 1) * CLASSES.length),
    );

    const { decision } = this.#manifest;
    const classes = decide(scores, decision);
    const picks = pickKeySlices(scores, classes, decision, keySlices);
    const maps: Conclusion['keySlices'][number][] = [];
    for (const className of new Set(picks.map((pick) => pick.className))) {
      const seed = studyLogitSeed(scores, className, decision);
      const gradient = await this.#graphs.gradient(features, logits, seed, slabs.length);
      maps.push(...(await this.#heatMaps(picks, className, slabs, results, gradient)));
    }
    return {
      classes,
      probabilities: scores.map((row) => sliceProbabilities(row, decision)),
      keySlices: picks.flatMap(({ index }) => maps.filter((map) => map.index === index)),
    };
  }

  /** Heat maps of the picks of one class, on one scale: the highest cell of them all is 1. */
  async #heatMaps(
    picks: readonly Pick[],
    className: ClassName,
    slabs: readonly SlabInput[],
    results: readonly SlabResult[],
    gradient: Float32Array,
  ): Promise<(Pick & { heatMap: HeatMap })[]> {
    const own = picks.filter((pick) => pick.className === className);
    const { slices } = await this.#prepare(own.map(({ index }) => slabs[index] as SlabInput));
    const activation = await this.#graphs.activation(slices, own.length);
    const width = this.#manifest.features;
    const rows = own.map(({ index }) => gradient.subarray(index * width, (index + 1) * width));
    const cam = await this.#graphs.cam(activation, concatenated(rows), own.length);
    const highest = cam.reduce((a, b) => Math.max(a, b), 0);
    const { width: across, height: down } = this.#manifest.activation;
    return own.map((pick, i) => {
      const values = cam.subarray(i * across * down, (i + 1) * across * down);
      return {
        ...pick,
        heatMap: {
          width: across,
          height: down,
          values: Array.from(values, (value) => (highest > 0 ? value / highest : 0)),
          box: (results[pick.index] as SlabResult).box,
        },
      };
    });
  }

  async #prepare(slabs: readonly SlabInput[]): Promise<Batch> {
    const { input } = this.#manifest;
    const length = input.channels.length * input.size * input.size;
    const slices = new Float32Array(slabs.length * length);
    const boxes: Box[] = [];
    const centers: HuImage[] = [];
    for (const [i, slab] of slabs.entries()) {
      const images = await this.#reader.read(slab);
      const center = images[slab.center] as HuImage;
      const box = headBox(center, input.crop);
      const channels = slab.channels.map((group) => images[group] as HuImage);
      writeSliceInput(channels, box, input, slices, i * length);
      boxes.push(box);
      centers.push(center);
    }
    return { slices, boxes, centers };
  }
}

function concatenated(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
