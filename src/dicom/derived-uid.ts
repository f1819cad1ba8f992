import { createHash } from 'node:crypto';

/** The name space of Vigil's derived UIDs, itself a random UUID. Another one would give every object a new UID. */
const NAME_SPACE = Buffer.from('6d1f0a4e8c2b4f5c9e0713c5a7d24b98', 'hex');

/**
 * A UID under 2.25 (PS3.5 B.2) that is always the same for the same parts: a UUID of version 5 (RFC 9562 5.5) over the
 * parts as a JSON array, written as a decimal number.
 */
export function derivedUid(parts: readonly string[]): string {
  const hash = createHash('sha1').update(NAME_SPACE).update(JSON.stringify(parts)).digest();
  const uuid = hash.subarray(0, 16);
  uuid.writeUInt8((uuid.readUInt8(6) & 0x0f) | 0x50, 6);
  uuid.writeUInt8((uuid.readUInt8(8) & 0x3f) | 0x80, 8);
  return `2.25.${BigInt(`0x${uuid.toString('hex')}`)}`;
}
