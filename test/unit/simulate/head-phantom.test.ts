import { beforeAll, describe, expect, it } from 'vitest';
import { readFileMeta } from '../../../src/dicom/file-meta.js';
import { CT_IMAGE } from '../../../src/dicom/sop-classes.js';
import { headPhantomStudy, type PhantomStudy } from '../../../src/simulate/head-phantom.js';
import {
  headSlices,
  type PhantomSlice,
  PIXEL,
  SIZE,
  THICKNESS,
} from '../../../src/simulate/phantom/head-slices.js';

const SEED = 5;
const VOXEL_ML = (PIXEL * PIXEL * THICKNESS) / 1000;

/** HU of a slice within a centred square, sorted. */
function centre({ hu }: PhantomSlice, side: number): number[] {
  const from = (SIZE - side) / 2;
  const values: number[] = [];
  for (let y = from; y < from + side; y += 1) {
    values.push(...hu.subarray(y * SIZE + from, y * SIZE + from + side));
  }
  return values.sort((a, b) => a - b);
}

const median = (values: readonly number[]): number => values[values.length >> 1] ?? Number.NaN;

// A study takes one to two seconds of one core, and cores may be shared.
const timeout = 60_000;

describe('headSlices', { timeout }, () => {
  let healthy: PhantomSlice[];
  beforeAll(() => {
    healthy = headSlices(SEED, undefined);
  });

  it('covers a head from its base to the vertex in slices of 5 mm', () => {
    expect(healthy).toHaveLength(32);
    for (const [i, { position }] of healthy.entries()) {
      expect(position[2]).toBeCloseTo((healthy[0]?.position[2] ?? 0) + 5 * i);
    }
  });

  it('has the HU of brain inside, of air outside and of bone between', () => {
    const slice = healthy[17] as PhantomSlice;
    const brain = centre(slice, 200);
    expect(median(brain)).toBeGreaterThan(24);
    expect(median(brain)).toBeLessThan(38);
    expect(slice.hu.subarray(0, 100).every((hu) => hu < -950)).toBe(true);
    expect(slice.hu.some((hu) => hu > 1200)).toBe(true);
    const top = healthy.at(-1) as PhantomSlice;
    expect(top.hu.every((hu) => hu < 400)).toBe(true);
  });

  it.each([
    ['intraparenchymal', 25, 18, 32],
    ['epidural', 30, 20, 40],
    ['subdural', 40, 20, 70],
    ['intraventricular', undefined, 3, 30],
    ['subarachnoid', undefined, 4, 60],
  ] as const)(
    'draws %s hemorrhage on the side that was asked for',
    (type, volumeMl, least, most) => {
      const bleed = { type, side: 'left' as const, ...(volumeMl !== undefined && { volumeMl }) };
      const slices = headSlices(SEED, bleed);
      let [left, right] = [0, 0];
      for (const [i, { hu }] of slices.entries()) {
        const before = healthy[i]?.hu as Int16Array;
        for (let k = 0; k < hu.length; k += 1) {
          // The noise is the same in both; the threshold lets displaced grey matter out.
          if ((hu[k] as number) - (before[k] as number) < 16) continue;
          if (k % SIZE >= SIZE / 2) left += VOXEL_ML;
          else right += VOXEL_ML;
        }
      }
      expect(left).toBeGreaterThan(least);
      expect(left).toBeLessThan(most);
      expect(right).toBeLessThan(left / 2);
    },
  );
});

describe('headPhantomStudy', { timeout }, () => {
  let study: PhantomStudy;
  beforeAll(() => {
    study = headPhantomStudy({ seed: SEED, salt: 'test', at: new Date(2026, 0, 2, 3, 4, 5) });
  });

  it('gives the same bytes for the same seed and salt', () => {
    const again = headPhantomStudy({ seed: SEED, salt: 'test', at: new Date(2026, 0, 2, 3, 4, 5) });
    expect(
      again.images.every(({ part10 }, i) =>
        part10.equals(study.images[i]?.part10 ?? part10.subarray(1)),
      ),
    ).toBe(true);
    expect(again.localizer.part10.equals(study.localizer.part10)).toBe(true);
  });

  it('gives CT images with UIDs of their own', () => {
    const uids = new Set<string>();
    for (const { sopInstanceUid, part10 } of [...study.images, study.localizer]) {
      expect(readFileMeta(part10)).toMatchObject({ sopClassUid: CT_IMAGE, sopInstanceUid });
      uids.add(sopInstanceUid);
    }
    expect(uids.size).toBe(33);
  });
});
