import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CompletenessWorker } from '../../../src/complete/completeness-worker.js';
import type { Finding } from '../../../src/domain/finding.js';
import type { StoredInstance } from '../../../src/domain/instance.js';
import { analysisPass } from '../../../src/infer/analysis-stage.js';
import { selectionPass } from '../../../src/infer/selection-stage.js';
import { AnalysisStore } from '../../../src/store/analysis-store.js';
import { StatusStore } from '../../../src/store/status-store.js';
import { headerAt } from '../../unit/infer/series.js';
import { StoreRig, silent } from '../store/rig.js';

const STUDY = '1.2.3';
const waits = {
  likelyMs: 2_000,
  unknownMs: 20_000,
  capMs: 600_000,
  lateFirstMs: 5_000,
  lateLongestMs: 300_000,
  studyQuietMs: 20_000,
};
const model = { name: 'm', version: '1', maker: 'x', family: 'y', hash: 'z' };

/** A thin head of 240 slices, of which the scanner sends every sixth at once and the others one by one. */
const headers = Array.from({ length: 240 }, (_, i) => headerAt(0.6 * i));
const prompt = headers.filter((_, i) => i % 6 === 0);
const late = headers.filter((_, i) => i % 6 !== 0);

const STEP_MS = 250;

/** The stages from the catalog to the report on a clock that the test moves; the reader counts slices. */
class Stages implements AsyncDisposable {
  readonly #rig: StoreRig;
  readonly #analyses: AnalysisStore;
  readonly #worker: CompletenessWorker;
  /** When each revision was reported, and how many slices it was made of. */
  readonly reports: { readonly at: number; readonly slices: number }[] = [];

  constructor(rig: StoreRig, more: Partial<typeof waits> = {}) {
    this.#rig = rig;
    this.#analyses = new AnalysisStore(rig.catalog);
    this.waits = { ...waits, ...more };
    this.#worker = new CompletenessWorker({
      series: rig.series,
      waits: () => this.waits,
      onComplete: () => undefined,
      log: silent,
    });
    this.#worker.start();
  }

  readonly waits: typeof waits;

  get status(): StatusStore {
    return new StatusStore(this.#rig.catalog);
  }

  /** One association that carries these slices. */
  send(slices: readonly (typeof headers)[number][]): void {
    const { ingest } = this.#rig;
    const associationId = ingest.nextAssociationId();
    const ae = { callingAeTitle: 'CT', calledAeTitle: 'VIGIL', remoteAddress: '127.0.0.1' };
    ingest.associationOpened({ associationId, ...ae, openedAt: Date.now() });
    for (const header of slices) {
      const received = this.#rig.received({ sop: header.sopInstanceUid }, header.sopInstanceUid);
      ingest.accept({ ...received, header, associationId });
    }
    ingest.associationClosed(associationId, 'released', Date.now());
    ingest.flush();
    this.#worker.look([headers[0]?.seriesInstanceUid ?? '']);
  }

  /** Moves the clock, and has each stage do what is due then. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= STEP_MS) {
      await vi.advanceTimersByTimeAsync(Math.min(STEP_MS, left));
      while (!('dueInMs' in selectionPass(this.#rig.series, this.waits, silent)));
      const read = await analysisPass(this.#analyses, this.#rig.series, reader, silent);
      if ('dueInMs' in read) continue;
      const work = this.#analyses.claimReport(Date.now());
      if (work === undefined) throw new Error('nothing to report');
      this.#analyses.finishReport(work, [], []);
      this.reports.push({ at: Date.now(), slices: work.finding.slices.length });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#worker.stop();
  }
}

const reader = {
  model,
  analyse: async (series: readonly StoredInstance[]): Promise<Finding> => ({
    outcome: 'positive',
    model,
    classes: [],
    slices: series.map(({ header: { sopClassUid, sopInstanceUid } }) => ({
      source: { sopClassUid, sopInstanceUid },
      positionMm: 0,
      probabilities: [],
    })),
    keySlices: [],
    series: [],
  }),
};

describe('slices that come after the report', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it.each([
    { everyMs: 300, likelyMs: 2_000, reports: 2 },
    { everyMs: 300, likelyMs: 0, reports: 2 },
    { everyMs: 3_000, likelyMs: 2_000, reports: 2 },
    { everyMs: 20_000, likelyMs: 2_000, reports: 12 },
  ])('one by one, each $everyMs ms, lead to $reports reports at most', async (storm) => {
    await using rig = await StoreRig.open();
    await using stages = new Stages(rig, { likelyMs: storm.likelyMs });
    stages.send(prompt);
    await stages.pass(3_000);
    expect(stages.reports).toMatchObject([{ slices: prompt.length }]);

    const cameAt: number[] = [];
    for (const header of late) {
      cameAt.push(Date.now());
      stages.send([header]);
      await stages.pass(storm.everyMs);
    }
    await stages.pass(waits.capMs);

    expect(stages.reports.length).toBeLessThanOrEqual(storm.reports);
    expect(stages.reports.at(-1)?.slices).toBe(headers.length);
    for (const [i, at] of cameAt.entries()) {
      const holding = stages.reports.find(({ slices }) => slices >= prompt.length + i + 1);
      expect((holding?.at ?? Infinity) - at).toBeLessThanOrEqual(
        waits.capMs + waits.likelyMs + STEP_MS,
      );
    }
    const revisions = stages.status.study(STUDY)?.analyses.map(({ revision }) => revision);
    expect(revisions).toEqual(stages.reports.map((_, i) => i + 1));
  });

  it('together are reported soon, once', async () => {
    await using rig = await StoreRig.open();
    await using stages = new Stages(rig);
    stages.send(prompt);
    await stages.pass(3_000);
    stages.send(late);
    await stages.pass(waits.lateFirstMs + 1_000);
    expect(stages.reports.map(({ slices }) => slices)).toEqual([prompt.length, headers.length]);
    await stages.pass(60_000);
    expect(stages.reports).toHaveLength(2);
  });

  it('that are duplicates lead to nothing', async () => {
    await using rig = await StoreRig.open();
    await using stages = new Stages(rig);
    stages.send(prompt);
    await stages.pass(3_000);
    for (const header of prompt) stages.send([header]);
    await stages.pass(60_000);
    expect(stages.reports).toHaveLength(1);
  });

  it('do not make somebody wait who asks for another analysis', async () => {
    await using rig = await StoreRig.open();
    await using stages = new Stages(rig, { lateFirstMs: 60_000 });
    stages.send(prompt);
    await stages.pass(3_000);
    stages.status.requestReanalysis(STUDY);
    await stages.pass(1_000);
    expect(stages.reports).toHaveLength(2);
  });
});
