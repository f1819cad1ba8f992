import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { CONFLICT_KINDS, NO_CONFLICTS, raisesDoubt } from '../../../src/domain/conflict.js';
import { StageError } from '../../../src/domain/failure.js';
import type { Finding, Outcome, SeriesVerdict } from '../../../src/domain/finding.js';
import type { LostTries } from '../../../src/domain/lost-tries.js';
import { type AnalysisWork, analysisPass } from '../../../src/infer/analysis-stage.js';

const model = { name: 'm', version: '1', maker: 'x', family: 'y', hash: 'z' };
const log = pino({ level: 'silent' });

function answer(outcome: Outcome): Finding {
  const presence = outcome === 'positive' ? 'present' : 'absent';
  return {
    outcome,
    model,
    classes: [{ name: 'any', logit: -2, probability: 0.1, presence }],
    slices: [],
    keySlices: [],
    series: [],
  };
}

/** A catalog with one analysis that is due, which remembers what became of it. */
class OneAnalysis {
  readonly ended: string[] = [];
  lost: LostTries = { losses: 0, cutOffs: 0 };
  finding: Finding | undefined;
  #work: AnalysisWork | undefined;

  constructor(work: Partial<AnalysisWork>) {
    this.#work = {
      studyInstanceUid: '1.1',
      revision: 1,
      seriesInstanceUid: '1.1.1',
      triggerCode: 'released-contiguous',
      attempts: 1,
      ...work,
    };
  }

  claimAnalysis() {
    const work = this.#work;
    this.#work = undefined;
    return work;
  }
  nextAnalysisAt() {
    return undefined;
  }
  finishAnalysis(_: AnalysisWork, finding: Finding) {
    this.finding = finding;
    this.ended.push('finished');
  }
  retryAnalysis(_: AnalysisWork, __: number, code: string) {
    this.ended.push(`retried: ${code}`);
  }
  postponeAnalysis(_: AnalysisWork, __: number, code: string) {
    this.ended.push(`postponed: ${code}`);
  }
  lostTries() {
    return this.lost;
  }
  refuseSeries() {
    this.ended.push('refused');
  }
}

const verdicts: readonly SeriesVerdict[] = [
  {
    seriesInstanceUid: '1.1.9',
    modality: 'SR',
    instances: 1,
    verdict: 'not-eligible',
    reason: { code: 'not-ct', text: 'The modality is not CT' },
  },
  {
    seriesInstanceUid: '1.1.2',
    modality: 'CT',
    instances: 2,
    verdict: 'not-eligible',
    reason: { code: 'localizer', text: 'A localizer' },
  },
];
const source = { verdicts: () => verdicts, instances: () => [], conflicts: () => NO_CONFLICTS };

function pass(queue: OneAnalysis, analyse: () => Promise<Finding>) {
  return analysisPass(queue, source, { model, problem: undefined, suspicion: {}, analyse }, log);
}

describe('analysisPass', () => {
  it.each(['positive', 'negative', 'undetermined'] as const)(
    'keeps the answer %s',
    async (outcome) => {
      const queue = new OneAnalysis({});
      await pass(queue, async () => answer(outcome));
      expect(queue.finding).toEqual(answer(outcome));
    },
  );

  it.each(['gaps', 'fewer-than-announced', 'listed-missing', 'association-broken', 'hard-cap'])(
    'makes a negative undetermined where slices may be missing (%s)',
    async (triggerCode) => {
      const queue = new OneAnalysis({ triggerCode });
      await pass(queue, async () => answer('negative'));
      expect(queue.finding).toMatchObject({
        outcome: 'undetermined',
        reason: { code: 'slices-missing' },
        classes: [{ presence: 'undetermined' }],
      });
    },
  );

  it.each(CONFLICT_KINDS.filter(raisesDoubt))(
    'makes a negative undetermined, and leaves a positive, where images contradict each other (%s)',
    async (kind) => {
      const doubtful = { ...source, conflicts: () => ({ ...NO_CONFLICTS, kinds: [kind] }) };
      const findings = [];
      for (const outcome of ['negative', 'positive'] as const) {
        const queue = new OneAnalysis({});
        const reader = {
          model,
          problem: undefined,
          suspicion: {},
          analyse: async () => answer(outcome),
        };
        await analysisPass(queue, doubtful, reader, log);
        findings.push(queue.finding);
      }
      expect(findings).toMatchObject([
        { outcome: 'undetermined', reason: { code: kind }, conflicts: [{ code: kind }] },
        { outcome: 'positive', conflicts: [{ code: kind }] },
      ]);
      expect(findings[0]?.classes).toMatchObject([{ presence: 'undetermined' }]);
    },
  );

  it.each([
    ['study-patient', 'failed'],
    ['instance-bytes', 'not-eligible'],
  ] as const)('calls a study of which nothing is read for %s %s', async (kind, outcome) => {
    const apart = { ...(verdicts[1] as SeriesVerdict), seriesInstanceUid: '1.1.7' };
    const conflicts = { kinds: [kind], receivedAt: [0], series: [apart] };
    const queue = new OneAnalysis({ seriesInstanceUid: null, triggerCode: 'none-eligible' });
    const reader = {
      model,
      problem: undefined,
      suspicion: {},
      analyse: async () => answer('negative'),
    };
    await analysisPass(queue, { ...source, conflicts: () => conflicts }, reader, log);
    expect(queue.finding).toMatchObject({ outcome, conflicts: [{ code: kind }] });
    expect(queue.finding?.series).toContainEqual(apart);
  });

  it('keeps a positive though slices may be missing', async () => {
    const queue = new OneAnalysis({ triggerCode: 'gaps' });
    await pass(queue, async () => answer('positive'));
    expect(queue.finding?.outcome).toBe('positive');
  });

  it('has the choice of series made again where the pixels are refused', async () => {
    const queue = new OneAnalysis({});
    const reason = { code: 'not-a-head', text: 'no head' };
    await pass(queue, async () => ({ ...answer('not-eligible'), reason }));
    expect(queue.ended).toEqual(['refused']);
  });

  it('gives the reason of the CT series where none is eligible', async () => {
    const queue = new OneAnalysis({ seriesInstanceUid: null });
    await pass(queue, () => Promise.reject(new Error('nothing is read')));
    expect(queue.finding).toMatchObject({ outcome: 'not-eligible', reason: { code: 'localizer' } });
  });

  it('is "failed", not "not eligible", where the choice of series itself failed', async () => {
    const queue = new OneAnalysis({ seriesInstanceUid: null, triggerCode: 'selection-failed' });
    await pass(queue, () => Promise.reject(new Error('nothing is read')));
    expect(queue.finding).toMatchObject({
      outcome: 'failed',
      reason: { code: 'selection-failed' },
    });
  });

  it('leaves an answer that the catalog does not take to the next pass, as often as it takes', async () => {
    const queue = new OneAnalysis({ attempts: 7 });
    queue.finishAnalysis = () => {
      throw new Error('database or disk is full');
    };
    await expect(pass(queue, async () => answer('positive'))).rejects.toThrow('disk is full');
    expect(queue.ended).toEqual([]);
  });

  it('claims nothing while there is no inference process', async () => {
    const queue = new OneAnalysis({});
    const reader = {
      model,
      problem: 'it does not start',
      suspicion: {},
      analyse: () => Promise.reject(new Error('nobody is there')),
    };
    expect(await analysisPass(queue, source, reader, log)).toEqual({ dueInMs: undefined });
    expect(queue.claimAnalysis()).toBeDefined();
  });

  it('puts off, uncounted, what the inference process was away for', async () => {
    const queue = new OneAnalysis({ attempts: 2 });
    const away = new StageError('inference-unavailable', 'transient', 'x');
    await pass(queue, () => Promise.reject(away));
    expect(queue.ended).toEqual(['postponed: inference-unavailable']);
  });

  const reason = { code: 'inference-crashed', text: 'It crashed (SIGSEGV)' };
  it.each<[string, LostTries, string]>([
    ['two losses', { losses: 2, cutOffs: 0, reason }, 'inference-crashed'],
    ['eight ends of the node', { losses: 0, cutOffs: 8 }, 'analysis-cut-off'],
  ])('does not try again after %s', async (_, lost, code) => {
    const queue = new OneAnalysis({});
    queue.lost = lost;
    await pass(queue, () => Promise.reject(new Error('it is tried')));
    expect(queue.ended).toEqual(['finished']);
    expect(queue.finding).toMatchObject({ outcome: 'failed', reason: { code } });
    expect(queue.finding?.reason?.text).toMatch(/2 times|8 times/);
  });

  it('counts a loss while slices were read ahead as a try', async () => {
    const queue = new OneAnalysis({ attempts: 1 });
    queue.lost = { losses: 1, cutOffs: 0, reason };
    await pass(queue, () => {
      queue.lost = { losses: 2, cutOffs: 0, reason };
      return Promise.reject(new StageError(reason.code, 'transient', reason.text));
    });
    expect(queue.ended).toEqual(['finished']);
  });

  it('fails a study whose rows are damaged', async () => {
    const queue = new OneAnalysis({});
    const damaged = {
      ...source,
      instances: () => {
        throw new StageError('catalog-damaged', 'permanent', 'damaged');
      },
    };
    const reader = {
      model,
      problem: undefined,
      suspicion: {},
      analyse: async () => answer('negative'),
    };
    await analysisPass(queue, damaged, reader, log);
    expect(queue.finding).toMatchObject({ outcome: 'failed', reason: { code: 'catalog-damaged' } });
  });

  const failures: readonly [string, Error, number, string][] = [
    [
      'a first crash is tried again',
      new StageError('crashed', 'transient', 'x'),
      1,
      'retried: crashed',
    ],
    ['a second one is the series', new StageError('crashed', 'transient', 'x'), 2, 'finished'],
    ['what cannot help is not repeated', new StageError('bad', 'permanent', 'x'), 1, 'finished'],
    ['an unforeseen error is tried again', new Error('x'), 1, 'retried: analysis-failed'],
  ];

  it.each(failures)('%s', async (_, error, attempts, ended) => {
    const queue = new OneAnalysis({ attempts });
    await pass(queue, () => Promise.reject(error));
    expect(queue.ended).toEqual([ended]);
    if (ended === 'finished') {
      expect(queue.finding).toMatchObject({ outcome: 'failed', seriesInstanceUid: '1.1.1' });
      expect(queue.finding?.reason?.code).toBeTruthy();
    }
  });
});
