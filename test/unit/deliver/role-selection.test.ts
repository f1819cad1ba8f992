import { describe, expect, it } from 'vitest';
import { withRoles } from '../../../src/deliver/role-selection.js';
import { readAssociateRequest } from '../../../src/receive/associate-request.js';
import { associateRqBody, pdu } from '../receive/pdu-bytes.js';

describe('withRoles', () => {
  it('adds role selections to an A-ASSOCIATE-RQ and changes nothing else', () => {
    const contexts = [{ id: 1, abstractSyntax: '1.2.3', transferSyntaxes: ['1.2.840.10008.1.2'] }];
    const before = pdu(1, associateRqBody({ contexts, maximumLength: 4096 }));
    const roles = [
      { sopClassUid: '1.2.3', scu: false, scp: true },
      { sopClassUid: '1.2.45', scu: true, scp: false },
    ];
    const after = withRoles(before, roles);
    expect(after.readUInt32BE(2)).toBe(after.length - 6);
    expect(readAssociateRequest(after.subarray(6))).toEqual({
      ...readAssociateRequest(before.subarray(6)),
      roles,
    });
  });
});
