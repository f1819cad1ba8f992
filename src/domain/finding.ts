/** The classes of the RSNA 2019 challenge, in its order of columns. */
export const CLASSES = [
  'epidural',
  'intraparenchymal',
  'intraventricular',
  'subarachnoid',
  'subdural',
  'any',
] as const;
export type ClassName = (typeof CLASSES)[number];

/**
 * How a study's triage ended. `undetermined` is an analysed series whose probability lies between the two thresholds.
 * `not-eligible` and `failed` always carry a reason and never read as `negative`.
 */
export type Outcome = 'positive' | 'negative' | 'undetermined' | 'not-eligible' | 'failed';

/** Whether a series was read at all. */
export function isAnalysed(outcome: Outcome): boolean {
  return outcome !== 'not-eligible' && outcome !== 'failed';
}

export type Presence = 'present' | 'absent' | 'undetermined';

/** A code for scripts and the sentence a person reads; neither holds patient data. */
export interface Reason {
  readonly code: string;
  readonly text: string;
}

export interface ClassResult {
  readonly name: ClassName;
  /** The model's own score of the study, before calibration. */
  readonly logit: number;
  /** Calibrated probability for the study, 0..1. */
  readonly probability: number;
  readonly presence: Presence;
}

/** One source image of a slice; `frame` counts from 1 in a multi-frame object. */
export interface SourceImage {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly frame?: number;
}

/** The sequence model's answer for one slab; a slab of thick slices has one source image. */
export interface SliceResult {
  readonly source: SourceImage;
  /** Position along the slice normal in mm, rising from inferior to superior. */
  readonly positionMm: number;
  /** Probabilities 0..1 in the order of CLASSES. */
  readonly probabilities: readonly number[];
}

/** Grad-CAM over a square of the slice, not negative, scaled so that the study's highest cell is 1. */
export interface HeatMap {
  readonly width: number;
  readonly height: number;
  /** Row by row, width x height values 0..1. */
  readonly values: readonly number[];
  /** The square that the map covers, in pixels of the slice turned to radiological display. */
  readonly box: { readonly x: number; readonly y: number; readonly side: number };
}

/** A slice worth looking at, and for which class. */
export interface KeySlice {
  readonly source: SourceImage;
  /** Index into the finding's `slices`. */
  readonly index: number;
  readonly className: ClassName;
  /** The sequence model's probability of that class in this slice, 0..1. */
  readonly probability: number;
  readonly heatMap: HeatMap;
}

/** What became of one series of the study, and why. */
export interface SeriesVerdict {
  readonly seriesInstanceUid: string;
  readonly seriesNumber?: number;
  readonly modality?: string;
  readonly instances: number;
  readonly verdict: 'analysed' | 'eligible' | 'not-eligible';
  readonly reason: Reason;
}

/** Name, version and hash of the model package that answered. */
export interface ModelIdentity {
  readonly name: string;
  readonly version: string;
  readonly maker: string;
  readonly family: string;
  /** Hex SHA-256 of the package's manifest, which itself lists the hash of every file. */
  readonly hash: string;
  /** Hex SHA-256 of the site's own calibration file, where one is in force. */
  readonly calibrationHash?: string;
  /** Share of studies with a hemorrhage that the probabilities hold for, where the site has stated one. */
  readonly prevalence?: number;
}

/** The result of one analysis of a study, whole: what the report stage needs and what the catalog keeps. */
export interface Finding {
  readonly outcome: Outcome;
  /** Always present for `not-eligible` and `failed`; for `undetermined` where it is not the probability alone. */
  readonly reason?: Reason;
  readonly model: ModelIdentity;
  /** The series that was read; absent where none was eligible. */
  readonly seriesInstanceUid?: string;
  /** In the order of CLASSES; empty for `not-eligible` and `failed`. */
  readonly classes: readonly ClassResult[];
  /** Inferior to superior; empty for `not-eligible` and `failed`. */
  readonly slices: readonly SliceResult[];
  readonly keySlices: readonly KeySlice[];
  /** Every series of the study that was seen. */
  readonly series: readonly SeriesVerdict[];
  /** Whose images these are, and which, is in doubt for each of these; absent where nothing is. */
  readonly conflicts?: readonly Reason[];
}
