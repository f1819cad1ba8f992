/** The role that the requestor of an association takes for a SOP class (PS3.7 D.3.3.4). */
export interface RoleSelection {
  readonly sopClassUid: string;
  readonly scu: boolean;
  readonly scp: boolean;
}

/** Who the requestor of an association says that its user is (PS3.7 D.3.3.7.1). */
export interface UserIdentity {
  readonly name: string;
  /** Absent where the name alone is stated. */
  readonly passcode?: Buffer | undefined;
  readonly positiveResponseRequested: boolean;
}

const USER_INFORMATION = 0x50;
const ROLE_SELECTION = 0x54;
const USER_IDENTITY = 0x58;
const PDU_HEADER = 6;
/** Version, AE titles and reserved fields before the variable items (PS3.8 Table 9-11). */
const FIXED_LENGTH = 68;

/** Adds encoded items to the user information of an A-ASSOCIATE-RQ PDU. */
export function withUserItems(associateRq: Buffer, items: readonly Buffer[]): Buffer {
  const added = Buffer.concat(items);
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

/** dcmjs-dimse writes none. */
export function roleItem({ sopClassUid, scu, scp }: RoleSelection): Buffer {
  const roles = Buffer.from([Number(scu), Number(scp)]);
  return item(ROLE_SELECTION, withLength(Buffer.from(sopClassUid, 'latin1')), roles);
}

/** dcmjs-dimse takes text alone, and a passcode is bytes. */
export function userIdentityItem(identity: UserIdentity): Buffer {
  const { name, passcode, positiveResponseRequested } = identity;
  return item(
    USER_IDENTITY,
    Buffer.from([passcode === undefined ? 1 : 2, Number(positiveResponseRequested)]),
    withLength(Buffer.from(name, 'utf8')),
    withLength(passcode ?? Buffer.alloc(0)),
  );
}

function item(type: number, ...parts: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.from([type, 0]), withLength(Buffer.concat(parts))]);
}

/** Behind its length in 2 bytes. */
function withLength(value: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(value.length);
  return Buffer.concat([length, value]);
}
