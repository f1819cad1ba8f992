import { describe, expect, it } from 'vitest';
import type { InstanceHeader } from '../../../src/domain/instance.js';
import { chooseSeries, type SeriesToChoose } from '../../../src/infer/choose-series.js';
import { REASONS } from '../../../src/infer/reasons.js';
import { seriesOf } from './series.js';

function series(uid: string, more: Partial<InstanceHeader> = {}, complete = true): SeriesToChoose {
  const header = { seriesInstanceUid: uid, ...more };
  return { seriesInstanceUid: uid, complete, instances: seriesOf(28, 5, header) };
}

const soft = series('soft');
const bone = series('bone', { convolutionKernel: 'H60s' });
const angio = series('angio', { seriesDescription: 'CTA' });
const arriving = (one: SeriesToChoose): SeriesToChoose => ({
  ...one,
  complete: false,
  instances: one.instances.slice(0, 3),
});

describe('the choice of a series', () => {
  it('is a preferred one as soon as it is whole', () => {
    const choice = chooseSeries({ series: [soft, arriving(bone), angio], quiet: false });
    expect(choice).toMatchObject({ type: 'analyse', seriesInstanceUid: 'soft' });
  });

  it('gives a verdict on every series', () => {
    const choice = chooseSeries({
      series: [soft, bone, arriving(series('late')), angio],
      quiet: true,
    });
    expect(choice).toMatchObject({
      verdicts: [
        { seriesInstanceUid: 'soft', verdict: 'analysed', reason: REASONS.analysed, instances: 28 },
        { seriesInstanceUid: 'bone', verdict: 'eligible', reason: REASONS.eligible },
        { seriesInstanceUid: 'late', verdict: 'eligible', reason: REASONS['still-arriving'] },
        { seriesInstanceUid: 'angio', verdict: 'not-eligible', reason: REASONS.contrast },
      ],
    });
  });

  it('waits with a second choice until the study is quiet', () => {
    expect(chooseSeries({ series: [bone], quiet: false })).toEqual({ type: 'wait', for: 'quiet' });
    expect(chooseSeries({ series: [bone], quiet: true })).toMatchObject({
      seriesInstanceUid: 'bone',
    });
  });

  it('waits for a series of a better class that is arriving', () => {
    const unknown = series('unknown', { convolutionKernel: '', seriesDescription: 'Head' });
    const study = [unknown, arriving(soft)];
    expect(chooseSeries({ series: study, quiet: false })).toEqual({ type: 'wait', for: 'series' });
    expect(chooseSeries({ series: study, quiet: true })).toMatchObject({
      seriesInstanceUid: 'unknown',
    });
  });

  it('waits while nothing eligible is whole', () => {
    expect(chooseSeries({ series: [arriving(soft)], quiet: true })).toEqual({
      type: 'wait',
      for: 'series',
    });
    expect(chooseSeries({ series: [angio], quiet: false })).toEqual({ type: 'wait', for: 'quiet' });
  });

  it('says that nothing is eligible once the study is quiet', () => {
    expect(chooseSeries({ series: [angio], quiet: true })).toMatchObject({
      type: 'analyse',
      seriesInstanceUid: null,
      verdicts: [{ verdict: 'not-eligible', reason: { code: 'contrast' } }],
    });
  });

  it('goes on to the next where the pixels of the first were no head', () => {
    const refused = new Map([['soft', REASONS['not-a-head']]]);
    expect(
      chooseSeries({ series: [soft, bone], quiet: true, analysed: 'soft', refused }),
    ).toMatchObject({
      seriesInstanceUid: 'bone',
      verdicts: [
        { verdict: 'not-eligible', reason: { code: 'not-a-head' } },
        { verdict: 'analysed' },
      ],
    });
  });
});

describe('a series that comes after the analysis', () => {
  it('takes its place where it is of a better class', () => {
    const choice = chooseSeries({ series: [bone, soft], quiet: false, analysed: 'bone' });
    expect(choice).toMatchObject({ seriesInstanceUid: 'soft' });
  });

  it('does not where it is only a little better', () => {
    const derived = series('derived', { imageType: ['DERIVED', 'PRIMARY', 'AXIAL'] });
    const choice = chooseSeries({ series: [derived, soft], quiet: false, analysed: 'derived' });
    expect(choice).toMatchObject({ seriesInstanceUid: 'derived' });
  });

  it('takes its place where nothing was eligible before', () => {
    const choice = chooseSeries({ series: [angio, soft], quiet: false, analysed: null });
    expect(choice).toMatchObject({ seriesInstanceUid: 'soft' });
  });

  it('is not read while late slices of the one that was read arrive', () => {
    const study = { series: [bone, arriving(soft)], quiet: true, analysed: 'soft' };
    expect(chooseSeries(study)).toEqual({ type: 'wait', for: 'series' });
    expect(chooseSeries({ ...study, analysed: 'bone' })).toMatchObject({
      seriesInstanceUid: 'bone',
    });
  });
});
