import { describe, expect, it } from 'vitest';
import {
  AssociationPolicy,
  type AssociationPolicySettings,
  type OpenAssociations,
  Rejections,
} from '../../../src/receive/association-policy.js';
import type { AssociateAnswer, AssociateRequest, Rejection } from '../../../src/receive/pdu.js';

const VERIFICATION = '1.2.840.10008.1.1';
const CT = '1.2.840.10008.5.1.4.1.1.2';
const MR = '1.2.840.10008.5.1.4.1.1.4';
const PRIVATE = '1.3.12.2.1107.5.9.1';
const FIND = '1.2.840.10008.5.1.4.1.2.2.1';
const IMPLICIT = '1.2.840.10008.1.2';
const EXPLICIT = '1.2.840.10008.1.2.1';
const JPEG_BASELINE = '1.2.840.10008.1.2.4.50';
const JPEG_LOSSLESS = '1.2.840.10008.1.2.4.70';
const MPEG4 = '1.2.840.10008.1.2.4.102';

const settings: AssociationPolicySettings = {
  calledAeTitles: 'any',
  callingAeTitles: 'any',
  allowFrom: 'any',
  access: 'any',
  storageClasses: 'any',
  maximumAssociations: 3,
  maximumAssociationsPerAddress: 2,
  maximumLength: 131072,
};

const request: AssociateRequest = {
  protocolVersion: 1,
  calledAeTitle: 'VIGIL',
  callingAeTitle: 'CT1',
  applicationContext: '1.2.840.10008.3.1.1.1',
  contexts: [{ id: 1, abstractSyntax: CT, transferSyntaxes: [IMPLICIT] }],
  maximumLength: 16384,
  implementationClassUid: '1.2.3',
  implementationVersionName: 'PEER',
  roles: [],
  proposesAsynchronousOperations: false,
};

function decide(
  change: Partial<AssociationPolicySettings>,
  asked: Partial<AssociateRequest> = {},
  address = '10.1.2.3',
  open: OpenAssociations = { all: 0, fromAddress: 0 },
): AssociateAnswer {
  const answer = new AssociationPolicy({ ...settings, ...change }).decide(
    { ...request, ...asked },
    { address, isWaiting: () => true },
    () => open,
  );
  if (answer instanceof Promise) throw new Error('no user was to be looked up');
  return answer;
}

function negotiated(
  asked: Partial<AssociateRequest>,
  change: Partial<AssociationPolicySettings> = {},
) {
  const answer = decide(change, asked);
  if ('reason' in answer) throw new Error('rejected');
  return answer;
}

const context = (abstractSyntax: string, ...transferSyntaxes: string[]) => ({
  contexts: [{ id: 1, abstractSyntax, transferSyntaxes }],
});

describe('rejections', () => {
  const cases: [string, Rejection, Parameters<typeof decide>][] = [
    [
      'protocol version 2 only',
      Rejections.ProtocolVersionNotSupported,
      [{}, { protocolVersion: 2 }],
    ],
    [
      'another application context',
      Rejections.ApplicationContextNotSupported,
      [{}, { applicationContext: '1.2.3' }],
    ],
    [
      'a called AE title that is not ours',
      Rejections.CalledAeTitleNotRecognized,
      [{ calledAeTitles: ['OTHER'] }],
    ],
    [
      'a caller who is not listed',
      Rejections.CallingAeTitleNotRecognized,
      [{ callingAeTitles: ['CT2'] }],
    ],
    ['a source that is not listed', Rejections.SourceNotAllowed, [{ allowFrom: ['10.2.0.0/16'] }]],
    [
      'a source that is no address',
      Rejections.SourceNotAllowed,
      [{ allowFrom: ['10.2.0.0/16'] }, {}, ''],
    ],
    [
      'one association too many',
      Rejections.LocalLimitExceeded,
      [{}, {}, '10.1.2.3', { all: 3, fromAddress: 0 }],
    ],
    [
      'too many of one address',
      Rejections.LocalLimitExceeded,
      [{}, {}, '10.1.2.3', { all: 2, fromAddress: 2 }],
    ],
  ];

  it.each(cases)('%s', (_, rejection, args) => {
    expect(decide(...args)).toEqual(rejection);
  });

  it('has the codes of PS3.8 Table 9-21', () => {
    expect(Rejections).toMatchObject({
      SourceNotAllowed: { result: 1, source: 1, reason: 1 },
      ApplicationContextNotSupported: { result: 1, source: 1, reason: 2 },
      CallingAeTitleNotRecognized: { result: 1, source: 1, reason: 3 },
      CalledAeTitleNotRecognized: { result: 1, source: 1, reason: 7 },
      ProtocolVersionNotSupported: { result: 1, source: 2, reason: 2 },
      LocalLimitExceeded: { result: 2, source: 3, reason: 2 },
    });
  });
});

describe('allow-lists', () => {
  it.each([
    ['a called AE title', { calledAeTitles: ['VIGIL'] }, '10.1.2.3'],
    ['a caller', { callingAeTitles: ['CT1'] }, '10.1.2.3'],
    ['an address', { allowFrom: ['10.1.2.3'] }, '10.1.2.3'],
    ['a block', { allowFrom: ['192.168.0.0/24', '10.0.0.0/8'] }, '10.1.2.3'],
    ['a block, seen as IPv6', { allowFrom: ['10.0.0.0/8'] }, '::ffff:10.1.2.3'],
    ['an IPv6 block', { allowFrom: ['fd00::/8'] }, 'fd12::1'],
    ['all of IPv4', { allowFrom: ['0.0.0.0/0'] }, '10.1.2.3'],
  ])('admit %s', (_, change, address) => {
    expect(decide(change, {}, address)).toHaveProperty('contexts');
  });

  it.each(['10.0.0.0/33', 'scanner', '10.0.0.0/', '10.0.0/8', '::1/129', ''])(
    'refuse to be %j',
    (entry) => {
      expect(() => new AssociationPolicy({ ...settings, allowFrom: [entry] })).toThrow(RangeError);
    },
  );
});

describe('presentation contexts', () => {
  const cases: [
    string,
    Partial<AssociateRequest>,
    Partial<AssociationPolicySettings>,
    number,
    string?,
  ][] = [
    ['Verification', context(VERIFICATION, IMPLICIT), {}, 0, IMPLICIT],
    ['Verification, whatever is kept', context(VERIFICATION, IMPLICIT), { storageClasses: [] }, 0],
    ['CT', context(CT, IMPLICIT), {}, 0],
    ['any storage class', context(MR, IMPLICIT), {}, 0],
    ['a storage class that is not listed', context(MR, IMPLICIT), { storageClasses: [CT] }, 3],
    ['a private storage class', context(PRIVATE, IMPLICIT), {}, 3],
    [
      'a private storage class that is listed',
      context(PRIVATE, IMPLICIT),
      { storageClasses: [PRIVATE] },
      0,
    ],
    ['another service', context(FIND, IMPLICIT), {}, 3],
    ['the first in the order of the sender', context(CT, EXPLICIT, IMPLICIT), {}, 0, EXPLICIT],
    ['the first that is known', context(CT, MPEG4, JPEG_LOSSLESS, IMPLICIT), {}, 0, JPEG_LOSSLESS],
    ['lossless before lossy', context(CT, JPEG_BASELINE, IMPLICIT), {}, 0, IMPLICIT],
    ['lossy where there is no other', context(CT, JPEG_BASELINE), {}, 0, JPEG_BASELINE],
    ['no transfer syntax that is known', context(CT, MPEG4), {}, 4],
    [
      'a requestor that wants to be SCP only',
      { ...context(CT, IMPLICIT), roles: [{ sopClassUid: CT, scu: false, scp: true }] },
      {},
      1,
    ],
  ];

  it.each(cases)('%s', (_, asked, change, result, transferSyntax) => {
    const [answer] = negotiated(asked, change).contexts;
    expect(answer?.result).toBe(result);
    if (transferSyntax) expect(answer?.transferSyntax).toBe(transferSyntax);
  });
});

describe('user information', () => {
  it('is answered only where it was proposed', () => {
    const plain = negotiated({});
    expect(plain).toMatchObject({
      roles: [],
      answersAsynchronousOperations: false,
      maximumLength: 131072,
    });
    const full = negotiated({
      proposesAsynchronousOperations: true,
      roles: [
        { sopClassUid: CT, scu: true, scp: true },
        { sopClassUid: MR, scu: true, scp: false },
      ],
    });
    expect(full).toMatchObject({
      roles: [{ sopClassUid: CT, scu: true, scp: false }],
      answersAsynchronousOperations: true,
    });
  });
});

it('takes storage commitment in either role, and MPPS', () => {
  const PUSH_MODEL = '1.2.840.10008.1.20.1';
  const contexts = [
    { id: 1, abstractSyntax: PUSH_MODEL, transferSyntaxes: ['1.2.840.10008.1.2.2', EXPLICIT] },
    { id: 3, abstractSyntax: '1.2.840.10008.3.1.2.3.3', transferSyntaxes: [IMPLICIT] },
  ];
  const roles = [{ sopClassUid: PUSH_MODEL, scu: false, scp: true }];
  expect(decide({}, { contexts, roles })).toMatchObject({
    contexts: [
      { id: 1, result: 0, transferSyntax: EXPLICIT },
      { id: 3, result: 0, transferSyntax: IMPLICIT },
    ],
    roles,
  });
});
