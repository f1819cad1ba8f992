import type { FailureClass } from '../domain/failure.js';
import type { ClassResult, HeatMap } from '../domain/finding.js';
import type { Frame } from '../domain/instance.js';
import type { Pick } from './key-slices.js';
import type { ModelManifest } from './model-manifest.js';
import type { SlabStatistics } from './pixel-gate.js';
import type { Box } from './preprocess.js';

/** Where the inference process finds one image: it reads the file itself, so that no pixels cross the channel. */
export interface ImageReference {
  readonly sopInstanceUid: string;
  readonly file: string;
  /** Hex SHA-256 of the dataset's bytes as received. */
  readonly sha256: string;
  readonly frame: number;
  readonly geometry: Frame;
}

/** Everything that the CNN's input of one slab is made of. */
export interface SlabInput {
  readonly key: string;
  /** The slabs that the channels read, each as its images. */
  readonly groups: readonly (readonly ImageReference[])[];
  /** The slab itself, as an index into `groups`. */
  readonly center: number;
  /** For each channel of the model an index into `groups`. */
  readonly channels: readonly number[];
}

/** What the CNN says of one slab: features [F] and logits [C]; and what the slab's pixels say of themselves. */
export interface SlabResult {
  readonly features: Float32Array;
  readonly logits: Float32Array;
  readonly box: Box;
  readonly statistics: SlabStatistics;
}

/** What the model says of a whole series; indices count its slabs. */
export interface Conclusion {
  /** In the order of CLASSES. */
  readonly classes: readonly ClassResult[];
  /** [T][C], on the study's scale. */
  readonly probabilities: readonly (readonly number[])[];
  readonly keySlices: readonly (Pick & { readonly heatMap: HeatMap })[];
}

export interface OpenModel {
  readonly type: 'open';
  readonly folder: string;
  readonly manifest: ModelManifest;
  readonly threads: number;
  /** Of the process, 0 to 19: the higher, the more it yields (setpriority(2)). */
  readonly niceness: number;
}

export interface Classify {
  readonly type: 'classify';
  readonly slabs: readonly SlabInput[];
  /** The first slab of the request that follows: it is made while the CNN still runs on these. */
  readonly next?: SlabInput | undefined;
}

export interface Conclude {
  readonly type: 'conclude';
  readonly slabs: readonly SlabInput[];
  /** One for each slab. */
  readonly results: readonly SlabResult[];
  readonly keySlices: number;
}

export type EngineWork = Classify | Conclude;

/** The process is asked for one thing at a time, and answers each with the number of the request. */
export type EngineRequest = OpenModel | (EngineWork & { readonly id: number });

export interface EngineFailure {
  readonly code: string;
  readonly failureClass: FailureClass;
  readonly message: string;
}

/**
 * `begun` comes before an answer: a process that is lost without it was lost before, whoever's slices it was given.
 * `failed` blames the files, for good reasons; after `broken` the process itself is not to be trusted any more: no
 * number came out, memory ran out, or something happened that nobody foresaw.
 */
export type EngineReply =
  | { readonly type: 'ready' }
  | { readonly type: 'refused'; readonly message: string }
  | { readonly type: 'begun'; readonly id: number }
  | { readonly type: 'classified'; readonly id: number; readonly results: readonly SlabResult[] }
  | { readonly type: 'concluded'; readonly id: number; readonly conclusion: Conclusion }
  | { readonly type: 'failed'; readonly id: number; readonly failure: EngineFailure }
  | { readonly type: 'broken'; readonly id: number; readonly failure: EngineFailure };
