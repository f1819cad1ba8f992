import { describe, expect, it } from 'vitest';
import { type ClaimedDelivery, settlementFor } from '../../../src/deliver/deliver.js';
import type { FailureClass } from '../../../src/domain/failure.js';
import type { SendResult } from '../../../src/domain/send-result.js';

const RETRY = { baseMs: 1000, capMs: 60_000, attempts: 4 };
const NOW = 1_000_000;
const RULES = { retry: RETRY, random: 0.5, early: false };

function delivery(attempts: number, hasFallback = false): ClaimedDelivery {
  return {
    sopClassUid: '1.2.840.10008.5.1.4.1.1.88.34',
    sopInstanceUid: '2.25.1',
    transferSyntaxUid: '1.2.840.10008.1.2.1',
    file: '/result.dcm',
    attempts,
    looks: 0,
    hasFallback,
  };
}

function failed(failureClass: FailureClass, code: string): SendResult {
  return { type: 'failed', failureClass, code, text: '' };
}

describe('settlementFor', () => {
  it("keeps the peer's status and comment of a stored object", () => {
    const result: SendResult = { type: 'stored', status: 0xb000, comment: 'coerced' };
    expect(settlementFor(delivery(1), result, RULES, NOW)).toEqual({
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
      const settlement = settlementFor(delivery(attempts), result, RULES, NOW);
      expect(settlement).toMatchObject({ type: 'failed', failureClass });
      expect('retryAt' in settlement ? settlement.retryAt : undefined).toBe(retryAt);
    }
  });

  it('gives up at once where a repeat cannot help', () => {
    const result = failed('permanent', 'cannot-understand');
    const settlement = settlementFor(delivery(1), result, RULES, NOW);
    expect(settlement).toEqual({
      type: 'failed',
      failureClass: 'permanent',
      code: 'cannot-understand',
    });
  });

  it('falls back for a refused SOP class, and for nothing else', () => {
    const refused = failed('permanent', 'sop-class-not-accepted');
    expect(settlementFor(delivery(1, true), refused, RULES, NOW).type).toBe(
      'refused-with-fallback',
    );
    expect(settlementFor(delivery(1, false), refused, RULES, NOW).type).toBe('failed');
    const other = failed('permanent', 'cannot-understand');
    expect(settlementFor(delivery(1, true), other, RULES, NOW).type).toBe('failed');
  });

  describe('of an object that never had its turn', () => {
    const untried = (failureClass: FailureClass, code: string): SendResult => ({
      type: 'failed',
      failureClass,
      code,
      text: '',
      untried: true,
    });

    it('leaves it due: the destination rests, not the object', () => {
      for (const result of [
        untried('transient', 'connection-refused'),
        // The peer's configuration can be mended, and the object goes through then.
        untried('permanent', 'association-rejected'),
      ]) {
        expect(settlementFor(delivery(3), result, RULES, NOW)).toMatchObject({
          type: 'failed',
          failureClass: 'transient',
          retryAt: NOW,
          uncounted: false,
        });
      }
    });

    it('gives it up after the last attempt, but never for a try before the back-off is over', () => {
      const result = untried('transient', 'connection-refused');
      expect(settlementFor(delivery(4), result, RULES, NOW)).not.toHaveProperty('retryAt');
      const early = { ...RULES, early: true };
      expect(settlementFor(delivery(4), result, early, NOW)).toMatchObject({
        retryAt: NOW,
        uncounted: true,
      });
    });

    it('does not count our own stop', () => {
      const result = untried('transient', 'cancelled');
      expect(settlementFor(delivery(4), result, RULES, NOW)).toMatchObject({ uncounted: true });
    });
  });

  it('asks for proof where the configuration wants it, later each time it was not there', () => {
    const rules = { ...RULES, destination: { verify: { afterMs: 1000, attempts: 3 } } };
    const stored: SendResult = { type: 'stored', status: 0 };
    expect(settlementFor(delivery(1), stored, rules, NOW)).toMatchObject({
      proofDueAt: NOW + 1000,
    });
    const again = { ...delivery(3), looks: 2 };
    expect(settlementFor(again, stored, rules, NOW)).toMatchObject({ proofDueAt: NOW + 4000 });
  });
});
