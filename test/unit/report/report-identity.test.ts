import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/domain/finding.js';
import { ReportIdentity } from '../../../src/report/report-identity.js';
import { findingOf, generatedSeries } from './cases.js';

const series = generatedSeries({ slices: 9, rows: 32, columns: 32 });
const finding = findingOf('positive', series);
const uidOf = (changed: Partial<Finding>) =>
  new ReportIdentity({ finding: { ...finding, ...changed } }).uid('sr');

describe('ReportIdentity', () => {
  it('is the same for the same answer, whatever the last bits of its floats', () => {
    const classes = finding.classes.map((c) => ({ ...c, probability: c.probability + 1e-9 }));
    expect(uidOf({ classes })).toBe(uidOf({}));
  });

  it('is another for another answer, input, model or kind', () => {
    const uids = [
      uidOf({}),
      uidOf({ outcome: 'undetermined' }),
      uidOf({ slices: finding.slices.slice(1) }),
      uidOf({ model: { ...finding.model, hash: '00' } }),
      uidOf({ classes: finding.classes.map((c) => ({ ...c, probability: 0.5 })) }),
      uidOf({ seriesInstanceUid: '1.2' }),
      new ReportIdentity({ finding }).uid('summary'),
    ];
    expect(new Set(uids).size).toBe(uids.length);
  });

  it('depends on why nothing was read', () => {
    const failed = findingOf('failed', series);
    const otherwise = { ...failed, reason: { code: 'out-of-memory', text: 'Another reason' } };
    const uids = [failed, otherwise, findingOf('not-eligible', series)].map((f) =>
      new ReportIdentity({ finding: f }).uid('sr'),
    );
    expect(new Set(uids).size).toBe(3);
  });

  it('gives an answer that comes back after another one a UID of its own', () => {
    const reference = (sopInstanceUid: string) => ({
      sopClassUid: '1.2',
      sopInstanceUid,
      seriesInstanceUid: '1.3',
      studyInstanceUid: '1.4',
    });
    const first = new ReportIdentity({ finding }).uid('sr');
    const again = new ReportIdentity({ finding, predecessor: reference(first) }).uid('sr');
    const after = new ReportIdentity({ finding, predecessor: reference('2.25.1') }).uid('sr');
    expect(again).toBe(first);
    expect(after).not.toBe(first);
  });
});
