import type { Finding, ModelIdentity, Outcome, Reason, SeriesVerdict } from '../domain/finding.js';
import type { StoredInstance } from '../domain/instance.js';
import type { Suspicion } from '../domain/urgency.js';
import type { Log } from '../log.js';
import { DECIDING_CLASS } from './decision.js';
import { judgeSeries } from './eligibility.js';
import { type EngineObserver, InferenceEngine, type SeriesAnalysis } from './engine.js';
import type { ImageReference, SlabInput } from './engine-protocol.js';
import { type ModelPackage, openModelPackage } from './model-package.js';
import { refuseByPixels } from './pixel-gate.js';
import { Recent } from './recent.js';
import { type PlannedSlab, planSeries, settledSlabs, sourceOf } from './series-plan.js';
import { fitted, type SiteFit } from './site-calibration.js';

export interface InferStageOptions extends SiteFit {
  readonly packageFolder: string;
  /** Files of public keys, one of which must have signed the package; `any` asks for no signature. */
  readonly signedBy?: 'any' | readonly string[];
  /** Threads of one operator in the inference process. */
  readonly threads: number;
  /** How much the inference process yields to others, 0 to 19; behind the receiver where absent. */
  readonly niceness?: number;
  /** At most so many key slices with a heat map. */
  readonly keySlices?: number;
  readonly log: Log;
  /** The inference process has hung when a batch of slices takes longer. Milliseconds. */
  readonly timeoutMs?: number;
  /** What the inference process may allocate, in bytes. */
  readonly memoryBytes?: number;
}

/** What was made of a series while it arrives: of how many slices, and which slabs were handed over. */
interface Arriving {
  readonly seen: number;
  readonly keys: Set<string>;
}

const KEY_SLICES = 5;
const NICENESS = 5;
const TIMEOUT_MS = 30_000;
const MEMORY_BYTES = 4 * 1024 ** 3;
/** A series is planned anew when it has grown by so much, not for each of several hundred thin slices. */
const WORTH_A_LOOK = 17 / 16;
/** More than ever arrive at once. */
const SERIES_ARRIVING = 500;

/** The stage's face: a model package and the process that runs it. */
export class InferStage implements AsyncDisposable {
  readonly #package: ModelPackage;
  readonly #engine: InferenceEngine;
  readonly #keySlices: number;
  readonly #arriving = new Recent<Arriving>(SERIES_ARRIVING);

  private constructor(model: ModelPackage, engine: InferenceEngine, keySlices: number) {
    this.#package = model;
    this.#engine = engine;
    this.#keySlices = keySlices;
  }

  /**
   * Checks the package, starts the inference process and lets it try the model. Where the process cannot be started for
   * now, `problem` says so until it can. @throws ModelPackageError
   */
  static async open(options: InferStageOptions): Promise<InferStage> {
    const { packageFolder, signedBy = 'any' } = options;
    const model = await fitted(await openModelPackage(packageFolder, signedBy), options);
    const { threads, niceness = NICENESS, log } = options;
    const { timeoutMs = TIMEOUT_MS, memoryBytes = MEMORY_BYTES } = options;
    const process = { threads, niceness, timeoutMs, memoryBytes };
    const engine = await InferenceEngine.open({ model, log, ...process });
    return new InferStage(model, engine, options.keySlices ?? KEY_SLICES);
  }

  get model(): ModelIdentity {
    return this.#package.identity;
  }

  /** Why nothing can be read at the moment, undefined where it can; the process is started again by itself. */
  get problem(): string | undefined {
    return this.#engine.problem;
  }

  /** The highest logit of the deciding class in each of the series seen last. */
  get suspicion(): Suspicion {
    return this.#engine.suspicion;
  }

  observe(observer: EngineObserver): void {
    this.#engine.observe(observer);
  }

  /**
   * Lets the CNN see the slices of one series that have arrived so far, when nothing else is to do. Returns at once;
   * call it with all slices so far whenever new ones have come.
   */
  prefetch(series: readonly StoredInstance[]): void {
    const uid = series[0]?.header.seriesInstanceUid;
    if (uid === undefined) return;
    const { seen, keys } = this.#arriving.get(uid) ?? { seen: 0, keys: new Set<string>() };
    if (series.length < seen * WORTH_A_LOOK) return;
    this.#arriving.set(uid, { seen: series.length, keys });
    if (!judgeSeries(series, false).eligible) return;
    const { input } = this.#package.manifest;
    const slabs = planSeries(series, input);
    const fresh = settledSlabs(slabs, input).filter(({ key }) => !keys.has(key));
    for (const { key } of fresh) keys.add(key);
    this.#engine.readAhead(
      uid,
      fresh.map((slab) => inputOf(slab, slabs)),
    );
  }

  /**
   * Reads one eligible series, whole. The outcome is `not-eligible` where the pixels are not those of a head CT.
   * @param verdicts of every series of the study, this one's included
   * @throws StageError
   */
  async analyse(
    series: readonly StoredInstance[],
    verdicts: readonly SeriesVerdict[],
  ): Promise<Finding> {
    const slabs = planSeries(series, this.#package.manifest.input);
    const seriesInstanceUid = series[0]?.header.seriesInstanceUid ?? '';
    const inputs = slabs.map((slab) => inputOf(slab, slabs));
    const analysis = await this.#engine.analyse(seriesInstanceUid, inputs, this.#keySlices);
    const refused = refuseByPixels(analysis.statistics);
    const about = { model: this.model, seriesInstanceUid };
    return refused
      ? notEligible(about, refused, verdicts)
      : { ...about, ...read(slabs, analysis), series: verdicts };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#engine[Symbol.asyncDispose]();
  }
}

function read(
  slabs: readonly PlannedSlab[],
  { classes, probabilities, keySlices }: SeriesAnalysis,
): Pick<Finding, 'outcome' | 'classes' | 'slices' | 'keySlices'> {
  const slices = slabs.map((slab, i) => ({
    source: sourceOf(slab),
    positionMm: slab.positionMm,
    probabilities: probabilities[i] ?? [],
  }));
  return {
    outcome: outcomeOf(classes),
    classes,
    slices,
    keySlices: keySlices.flatMap(({ index, className, heatMap }) => {
      const slice = slices[index];
      const column = classes.findIndex(({ name }) => name === className);
      const probability = slice?.probabilities[column];
      if (!slice || probability === undefined) return [];
      return [{ source: slice.source, index, className, probability, heatMap }];
    }),
  };
}

function outcomeOf(classes: Finding['classes']): Outcome {
  const presence = classes.find(({ name }) => name === DECIDING_CLASS)?.presence;
  if (presence === 'present') return 'positive';
  return presence === 'absent' ? 'negative' : 'undetermined';
}

function notEligible(
  about: Pick<Finding, 'model' | 'seriesInstanceUid'>,
  reason: Reason,
  verdicts: readonly SeriesVerdict[],
): Finding {
  const series = verdicts.map(
    (verdict): SeriesVerdict =>
      verdict.seriesInstanceUid === about.seriesInstanceUid
        ? { ...verdict, verdict: 'not-eligible', reason }
        : verdict,
  );
  return {
    ...about,
    outcome: 'not-eligible',
    reason,
    classes: [],
    slices: [],
    keySlices: [],
    series,
  };
}

function inputOf(slab: PlannedSlab, slabs: readonly PlannedSlab[]): SlabInput {
  const read = [...new Set([slab, ...slab.channels.flatMap((at) => slabs[at] ?? [])])];
  return {
    key: slab.key,
    groups: read.map(({ images }) =>
      images.map(
        ({ instance, frame, geometry }): ImageReference => ({
          sopInstanceUid: instance.header.sopInstanceUid,
          file: instance.file,
          sha256: instance.sha256,
          frame,
          geometry,
        }),
      ),
    ),
    center: 0,
    channels: slab.channels.map((at) => read.indexOf(slabs[at] ?? slab)),
  };
}
