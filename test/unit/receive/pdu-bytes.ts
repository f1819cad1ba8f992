/** Encodes what an association requestor sends, well-formed or not. */
export function pdu(type: number, body: Uint8Array, statedLength = body.length): Buffer {
  const header = Buffer.alloc(6);
  header[0] = type;
  header.writeUInt32BE(statedLength, 2);
  return Buffer.concat([header, body]);
}

export function item(type: number, value: Uint8Array): Buffer {
  const header = Buffer.alloc(4);
  header[0] = type;
  header.writeUInt16BE(value.length, 2);
  return Buffer.concat([header, value]);
}

export function pdv(
  contextId: number,
  flags: { command: boolean; last: boolean },
  value: Uint8Array,
): Buffer {
  const header = Buffer.alloc(6);
  header.writeUInt32BE(value.length + 2);
  header[4] = contextId;
  header[5] = Number(flags.command) | (Number(flags.last) << 1);
  return Buffer.concat([header, value]);
}

export interface RequestParts {
  calledAeTitle?: string;
  callingAeTitle?: string;
  protocolVersion?: number;
  applicationContext?: string;
  contexts?: readonly { id: number; abstractSyntax: string; transferSyntaxes: readonly string[] }[];
  /** Encoded user information items besides maximum length and implementation class. */
  userItems?: readonly Buffer[];
  maximumLength?: number;
}

/** The body of an A-ASSOCIATE-RQ (PS3.8 9.3.2). */
export function associateRqBody(parts: RequestParts = {}): Buffer {
  const fixed = Buffer.alloc(68);
  fixed.writeUInt16BE(parts.protocolVersion ?? 1, 0);
  fixed.write((parts.calledAeTitle ?? 'VIGIL').padEnd(16), 4, 'latin1');
  fixed.write((parts.callingAeTitle ?? 'SCANNER').padEnd(16), 20, 'latin1');
  const contexts = (parts.contexts ?? []).map(({ id, abstractSyntax, transferSyntaxes }) =>
    item(
      0x20,
      Buffer.concat([
        Buffer.from([id, 0, 0, 0]),
        item(0x30, Buffer.from(abstractSyntax)),
        ...transferSyntaxes.map((uid) => item(0x40, Buffer.from(uid))),
      ]),
    ),
  );
  const maximumLength = Buffer.alloc(4);
  maximumLength.writeUInt32BE(parts.maximumLength ?? 16384);
  const user = Buffer.concat([
    item(0x51, maximumLength),
    item(0x52, Buffer.from('1.2.3.4')),
    ...(parts.userItems ?? []),
  ]);
  return Buffer.concat([
    fixed,
    item(0x10, Buffer.from(parts.applicationContext ?? '1.2.840.10008.3.1.1.1')),
    ...contexts,
    item(0x50, user),
  ]);
}

/** A small pseudo-random generator, so that a failing split can be repeated by its seed. */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Cuts bytes into pieces of random lengths. */
export function split(bytes: Buffer, next: () => number, longest: number): Buffer[] {
  const pieces: Buffer[] = [];
  for (let offset = 0; offset < bytes.length; ) {
    const length = 1 + Math.floor(next() * longest);
    pieces.push(bytes.subarray(offset, offset + length));
    offset += length;
  }
  return pieces;
}
