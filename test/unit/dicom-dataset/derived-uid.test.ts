import { describe, expect, it } from 'vitest';
import { derivedUid } from '../../../src/dicom/derived-uid.js';

describe('derivedUid', () => {
  it('is the same for the same parts, and stays so over releases', () => {
    expect(derivedUid(['a', 'b'])).toBe(derivedUid(['a', 'b']));
    expect(derivedUid(['a', 'b'])).toMatchInlineSnapshot(
      `"2.25.139568742579191375148652272334664752620"`,
    );
  });

  it('tells parts apart by their borders', () => {
    const uids = [['ab'], ['a', 'b'], ['b', 'a'], ['a', 'b', ''], ['a","b']].map(derivedUid);
    expect(new Set(uids).size).toBe(uids.length);
  });

  it('is a UUID of version 5 under 2.25', () => {
    for (let i = 0; i < 200; i += 1) {
      const uid = derivedUid([String(i)]);
      expect(uid).toMatch(/^2\.25\.[1-9]\d{0,38}$/);
      const hex = BigInt(uid.slice(5)).toString(16).padStart(32, '0');
      expect(hex[12]).toBe('5');
      expect('89ab').toContain(hex[16]);
    }
  });
});
