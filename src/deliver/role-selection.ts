/** The role that the requestor of an association takes for a SOP class (PS3.7 D.3.3.4). */
export interface RoleSelection {
  readonly sopClassUid: string;
  readonly scu: boolean;
  readonly scp: boolean;
}

const USER_INFORMATION = 0x50;
const ROLE_SELECTION = 0x54;
const PDU_HEADER = 6;
/** Version, AE titles and reserved fields before the variable items (PS3.8 Table 9-11). */
const FIXED_LENGTH = 68;

/** Adds roles to an A-ASSOCIATE-RQ PDU: dcmjs-dimse writes none. */
export function withRoles(associateRq: Buffer, roles: readonly RoleSelection[]): Buffer {
  const added = Buffer.concat(roles.map(roleItem));
  const pdu = Buffer.from(associateRq);
  let offset = PDU_HEADER + FIXED_LENGTH;
  while (offset + 4 <= pdu.length) {
    const length = pdu.readUInt16BE(offset + 2);
    const end = offset + 4 + length;
    if (pdu[offset] === USER_INFORMATION) {
      pdu.writeUInt16BE(length + added.length, offset + 2);
      pdu.writeUInt32BE(pdu.length - PDU_HEADER + added.length, 2);
      return Buffer.concat([pdu.subarray(0, end), added, pdu.subarray(end)]);
    }
    offset = end;
  }
  return pdu;
}

function roleItem({ sopClassUid, scu, scp }: RoleSelection): Buffer {
  const head = Buffer.alloc(6);
  head[0] = ROLE_SELECTION;
  head.writeUInt16BE(sopClassUid.length + 4, 2);
  head.writeUInt16BE(sopClassUid.length, 4);
  return Buffer.concat([
    head,
    Buffer.from(sopClassUid, 'latin1'),
    Buffer.from([Number(scu), Number(scp)]),
  ]);
}
