/** What a process is at, kept where its supervisor finds it after the process died. */
export interface JournalEntry {
  /** Counts up with each entry. */
  readonly run: number;
  readonly index: number;
  readonly input: Buffer;
}

const HEAD = 12;

export function encodeEntry({ run, index, input }: JournalEntry): Buffer {
  const head = Buffer.alloc(HEAD);
  head.writeUInt32LE(run, 0);
  head.writeUInt32LE(index, 4);
  head.writeUInt32LE(input.length, 8);
  return Buffer.concat([head, input]);
}

/** Undefined where no entry was written yet; an entry may be followed by the rest of a longer one. */
export function decodeEntry(bytes: Buffer): JournalEntry | undefined {
  if (bytes.length < HEAD) return undefined;
  const input = bytes.subarray(HEAD, HEAD + bytes.readUInt32LE(8));
  return { run: bytes.readUInt32LE(0), index: bytes.readUInt32LE(4), input };
}
