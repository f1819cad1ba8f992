import { setImmediate } from 'node:timers/promises';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/domain/finding.js';
import type { ResultObject } from '../../../src/domain/result-object.js';
import type { RoutingDecision } from '../../../src/domain/routing.js';
import { type ReportParts, type ReportWork, reportPass } from '../../../src/report/report-stage.js';
import { sendTo } from '../../routing-decision.js';

const finding: Finding = {
  outcome: 'positive',
  model: { name: 'm', version: '1', maker: 'x', family: 'y', hash: 'z' },
  classes: [],
  slices: [],
  keySlices: [],
  series: [],
};
const object: ResultObject = {
  kind: 'sr',
  sopClassUid: '1.2',
  sopInstanceUid: '1.1.5',
  seriesInstanceUid: '1.1.4',
  transferSyntaxUid: '1.2.840.10008.1.2.1',
  part10: Buffer.alloc(0),
};

const keySlice = {
  index: 0,
  source: { sopClassUid: '1.2', sopInstanceUid: '1.1.1' },
  className: 'any',
  probability: 0.9,
  heatMap: { width: 1, height: 1, values: [1], box: { x: 0, y: 0, side: 1 } },
} as const satisfies Finding['keySlices'][number];

const impossible = () => Promise.reject(new Error('no source image'));

/** A catalog with one report to make, which remembers what became of it. */
class OneReport {
  readonly ended: string[] = [];
  #work: ReportWork | undefined;
  #advanced = false;

  constructor(attempts: number, keySlices: Finding['keySlices'] = []) {
    const of = { ...finding, keySlices };
    this.#work = { studyInstanceUid: '1.1', revision: 1, attempts, analysedAt: 0, finding: of };
  }

  claimReport() {
    const work = this.#work;
    this.#work = undefined;
    return work;
  }
  nextReportAt() {
    return undefined;
  }
  hasObject() {
    return false;
  }
  isAdvanced() {
    return this.#advanced;
  }
  advanceReport(_: ReportWork, objects: readonly unknown[]) {
    this.#advanced = true;
    this.ended.push(`advanced: ${objects.length}`);
  }
  finishUnillustrated(_work: ReportWork, _decision: RoutingDecision, next?: Finding) {
    this.ended.push(`finished without pictures${next ? ', and once more' : ''}`);
  }
  finishReport() {
    this.ended.push('finished');
  }
  retryReport() {
    this.ended.push('retried');
  }
  postponeReport(_: ReportWork, dueAt: number, code: string) {
    this.ended.push(`postponed: ${code}, ${dueAt > Date.now() ? 'later' : 'now'}`);
  }
  replaceFinding(_: ReportWork, { outcome }: Finding) {
    this.ended.push(`replaced: ${outcome}`);
  }
  markStuck() {
    this.ended.push('stuck');
  }
}

const pass = (queue: OneReport, parts: Partial<ReportParts<ReportWork, void>>) =>
  reportPass<ReportWork, void>({
    queue,
    composeAnswer: async () => [object],
    composeIllustrations: async () => [{ ...object, kind: 'summary', sopInstanceUid: '1.1.6' }],
    onAdvanced: () => queue.ended.push('deliveries are due'),
    notify: () => Promise.reject(new Error('no route asks for it')),
    write: async () => {},
    route: async () => sendTo(['pacs'], ['sr']),
    log: pino({ level: 'silent' }),
    ...parts,
  });

describe('reportPass', () => {
  it('waits for a disk that takes nothing, however often it was tried, and keeps the finding', async () => {
    const queue = new OneReport(50);
    const write = () => Promise.reject(Object.assign(new Error('no space'), { code: 'ENOSPC' }));
    await pass(queue, { write });
    expect(queue.ended).toEqual(['postponed: report-not-written, later']);
  });

  it('leaves a report that the catalog does not take to the next pass', async () => {
    const queue = new OneReport(50);
    queue.finishReport = () => {
      throw new Error('database is locked');
    };
    await expect(pass(queue, {})).rejects.toThrow('database is locked');
    expect(queue.ended).toEqual(['advanced: 1', 'deliveries are due']);
  });

  it('makes a "failed" report of a finding that cannot be composed', async () => {
    const queue = new OneReport(3);
    await pass(queue, { composeAnswer: impossible });
    expect(queue.ended).toEqual(['replaced: failed']);
  });

  it('lets the answer go before its pictures are made', async () => {
    const queue = new OneReport(1);
    const composeIllustrations = async () => {
      queue.ended.push('pictures are made');
      return [];
    };
    await pass(queue, { composeIllustrations });
    expect(queue.ended).toEqual([
      'advanced: 1',
      'deliveries are due',
      'pictures are made',
      'finished',
    ]);
  });

  it.each([
    [1, 'retried'],
    [3, 'finished without pictures, and once more'],
  ])('lets an answer stand whose pictures fail (attempt %d)', async (attempts, end) => {
    const queue = new OneReport(attempts, [keySlice]);
    await pass(queue, { composeIllustrations: impossible });
    expect(queue.ended).toEqual(['advanced: 1', 'deliveries are due', end]);
  });

  it('ends without pictures where not even the summary can be made', async () => {
    const queue = new OneReport(3);
    await pass(queue, { composeIllustrations: impossible });
    expect(queue.ended.at(-1)).toBe('finished without pictures');
  });

  it('leaves no write of an attempt under way', async () => {
    const queue = new OneReport(1);
    let slow = 'under way';
    const write = async (_: string, { sopInstanceUid }: { sopInstanceUid: string }) => {
      if (sopInstanceUid === '1') throw new Error('no space');
      await setImmediate();
      slow = 'ended';
    };
    const composeAnswer = async () => ['1', '2'].map((uid) => ({ ...object, sopInstanceUid: uid }));
    await pass(queue, { composeAnswer, write });
    expect(queue.ended).toEqual(['postponed: report-not-written, later']);
    expect(slow).toBe('ended');
  });
});
