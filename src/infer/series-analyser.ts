import { StageError } from '../domain/failure.js';
import { CLASSES, type ClassName, type HeatMap } from '../domain/finding.js';
import type { Thread } from '../thread.js';
import { decide, sliceProbabilities, studyLogitSeed } from './decision.js';
import type {
  Classify,
  Conclusion,
  EngineFailure,
  SlabInput,
  SlabResult,
} from './engine-protocol.js';
import { type Pick, pickKeySlices } from './key-slices.js';
import type { ModelGraphs } from './model-graphs.js';
import { classifier, type ModelManifest } from './model-manifest.js';
import { Recent } from './recent.js';
import type { PreparedSlab, SlabThreadFunctions } from './slab-thread.js';

type Prepared = PreparedSlab | EngineFailure;

/** Feature maps of two or three series of the shipped model: memory that is used again soon, as fresh memory costs more. */
const MAPS_KEPT_BYTES = 32 * 1024 * 1024;

/** Runs the model over slabs and series. */
export class SeriesAnalyser {
  readonly #graphs: ModelGraphs;
  readonly #manifest: ModelManifest;
  readonly #slabs: Thread<SlabThreadFunctions>;
  readonly #mapLength: number;
  /** Feature maps of the slabs that were classified last, by key: Grad-CAM of the key slices costs no second run then. */
  readonly #maps: Recent<Float32Array>;
  /** Memory of a map that is kept no more: fresh memory costs more than filling it. */
  #spareMap: Float32Array | undefined;
  /** A slab that was asked for ahead of its request. */
  #ahead: { readonly key: string; readonly answer: Promise<Prepared> } | undefined;

  constructor(graphs: ModelGraphs, manifest: ModelManifest, slabs: Thread<SlabThreadFunctions>) {
    this.#graphs = graphs;
    this.#manifest = manifest;
    this.#slabs = slabs;
    const { channels, height, width } = manifest.activation;
    this.#mapLength = channels * height * width;
    const bytes = this.#mapLength * Float32Array.BYTES_PER_ELEMENT;
    this.#maps = new Recent(Math.floor(MAPS_KEPT_BYTES / bytes));
  }

  /**
   * Reads and classifies slabs one by one: while the CNN runs on one the next is made. In batches the runtime itself is
   * faster on several threads, the whole slower (two threads on two cores: 70 slices/s so, 66 in fours, 57 in eights).
   * @throws StageError
   */
  async classify({ slabs, next }: Omit<Classify, 'type'>): Promise<SlabResult[]> {
    const results: SlabResult[] = [];
    for await (const { slice, box, statistics } of this.#prepared(slabs, next)) {
      const { key } = slabs[results.length] as SlabInput;
      const { features, logits } = await this.#classify(key, slice);
      results.push({ features, logits, box, statistics });
    }
    return results;
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
    const width = this.#manifest.features;
    const activations = await this.#activations(own.map(({ index }) => slabs[index] as SlabInput));
    const rows = own.map(({ index }) => gradient.subarray(index * width, (index + 1) * width));
    const cam = await this.#graphs.cam(concatenated(activations), concatenated(rows), own.length);
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

  /** Features and logits of one slab; its feature map is kept, where the graph that classifies has one. */
  async #classify(key: string, slice: Float32Array) {
    if (classifier(this.#manifest) !== 'cnn.onnx') return this.#graphs.classify(slice, 1);
    const map = this.#spareMap ?? new Float32Array(this.#mapLength);
    this.#spareMap = undefined;
    const answer = await this.#graphs.classifyWithMap(slice, 1, map);
    this.#spareMap = this.#maps.set(key, map);
    return answer;
  }

  /** The slabs' feature maps, those that are not kept computed again. */
  async #activations(slabs: readonly SlabInput[]): Promise<Float32Array[]> {
    const again = slabs.filter(({ key }) => this.#maps.get(key) === undefined);
    const computed: Float32Array[] = [];
    for await (const { slice } of this.#prepared(again)) {
      computed.push(await this.#graphs.activation(slice, 1));
    }
    return slabs.map(
      (slab) => this.#maps.get(slab.key) ?? (computed[again.indexOf(slab)] as Float32Array),
    );
  }

  /** The slabs' inputs in their order. All are asked for at once: the thread makes the next while one is used. */
  async *#prepared(slabs: readonly SlabInput[], next?: SlabInput): AsyncGenerator<PreparedSlab> {
    const asked = slabs.map(
      (slab) => (slab.key === this.#ahead?.key && this.#ahead.answer) || this.#ask(slab),
    );
    this.#ahead = next && { key: next.key, answer: this.#ask(next) };
    for (const one of asked) {
      const answer = await one;
      if (!('code' in answer)) {
        yield answer;
        continue;
      }
      // Whoever tries again asks for everything anew.
      this.#ahead = undefined;
      throw new StageError(answer.code, answer.failureClass, answer.message);
    }
  }

  #ask(slab: SlabInput): Promise<Prepared> {
    const answer = this.#slabs.call('prepare', slab);
    // Where an earlier one fails, nobody waits for those behind it.
    answer.catch(() => undefined);
    return answer;
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
