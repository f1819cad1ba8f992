/** What a finished file of the incoming folder says about itself, so that it needs no catalog to be believed. */
export interface IncomingMark {
  readonly bytes: number;
  /** Hex SHA-256 of the dataset. */
  readonly sha256: string;
  readonly receivedAt: number;
  readonly associationId: number;
  readonly callingAeTitle: string;
  readonly calledAeTitle: string;
}

/** The preamble is free for whoever writes the file (PS3.10 7.1). */
export const PREAMBLE_LENGTH = 128;
const MAGIC = 'VIGIL1';

/** Writes the mark into the preamble: magic, u64 length, SHA-256, f64 time, u64 association, two AE titles of 16. */
export function writeMark(preamble: Buffer, mark: IncomingMark): void {
  preamble.write(MAGIC, 0, 'latin1');
  preamble.writeBigUInt64LE(BigInt(mark.bytes), 8);
  preamble.write(mark.sha256, 16, 'hex');
  preamble.writeDoubleLE(mark.receivedAt, 48);
  preamble.writeBigUInt64LE(BigInt(mark.associationId), 56);
  preamble.write(mark.callingAeTitle.padEnd(16), 64, 16, 'latin1');
  preamble.write(mark.calledAeTitle.padEnd(16), 80, 16, 'latin1');
}

/** The mark of a file, or undefined where it was never finished. */
export function readMark(preamble: Buffer): IncomingMark | undefined {
  if (preamble.length < PREAMBLE_LENGTH) return undefined;
  if (preamble.toString('latin1', 0, MAGIC.length) !== MAGIC) return undefined;
  return {
    bytes: Number(preamble.readBigUInt64LE(8)),
    sha256: preamble.toString('hex', 16, 48),
    receivedAt: preamble.readDoubleLE(48),
    associationId: Number(preamble.readBigUInt64LE(56)),
    callingAeTitle: preamble.toString('latin1', 64, 80).trim(),
    calledAeTitle: preamble.toString('latin1', 80, 96).trim(),
  };
}
