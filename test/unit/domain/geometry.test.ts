import { describe, expect, it } from 'vitest';
import { sliceNormal, slicePosition } from '../../../src/domain/geometry.js';

describe('slicePosition', () => {
  it('rises towards the head whichever way the normal points', () => {
    const axial = [1, 0, 0, 0, 1, 0] as const;
    const flipped = [1, 0, 0, 0, -1, 0] as const;
    expect(sliceNormal(flipped)[2]).toBe(-1);
    for (const orientation of [axial, flipped]) {
      const low = slicePosition([0, 0, -10], orientation);
      expect(slicePosition([0, 0, 10], orientation) - low).toBe(20);
    }
  });

  it('is the distance between tilted planes, not the table travel', () => {
    const tilted = [1, 0, 0, 0, 0.9483237, -0.3173047] as const;
    const step = slicePosition([0, 0, 4.22], tilted) - slicePosition([0, 0, 0], tilted);
    expect(step).toBeCloseTo(4.0, 2);
  });
});
