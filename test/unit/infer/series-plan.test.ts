import { describe, expect, it } from 'vitest';
import type { StoredInstance } from '../../../src/domain/instance.js';
import type { InputSpec } from '../../../src/infer/model-manifest.js';
import { planSeries, settledSlabs, sourceOf } from '../../../src/infer/series-plan.js';
import { headerAt, seriesOf, storedAt } from './series.js';

const channel = { center: 40, width: 80, mean: 0.5, std: 0.5 };
const input: InputSpec = {
  size: 256,
  channels: [{ ...channel, offset: 0 }],
  crop: { thresholdHu: -200, margin: 1.05 },
  slab: { belowMm: 2.5, thicknessMm: 5 },
};
const withNeighbours: InputSpec = {
  ...input,
  channels: [-1, 0, 1].map((offset) => ({ ...channel, offset })),
};

const uids = (series: readonly StoredInstance[]) =>
  planSeries(series, input).map(({ images }) => images.map(({ header }) => header.sopInstanceUid));
const shuffled = <T>(items: readonly T[]) =>
  items.filter((_, i) => i % 2).concat(items.filter((_, i) => i % 2 === 0));

describe('the plan of a series', () => {
  it('goes from inferior to superior whatever order the slices came in', () => {
    const series = seriesOf(10, 5);
    expect(planSeries(shuffled(series).reverse(), input)).toEqual(planSeries(series, input));
    expect(planSeries(series, input).map(({ positionMm }) => positionMm)).toEqual(
      Array.from({ length: 10 }, (_, i) => 5 * i),
    );
  });

  it('takes the position along the normal of a tilted gantry, also where the normal points down', () => {
    const tilted = [1, 0, 0, 0, 0.95, -0.31] as const;
    const down = [1, 0, 0, 0, -0.95, 0.31] as const;
    for (const imageOrientationPatient of [tilted, down]) {
      const series = [20, 0, 10].map((z) =>
        storedAt(z, {}, { imageOrientationPatient, imagePositionPatient: [0, -z, z] }),
      );
      const positions = planSeries(series, input).map(({ positionMm }) => positionMm);
      expect(positions).toEqual([...positions].sort((a, b) => a - b));
      expect(planSeries(series, input)[0]?.images[0]?.header.sopInstanceUid).toBe(
        headerAt(0).sopInstanceUid,
      );
    }
  });

  it('joins thin slices on a grid that is fixed in the patient', () => {
    const whole = seriesOf(40, 1);
    const plan = planSeries(whole, input);
    expect(plan).toHaveLength(8);
    expect(plan[1]?.images.map(({ positionMm }) => positionMm)).toEqual([5, 6, 7, 8, 9]);
    expect(plan[1]?.positionMm).toBe(7);
    const late = planSeries(whole.slice(7), input);
    expect(late.at(-1)?.key).toBe(plan.at(-1)?.key);
  });

  it('keeps thick slices apart, also where some lie closer at the skull base', () => {
    const series = [0, 2, 4, 9, 14, 19, 24, 29].map((z) => storedAt(z));
    expect(planSeries(series, input)).toHaveLength(8);
  });

  it('reads the last slab in place of a missing neighbour', () => {
    const plan = planSeries(seriesOf(3, 5), withNeighbours);
    expect(plan.map(({ channels }) => channels)).toEqual([
      [0, 0, 1],
      [0, 1, 2],
      [1, 2, 2],
    ]);
  });

  it('takes the later of two slices at one position', () => {
    const again = storedAt(5, { sopInstanceUid: '9', acquisitionNumber: 2 });
    expect(uids([...seriesOf(3, 5), again])[1]).toEqual(['9']);
  });

  it('leaves out localizers, screen saves and what has no position', () => {
    const series = [
      ...seriesOf(3, 5),
      storedAt(50, { sopInstanceUid: 'scout', imageType: ['ORIGINAL', 'PRIMARY', 'LOCALIZER'] }),
      storedAt(60, { sopInstanceUid: 'screen', sopClassUid: '1.2.840.10008.5.1.4.1.1.7' }),
      storedAt(70, { sopInstanceUid: 'nowhere', frames: [{}] }),
    ];
    expect(planSeries(series, input)).toHaveLength(3);
  });

  it('takes the frames of a multi-frame object one by one', () => {
    const frames = [10, 0, 5].flatMap((z) => headerAt(z).frames);
    const series = [storedAt(0, { sopInstanceUid: 'enhanced', frames })];
    const plan = planSeries(series, input);
    expect(plan.map((slab) => sourceOf(slab).frame)).toEqual([2, 3, 1]);
    expect(new Set(plan.map(({ key }) => key)).size).toBe(3);
  });
});

describe('the key of a slab', () => {
  const keys = (series: readonly StoredInstance[], spec = input) =>
    planSeries(series, spec).map(({ key }) => key);
  const series = seriesOf(6, 5);

  it('stays while slices elsewhere arrive', () => {
    expect(keys(series)).toEqual(expect.arrayContaining(keys(series.slice(0, 4))));
  });

  it('changes with the bytes of its slice', () => {
    const changed = series.map((one, i) => (i === 2 ? { ...one, sha256: 'other' } : one));
    const differing = keys(changed).filter((key, i) => key !== keys(series)[i]);
    expect(differing).toHaveLength(1);
  });

  it('changes with its neighbours where the model reads them', () => {
    const changed = series.map((one, i) => (i === 2 ? { ...one, sha256: 'other' } : one));
    const before = keys(series, withNeighbours);
    const differing = keys(changed, withNeighbours).flatMap((key, i) =>
      key === before[i] ? [] : [i],
    );
    expect(differing).toEqual([1, 2, 3]);
  });

  it('changes with every thin slice that comes into its cell', () => {
    const thin = seriesOf(40, 1);
    const without = keys(thin.filter((_, i) => i !== 12));
    expect(keys(thin).flatMap((key, i) => (key === without[i] ? [] : [i]))).toEqual([2]);
  });
});

describe('slabs that are settled while slices arrive', () => {
  const settled = (series: readonly StoredInstance[], spec = input) =>
    settledSlabs(planSeries(series, spec), spec).map(({ positionMm }) => positionMm);

  it('are all of a thick series, once its spacing shows', () => {
    expect(settled(seriesOf(3, 5))).toEqual([]);
    expect(settled(seriesOf(5, 5))).toEqual([0, 5, 10, 15, 20]);
  });

  it('are those with both neighbours where the model reads them', () => {
    const holed = seriesOf(8, 5).filter((_, i) => i !== 4);
    expect(settled(holed, withNeighbours)).toEqual([5, 10, 30]);
  });

  it('are the inner ones of a thin series', () => {
    expect(settled(seriesOf(17, 1))).toEqual([7, 12]);
  });
});

it('names the image in the middle of a slab as its source', () => {
  const [, slab] = planSeries(seriesOf(20, 1), input);
  expect(slab && sourceOf(slab)).toEqual({
    sopClassUid: '1.2.840.10008.5.1.4.1.1.2',
    sopInstanceUid: '1.2.3.4.8',
  });
});
