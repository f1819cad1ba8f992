import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/domain/finding.js';
import type { ResultObject } from '../../../src/domain/result-object.js';
import { type ReportWork, reportPass } from '../../../src/report/report-stage.js';
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

/** A catalog with one report to make, which remembers what became of it. */
class OneReport {
  readonly ended: string[] = [];
  #work: ReportWork | undefined;

  constructor(attempts: number) {
    this.#work = { studyInstanceUid: '1.1', revision: 1, attempts, analysedAt: 0, finding };
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

const pass = (queue: OneReport, parts: { write?: () => Promise<void>; compose?: () => never }) =>
  reportPass<ReportWork, void>({
    queue,
    compose: async () => [object],
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
    expect(queue.ended).toEqual([]);
  });

  it('makes a "failed" report of a finding that cannot be composed', async () => {
    const queue = new OneReport(3);
    const compose = () => {
      throw new Error('no source image');
    };
    await pass(queue, { compose });
    expect(queue.ended).toEqual(['replaced: failed']);
  });
});
