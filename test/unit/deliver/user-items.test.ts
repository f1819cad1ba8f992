import { describe, expect, it } from 'vitest';
import { roleItem, userIdentityItem, withUserItems } from '../../../src/deliver/user-items.js';
import { readAssociateRequest } from '../../../src/receive/associate-request.js';
import { associateRqBody, pdu } from '../receive/pdu-bytes.js';

const contexts = [{ id: 1, abstractSyntax: '1.2.3', transferSyntaxes: ['1.2.840.10008.1.2'] }];
const before = pdu(1, associateRqBody({ contexts, maximumLength: 4096 }));

describe('withUserItems', () => {
  it('adds role selections to an A-ASSOCIATE-RQ and changes nothing else', () => {
    const roles = [
      { sopClassUid: '1.2.3', scu: false, scp: true },
      { sopClassUid: '1.2.45', scu: true, scp: false },
    ];
    const after = withUserItems(before, roles.map(roleItem));
    expect(after.readUInt32BE(2)).toBe(after.length - 6);
    expect(readAssociateRequest(after.subarray(6))).toEqual({
      ...readAssociateRequest(before.subarray(6)),
      roles,
    });
  });

  it.each([
    { name: 'Jørgen', passcode: Buffer.from([0xff, 0, 0x61]), positiveResponseRequested: true },
    { name: 'ct1', positiveResponseRequested: false },
  ])('adds the user $name', (user) => {
    const after = withUserItems(before, [userIdentityItem(user)]);
    expect(readAssociateRequest(after.subarray(6))).toEqual({
      ...readAssociateRequest(before.subarray(6)),
      userIdentity: {
        type: user.passcode === undefined ? 1 : 2,
        positiveResponseRequested: user.positiveResponseRequested,
        primaryField: Buffer.from(user.name),
        secondaryField: user.passcode ?? Buffer.alloc(0),
      },
    });
  });
});
