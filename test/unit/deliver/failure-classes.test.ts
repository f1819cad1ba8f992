import { describe, expect, it } from 'vitest';
import {
  abortFailure,
  CANCELLED,
  connectionFailure,
  type Phase,
  rejectionFailure,
  timeoutFailure,
  UNANNOUNCED_CLOSE,
} from '../../../src/deliver/association-failure.js';
import { storeStatusMeaning } from '../../../src/deliver/store-status.js';

/** The first and last status of every range of the table, and what lies between them. */
const STATUSES: readonly [first: number, last: number, meaning: string][] = [
  [0x0000, 0x0001, 'stored'],
  [0x0002, 0x0106, 'transient unknown-status'],
  [0x0107, 0x0107, 'stored'],
  [0x0108, 0x010f, 'transient unknown-status'],
  [0x0110, 0x0110, 'transient processing-failure'],
  [0x0111, 0x0111, 'stored'],
  [0x0112, 0x0115, 'transient unknown-status'],
  [0x0116, 0x0116, 'stored'],
  [0x0117, 0x0117, 'permanent invalid-object-instance'],
  [0x0118, 0x0121, 'transient unknown-status'],
  [0x0122, 0x0122, 'permanent sop-class-not-accepted'],
  [0x0123, 0x0123, 'transient unknown-status'],
  [0x0124, 0x0124, 'permanent not-authorized'],
  [0x0125, 0x020f, 'transient unknown-status'],
  [0x0210, 0x0210, 'transient duplicate-invocation'],
  [0x0211, 0x0211, 'permanent unrecognized-operation'],
  [0x0212, 0x0212, 'permanent mistyped-argument'],
  [0x0213, 0x0213, 'transient resource-limitation'],
  [0x0214, 0xa6ff, 'transient unknown-status'],
  [0xa700, 0xa7ff, 'transient out-of-resources'],
  [0xa800, 0xa8ff, 'transient unknown-status'],
  [0xa900, 0xa9ff, 'permanent dataset-does-not-match'],
  [0xaa00, 0xafff, 'transient unknown-status'],
  [0xb000, 0xbfff, 'stored'],
  [0xc000, 0xcfff, 'permanent cannot-understand'],
  [0xd000, 0xffff, 'transient unknown-status'],
];

function meaningOf(status: number): string {
  const meaning = storeStatusMeaning(status);
  return meaning.type === 'stored' ? 'stored' : `${meaning.failureClass} ${meaning.code}`;
}

describe('the class of a C-STORE status (PS3.4 Table B.2-1, PS3.7 Annex C)', () => {
  it.each(STATUSES)('0x%i to 0x%i: %s', (first, last, meaning) => {
    for (let status = first; status <= last; status += 1) expect(meaningOf(status)).toBe(meaning);
  });

  it('is known for each of the 65536 statuses', () => {
    expect(STATUSES.reduce((sum, [first, last]) => sum + last - first + 1, 0)).toBe(0x10000);
  });
});

describe('the class of A-ASSOCIATE-RJ (PS3.8 Table 9-21)', () => {
  it.each([
    [1, 1, 1, 'no reason given'],
    [1, 1, 2, 'application context name not supported'],
    [1, 1, 3, 'calling AE title not recognized'],
    [1, 1, 7, 'called AE title not recognized'],
    [1, 2, 1, 'no reason given by the ACSE provider: it may ask for a user and a passcode'],
    [1, 2, 2, 'protocol version not supported'],
    [2, 3, 1, 'temporary congestion'],
    [2, 3, 2, 'local limit exceeded'],
    [1, 1, 9, 'source 1, reason 9'],
  ])('result %i, source %i, reason %i: %s', (result, source, reason, text) => {
    expect(rejectionFailure({ result, source, reason })).toEqual({
      failureClass: result === 1 ? 'permanent' : 'transient',
      code: 'association-rejected',
      text: `The association was rejected: ${text}`,
    });
  });
});

describe('the class of A-ABORT (PS3.8 Table 9-26)', () => {
  it.each([
    [0, 0, 'by its user'],
    [2, 0, 'by its DICOM layer: no reason given'],
    [2, 1, 'by its DICOM layer: unrecognized PDU'],
    [2, 2, 'by its DICOM layer: unexpected PDU'],
    [2, 4, 'by its DICOM layer: unrecognized PDU parameter'],
    [2, 5, 'by its DICOM layer: unexpected PDU parameter'],
    [2, 6, 'by its DICOM layer: invalid PDU parameter value'],
    [2, 9, 'by its DICOM layer: reason 9'],
  ])('source %i, reason %i: transient, %s', (source, reason, text) => {
    expect(abortFailure({ source, reason })).toEqual({
      failureClass: 'transient',
      code: 'association-aborted',
      text: `The peer aborted the association, ${text}`,
    });
  });
});

describe('the class of a connection that fails', () => {
  it.each<[string, Phase, string]>([
    ['ECONNREFUSED', 'connect', 'connection-refused'],
    ['EHOSTUNREACH', 'connect', 'host-unreachable'],
    ['ENETUNREACH', 'connect', 'host-unreachable'],
    ['ENOTFOUND', 'connect', 'host-unknown'],
    ['EAI_AGAIN', 'connect', 'host-unknown'],
    ['ETIMEDOUT', 'connect', 'connect-timeout'],
    ['EMFILE', 'connect', 'connection-failed'],
    ['ECONNRESET', 'associate', 'connection-lost'],
    ['ECONNRESET', 'response', 'connection-lost'],
    ['EPIPE', 'response', 'connection-lost'],
    ['ECONNRESET', 'release', 'connection-lost'],
  ])('%s in phase %s: transient %s', (errno, phase, code) => {
    const error = Object.assign(new Error('test'), { code: errno });
    expect(connectionFailure(error, phase)).toMatchObject({ failureClass: 'transient', code });
  });

  it.each<[Phase, string]>([
    ['connect', 'connect-timeout'],
    ['associate', 'associate-timeout'],
    ['response', 'response-timeout'],
    ['release', 'release-timeout'],
  ])('no sign of life in phase %s: transient %s', (phase, code) => {
    expect(timeoutFailure(phase)).toMatchObject({ failureClass: 'transient', code });
  });

  it('closed without a word, or by our own stop: transient', () => {
    expect(UNANNOUNCED_CLOSE).toMatchObject({ failureClass: 'transient', code: 'connection-lost' });
    expect(CANCELLED).toMatchObject({ failureClass: 'transient', code: 'cancelled' });
  });
});
