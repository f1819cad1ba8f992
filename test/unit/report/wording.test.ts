import { describe, expect, it } from 'vitest';
import { conflictReason } from '../../../src/domain/conflict.js';
import { percent } from '../../../src/domain/percent.js';
import { impression, leadingType, seriesLine } from '../../../src/report/wording.js';
import { findingOf, generatedSeries, RESEARCH_TEXT } from './cases.js';

const series = generatedSeries({ slices: 9, rows: 32, columns: 32 });

describe('percent', () => {
  it.each([
    [0, '< 1 %'],
    [0.0049, '< 1 %'],
    [0.005, '1 %'],
    [0.5, '50 %'],
    [0.994, '99 %'],
    [0.995, '> 99 %'],
    [1, '> 99 %'],
  ])('%d reads %s', (probability, text) => {
    expect(percent(probability)).toBe(text);
  });
});

describe('impression', () => {
  it.each([
    [
      'positive',
      'Suspected intracranial hemorrhage: intraparenchymal 90 %; probability of any hemorrhage 96 %. Key slices: image 3. The algorithm can be wrong; the images decide. For research use only. Not for diagnostic use.',
    ],
    [
      'negative',
      'No intracranial hemorrhage detected; probability of any hemorrhage 2 %. Key slices: image 3. The algorithm can miss a hemorrhage; this does not exclude one. For research use only. Not for diagnostic use.',
    ],
    [
      'undetermined',
      'Undetermined: a reader has to decide; probability of any hemorrhage 38 %. Key slices: image 3. This is neither a positive nor a negative result. For research use only. Not for diagnostic use.',
    ],
    [
      'not-eligible',
      'NOT ANALYSED: no suitable series. Reason: The series has fewer than 8 slice positions (too-few-positions). Key slices: image 3. This is not a negative result. For research use only. Not for diagnostic use.',
    ],
    [
      'failed',
      'NOT ANALYSED: the analysis failed. Reason: The inference process ended twice while it read the series (engine-crashed). Key slices: image 3. This is not a negative result. For research use only. Not for diagnostic use.',
    ],
  ] as const)('%s', (outcome, text) => {
    expect(impression(findingOf(outcome, series), RESEARCH_TEXT, ['image 3'])).toBe(text);
  });
});

describe('the impression of a study whose images contradict each other', () => {
  const reason = conflictReason('study-patient');
  const conflicts = [reason, conflictReason('instance-bytes')];

  it('says so beside a positive answer', () => {
    const text = impression({ ...findingOf('positive', series), conflicts }, RESEARCH_TEXT, []);
    expect(text).toMatch(
      /^Suspected.* Conflict: .*\(study-patient\)\. Conflict: .*\(instance-bytes\)\./,
    );
  });

  it('does not repeat what is the reason already', () => {
    const finding = { ...findingOf('undetermined', series), reason, conflicts };
    const text = impression(finding, RESEARCH_TEXT, []);
    expect(text.split('(study-patient)')).toHaveLength(2);
    expect(text).toContain('(instance-bytes)');
  });
});

describe('leadingType', () => {
  it('names the most probable type of a slice that was picked for any hemorrhage', () => {
    const finding = findingOf('positive', series);
    const [slice] = finding.keySlices;
    if (!slice) throw new Error('no key slice');
    expect(leadingType(finding, { ...slice, className: 'any' })).toBe('intraparenchymal 90 %');
    expect(leadingType(finding, slice)).toBeUndefined();
  });
});

describe('seriesLine', () => {
  it('says that the chosen series was not read where the analysis failed', () => {
    const finding = findingOf('failed', series);
    const [chosen, scout] = finding.series.map((verdict) => seriesLine(finding, verdict));
    expect(chosen).toContain('Series 3 (CT, 9 instances): chosen, but not analysed.');
    expect(scout).toBe(
      'Series 1 (CT, 2 instances): not suitable. The series holds localizers only',
    );
  });
});
