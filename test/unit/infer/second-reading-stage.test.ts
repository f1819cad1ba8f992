import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { StageError } from '../../../src/domain/failure.js';
import type { Finding } from '../../../src/domain/finding.js';
import {
  type SecondReadingWork,
  secondReadingPass,
} from '../../../src/infer/second-reading-stage.js';

const model = { name: 'candidate', version: '1', maker: 'x', family: 'y', hash: 'z' };
const report = { studyInstanceUid: '1.1', seriesInstanceUid: '1.1.1', revision: 1 };
const NEGATIVE: Finding = {
  outcome: 'negative',
  model,
  seriesInstanceUid: '1.1.1',
  classes: [{ name: 'any', logit: -2, probability: 0.1, presence: 'absent' }],
  slices: [],
  keySlices: [],
  series: [],
};

/** A catalog with one reading that is due, and a reader of it; remembers what became of both. */
class OneReading {
  readonly ended: string[] = [];
  finding: Finding | undefined;
  asked = 0;
  triage = false;
  problem: string | undefined;
  dueAt: number | undefined = 0;
  #work: SecondReadingWork | undefined;

  constructor(attempts = 1) {
    this.#work = { reader: 'candidate', attempts, report };
  }

  isTriageWaiting() {
    return this.triage;
  }
  nextAt() {
    return this.dueAt;
  }
  claim() {
    const work = this.#work;
    this.#work = undefined;
    return work;
  }
  retry() {
    this.ended.push('retried');
  }
  postpone() {
    this.ended.push('postponed');
  }

  pass(answer: () => Finding) {
    return secondReadingPass<SecondReadingWork>({
      name: 'candidate',
      queue: this,
      instances: () => [],
      reader: {
        model,
        problem: this.problem,
        analyse: async () => {
          this.asked += 1;
          return answer();
        },
      },
      finish: async (_, finding) => {
        this.finding = finding;
      },
      log: pino({ level: 'silent' }),
    });
  }
}

const failing = (code: string, failureClass: 'transient' | 'permanent') => () => {
  throw new StageError(code, failureClass, 'The file is bad');
};

describe('a second reading', () => {
  it('keeps what the model said, without what is of the deciding one', async () => {
    const one = new OneReading();
    const pass = await one.pass(() => ({
      ...NEGATIVE,
      series: [
        {
          seriesInstanceUid: '1.1.1',
          instances: 1,
          verdict: 'analysed',
          reason: { code: 'x', text: '' },
        },
      ],
    }));
    expect(pass).toMatchObject({ work: { report } });
    expect(one.finding).toEqual(NEGATIVE);
  });

  it('waits while a study waits for the model that decides, and without a process', async () => {
    const behind = new OneReading();
    behind.triage = true;
    expect(await behind.pass(() => NEGATIVE)).toEqual({ dueInMs: 1000 });
    const lost = new OneReading();
    lost.problem = 'it is being started again';
    expect(await lost.pass(() => NEGATIVE)).toEqual({ dueInMs: undefined });
    const done = new OneReading();
    done.dueAt = undefined;
    expect(await done.pass(() => NEGATIVE)).toEqual({ dueInMs: undefined });
    expect([behind.asked, lost.asked, done.asked]).toEqual([0, 0, 0]);
  });

  it('is tried once more after an accident, then ends as failed with its reason', async () => {
    const first = new OneReading(1);
    await first.pass(failing('inference-crashed', 'transient'));
    expect([first.ended, first.finding]).toEqual([['retried'], undefined]);
    const second = new OneReading(2);
    await second.pass(failing('inference-crashed', 'transient'));
    expect(second.ended).toEqual([]);
    expect(second.finding).toMatchObject({
      outcome: 'failed',
      reason: { code: 'inference-crashed', text: 'The file is bad' },
      model,
    });
  });

  it('is not tried again where the files are to blame', async () => {
    const one = new OneReading(1);
    await one.pass(failing('file-altered', 'permanent'));
    expect(one.finding).toMatchObject({ outcome: 'failed', reason: { code: 'file-altered' } });
  });

  it('loses no try to a process that is away', async () => {
    const one = new OneReading(2);
    await one.pass(failing('inference-unavailable', 'transient'));
    expect([one.ended, one.finding]).toEqual([['postponed'], undefined]);
  });
});
