import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CompletenessWorker } from '../../../src/complete/completeness-worker.js';
import type { Finding, Outcome } from '../../../src/domain/finding.js';
import type { StoredInstance } from '../../../src/domain/instance.js';
import type { AssociationEnd } from '../../../src/domain/received-instance.js';
import { analysisPass } from '../../../src/infer/analysis-stage.js';
import { selectionPass } from '../../../src/infer/selection-stage.js';
import { AnalysisStore } from '../../../src/store/analysis-store.js';
import { StatusStore } from '../../../src/store/status-store.js';
import { sendTo } from '../../routing-decision.js';
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
  readonly reports: { readonly at: number; readonly slices: number; readonly outcome: Outcome }[] =
    [];
  /** What the reader says of the slices. */
  answer: Outcome = 'positive';

  constructor(rig: StoreRig, more: Partial<typeof waits> = {}) {
    this.#rig = rig;
    this.#analyses = new AnalysisStore(rig.catalog);
    this.waits = { ...waits, ...more };
    this.#worker = new CompletenessWorker({
      series: rig.receiving,
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
  send(slices: readonly (typeof headers)[number][], ended: AssociationEnd = 'released'): void {
    const { ingest } = this.#rig;
    const associationId = ingest.nextAssociationId();
    const ae = { callingAeTitle: 'CT', calledAeTitle: 'VIGIL', remoteAddress: '127.0.0.1' };
    ingest.associationOpened({ associationId, ...ae, openedAt: Date.now() });
    for (const header of slices) {
      const received = this.#rig.received({ sop: header.sopInstanceUid }, header.sopInstanceUid);
      ingest.accept({ ...received, header, associationId });
    }
    ingest.associationClosed(associationId, ended, Date.now());
    ingest.flush();
    this.#worker.look([headers[0]?.seriesInstanceUid ?? '']);
  }

  /** Moves the clock, and has each stage do what is due then. */
  async pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= STEP_MS) {
      await vi.advanceTimersByTimeAsync(Math.min(STEP_MS, left));
      while (!('dueInMs' in selectionPass(this.#rig.selections, this.waits, silent)));
      const read = await analysisPass(this.#analyses, this.#rig.series, this.#reader, silent);
      if ('dueInMs' in read) continue;
      const work = this.#analyses.claimReport(Date.now());
      if (work === undefined) throw new Error('nothing to report');
      this.#analyses.finishReport(work, [], sendTo([], []));
      const { outcome, slices } = work.finding;
      this.reports.push({ at: Date.now(), slices: slices.length, outcome });
    }
  }

  get #reader() {
    return {
      model,
      problem: undefined,
      suspicion: {},
      analyse: async (series: readonly StoredInstance[]): Promise<Finding> => ({
        outcome: this.answer,
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
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#worker.stop();
  }
}

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

describe('a series whose association broke', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  const outcomes = ({ reports }: Stages) => reports.map(({ outcome }) => outcome);

  /** All slices over an association that broke, reported. */
  async function broken(rig: StoreRig): Promise<Stages> {
    const stages = new Stages(rig);
    stages.answer = 'negative';
    stages.send(headers, 'aborted');
    await stages.pass(waits.unknownMs + 1_000);
    expect(outcomes(stages)).toEqual(['undetermined']);
    return stages;
  }

  it('is whole when all of it has come again and was released: one more report, negative', async () => {
    await using rig = await StoreRig.open();
    await using stages = await broken(rig);
    stages.send(headers);
    await stages.pass(60_000);
    expect(outcomes(stages)).toEqual(['undetermined', 'negative']);
    for (const ended of ['released', 'aborted'] as const) stages.send(headers, ended);
    await stages.pass(60_000);
    expect(outcomes(stages)).toEqual(['undetermined', 'negative']);
  });

  it('is so when it has come again in several parts', async () => {
    await using rig = await StoreRig.open();
    await using stages = await broken(rig);
    stages.send(headers.slice(0, 100));
    await stages.pass(60_000);
    expect(outcomes(stages)).toEqual(['undetermined']);
    stages.send(headers.slice(100));
    await stages.pass(60_000);
    expect(outcomes(stages)).toEqual(['undetermined', 'negative']);
  });

  it('stays in doubt where the repetition broke as well, or gaps are left', async () => {
    await using rig = await StoreRig.open();
    await using stages = new Stages(rig);
    stages.answer = 'negative';
    const holed = headers.filter((_, i) => i !== 100);
    stages.send(holed, 'lost');
    await stages.pass(60_000);
    stages.send(holed, 'aborted');
    await stages.pass(60_000);
    stages.send(holed);
    await stages.pass(60_000);
    expect(new Set(outcomes(stages))).toEqual(new Set(['undetermined']));
    expect(stages.status.study(STUDY)?.series).toMatchObject([{ completionCode: 'gaps' }]);
    stages.send(headers);
    await stages.pass(600_000);
    expect(outcomes(stages).at(-1)).toBe('negative');
  });

  it('is whole by a repetition that was complete before the first association was given up', async () => {
    await using rig = await StoreRig.open();
    await using stages = new Stages(rig);
    stages.answer = 'negative';
    const { ingest } = rig;
    const first = ingest.nextAssociationId();
    const ae = { callingAeTitle: 'CT', calledAeTitle: 'VIGIL', remoteAddress: '127.0.0.1' };
    ingest.associationOpened({ associationId: first, ...ae, openedAt: Date.now() });
    for (const header of headers.slice(0, 200)) {
      const received = rig.received({ sop: header.sopInstanceUid }, header.sopInstanceUid);
      ingest.accept({ ...received, header, associationId: first });
    }
    stages.send(headers);
    ingest.associationClosed(first, 'lost', Date.now());
    ingest.flush();
    await stages.pass(60_000);
    expect(outcomes(stages)).toEqual(['negative']);
  });
});
