import type { FailureClass } from '../domain/failure.js';
import type { ClassResult, HeatMap } from '../domain/finding.js';
import type { Frame } from '../domain/instance.js';
import type { Pick } from './key-slices.js';
import type { ModelManifest } from './model-manifest.js';
import type { SlabStatistics } from './pixel-gate.js';

/** Where the inference process finds one image: it reads the file itself, so that no pixels cross the channel. */
export interface ImageReference {
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

/** What the model says of a series; indices count the slabs of the request. */
export interface SeriesAnalysis {
  readonly statistics: readonly SlabStatistics[];
  /** In the order of CLASSES. */
  readonly classes: readonly ClassResult[];
  /** [T][C], on the study's scale. */
  readonly probabilities: readonly (readonly number[])[];
  readonly keySlices: readonly (Pick & { readonly heatMap: HeatMap })[];
}

export interface EngineFailure {
  readonly code: string;
  readonly failureClass: FailureClass;
  readonly message: string;
}

/** `prefetch` has no answer: what it computes is found again by key. */
export type EngineRequest =
  | {
      readonly type: 'open';
      readonly folder: string;
      readonly manifest: ModelManifest;
      readonly threads: number;
    }
  | { readonly type: 'prefetch'; readonly slabs: readonly SlabInput[] }
  | {
      readonly type: 'analyse';
      readonly id: number;
      readonly slabs: readonly SlabInput[];
      readonly keySlices: number;
    };

export type EngineReply =
  | { readonly type: 'ready' }
  | { readonly type: 'refused'; readonly message: string }
  | { readonly type: 'analysed'; readonly id: number; readonly analysis: SeriesAnalysis }
  | { readonly type: 'failed'; readonly id: number; readonly failure: EngineFailure };
