import { describe, expect, it } from 'vitest';
import { type ClaimedDelivery, settlementFor } from '../../../src/deliver/deliver.js';
import type { SendResult } from '../../../src/deliver/store-scu.js';
import type { FailureClass } from '../../../src/domain/failure.js';

const RETRY = { baseMs: 1000, capMs: 60_000, attempts: 4 };
const NOW = 1_000_000;

function delivery(attempts: number, hasFallback = false): ClaimedDelivery {
  return {
    sopClassUid: '1.2.840.10008.5.1.4.1.1.88.34',
    sopInstanceUid: '2.25.1',
    transferSyntaxUid: '1.2.840.10008.1.2.1',
    file: '/result.dcm',
    attempts,
    hasFallback,
  };
}

function failed(failureClass: FailureClass, code: string): SendResult {
  return { type: 'failed', failureClass, code, text: '' };
}

describe('settlementFor', () => {
  it("keeps the peer's status and comment of a stored object", () => {
    const result: SendResult = { type: 'stored', status: 0xb000, comment: 'coerced' };
    expect(settlementFor(delivery(1), result, RETRY, NOW, 0.5)).toEqual({
      type: 'delivered',
      status: 0xb000,
      comment: 'coerced',
    });
  });

  it.each([
    [1, NOW + 500],
    [2, NOW + 1000],
    [3, NOW + 2000],
    [4, undefined],
  ])('backs off after attempt %i of 4', (attempts, retryAt) => {
    for (const failureClass of ['transient', 'ambiguous'] as const) {
      const result = failed(failureClass, 'response-lost');
      const settlement = settlementFor(delivery(attempts), result, RETRY, NOW, 0.5);
      expect(settlement).toMatchObject({ type: 'failed', failureClass });
      expect('retryAt' in settlement ? settlement.retryAt : undefined).toBe(retryAt);
    }
  });

  it('gives up at once where a repeat cannot help', () => {
    const result = failed('permanent', 'cannot-understand');
    const settlement = settlementFor(delivery(1), result, RETRY, NOW, 0.5);
    expect(settlement).toEqual({
      type: 'failed',
      failureClass: 'permanent',
      code: 'cannot-understand',
    });
  });

  it('falls back for a refused SOP class, and for nothing else', () => {
    const refused = failed('permanent', 'sop-class-not-accepted');
    expect(settlementFor(delivery(1, true), refused, RETRY, NOW, 0).type).toBe(
      'refused-with-fallback',
    );
    expect(settlementFor(delivery(1, false), refused, RETRY, NOW, 0).type).toBe('failed');
    const other = failed('permanent', 'cannot-understand');
    expect(settlementFor(delivery(1, true), other, RETRY, NOW, 0).type).toBe('failed');
  });

  it('keeps trying a peer that rejects the association: its configuration can be mended', () => {
    const rejected = failed('permanent', 'association-rejected');
    expect(settlementFor(delivery(1), rejected, RETRY, NOW, 0.5)).toMatchObject({
      failureClass: 'transient',
      retryAt: NOW + 500,
    });
  });

  it('does not wait after our own stop', () => {
    const cancelled = failed('transient', 'cancelled');
    expect(settlementFor(delivery(3), cancelled, RETRY, NOW, 0.5)).toMatchObject({ retryAt: NOW });
  });
});
