import { describe, expect, it } from 'vitest';
import { readAssociateRequest } from '../../../src/receive/associate-request.js';
import { PduError } from '../../../src/receive/pdu.js';
import { associateRqBody, item, random } from './pdu-bytes.js';

const CT = '1.2.840.10008.5.1.4.1.1.2';
const IMPLICIT = '1.2.840.10008.1.2';
const context = { id: 1, abstractSyntax: CT, transferSyntaxes: [IMPLICIT] };

describe('readAssociateRequest', () => {
  it('reads what the requestor proposes', () => {
    const role = Buffer.concat([Buffer.from([0, CT.length]), Buffer.from(CT), Buffer.from([1, 0])]);
    const request = readAssociateRequest(
      associateRqBody({
        calledAeTitle: ' VIGIL ',
        contexts: [context],
        maximumLength: 65536,
        userItems: [
          item(0x53, Buffer.from([0, 8, 0, 1])),
          item(0x54, role),
          item(0x55, Buffer.from('PEER')),
          item(0x58, Buffer.from([2, 1, 0, 2, 0x63, 0x74, 0, 1, 0xff])),
          item(0x77, Buffer.from('unknown')),
        ],
      }),
    );
    expect(request).toEqual({
      protocolVersion: 1,
      calledAeTitle: 'VIGIL',
      callingAeTitle: 'SCANNER',
      applicationContext: '1.2.840.10008.3.1.1.1',
      contexts: [context],
      maximumLength: 65536,
      implementationClassUid: '1.2.3.4',
      implementationVersionName: 'PEER',
      roles: [{ sopClassUid: CT, scu: true, scp: false }],
      proposesAsynchronousOperations: true,
      userIdentity: {
        type: 2,
        positiveResponseRequested: true,
        primaryField: Buffer.from('ct'),
        secondaryField: Buffer.from([0xff]),
      },
    });
  });

  it('takes UIDs that are padded against the standard', () => {
    const padded = { ...context, abstractSyntax: `${CT}\0`, transferSyntaxes: [`${IMPLICIT}\0`] };
    expect(readAssociateRequest(associateRqBody({ contexts: [padded] })).contexts).toEqual([
      context,
    ]);
  });

  const base = associateRqBody({ contexts: [context] });
  const malformed: [string, Buffer][] = [
    ['nothing', Buffer.alloc(0)],
    ['a short fixed part', base.subarray(0, 60)],
    ['an item that is cut off', base.subarray(0, base.length - 3)],
    ['an item header that is cut off', Buffer.concat([base, Buffer.from([0x20, 0])])],
    ['no application context', base.subarray(0, 68)],
    ['a context with an even ID', associateRqBody({ contexts: [{ ...context, id: 2 }] })],
    ['two contexts with one ID', associateRqBody({ contexts: [context, context] })],
    [
      'a context with no transfer syntax',
      associateRqBody({ contexts: [{ ...context, transferSyntaxes: [] }] }),
    ],
    [
      'a role selection that is too short',
      associateRqBody({ userItems: [item(0x54, Buffer.from([0, 9, 1]))] }),
    ],
    ...[[], [1, 0, 0], [1, 0, 0, 9, 0x61], [1, 0, 0, 1, 0x61], [2, 0, 0, 1, 0x61, 0, 2, 0x62]].map(
      (bytes): [string, Buffer] => [
        `a user identity of ${bytes.length} bytes that lacks some`,
        associateRqBody({ userItems: [item(0x58, Buffer.from(bytes))] }),
      ],
    ),
    [
      'a maximum length of two bytes',
      Buffer.concat([base.subarray(0, 93), item(0x50, item(0x51, Buffer.alloc(2)))]),
    ],
  ];

  it.each(malformed)('refuses %s', (_, body) => {
    expect(() => readAssociateRequest(body)).toThrow(PduError);
  });

  it('refuses or reads anything, and nothing else happens', () => {
    const next = random(7);
    for (let round = 0; round < 3000; round += 1) {
      const body = Buffer.from(base);
      for (let change = 0; change < 4; change += 1) {
        body[Math.floor(next() * body.length)] = Math.floor(next() * 256);
      }
      try {
        readAssociateRequest(body);
      } catch (error) {
        expect(error).toBeInstanceOf(PduError);
      }
    }
  });
});
