import { describe, expect, it } from 'vitest';
import { storeStatusMeaning } from '../../../src/deliver/store-status.js';

describe('storeStatusMeaning', () => {
  it.each([
    [0x0000, 'stored'],
    [0x0001, 'stored'],
    [0x0107, 'stored'],
    [0x0110, 'transient processing-failure'],
    [0x0111, 'stored'],
    [0x0116, 'stored'],
    [0x0117, 'permanent invalid-object-instance'],
    [0x0122, 'permanent sop-class-not-accepted'],
    [0x0124, 'permanent not-authorized'],
    [0x0210, 'transient duplicate-invocation'],
    [0x0211, 'permanent unrecognized-operation'],
    [0x0212, 'permanent mistyped-argument'],
    [0x0213, 'transient resource-limitation'],
    [0xa6ff, 'transient unknown-status'],
    [0xa700, 'transient out-of-resources'],
    [0xa7ff, 'transient out-of-resources'],
    [0xa800, 'transient unknown-status'],
    [0xa900, 'permanent dataset-does-not-match'],
    [0xa9ff, 'permanent dataset-does-not-match'],
    [0xb000, 'stored'],
    [0xb006, 'stored'],
    [0xb007, 'stored'],
    [0xc000, 'permanent cannot-understand'],
    [0xcfff, 'permanent cannot-understand'],
    [0xff00, 'transient unknown-status'],
  ])('reads 0x%i', (status, expected) => {
    const meaning = storeStatusMeaning(status);
    const text = meaning.type === 'stored' ? 'stored' : `${meaning.failureClass} ${meaning.code}`;
    expect(text).toBe(expected);
  });
});
