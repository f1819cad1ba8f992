import { TRANSFER_SYNTAXES } from '../../../src/dicom/transfer-syntaxes.js';
import { CT, CT_CONTEXT, releaseRq, storeCommand } from '../../integration/receive/raw-scu.js';
import { ctElements, ctPixels, dataset } from '../../unit/dicom-header/dataset-bytes.js';
import { associateRqBody, item, pdu, pdv } from '../../unit/receive/pdu-bytes.js';
import type { Random } from '../mutate.js';
import type { Target } from '../target.js';
import { PATIENT, runSession } from './session.js';

/** What a peer sends on one connection; a first byte says how it is cut, a second whether the peer reads slowly. */
export const target: Target = {
  seeds: () =>
    [wholeSession(), rejected(), manyContexts(), negotiation(), abortedSession()].flatMap((bytes) =>
      [0, 1, 7].map((cuts) => Buffer.concat([Buffer.from([cuts, cuts === 7 ? 1 : 0]), bytes])),
    ),
  dictionary: [
    ...[1, 2, 3, 4, 5, 6, 7].map((type) => Buffer.from([type, 0, 0, 0, 0, 4, 0, 0, 0, 0])),
    ...[0x10, 0x20, 0x30, 0x40, 0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x58].map((type) =>
      item(type, Buffer.from([0, 0, 0, 1])),
    ),
    ...[1, 2, 3, 5].map((type) => item(0x58, Buffer.from([type, 1, 0, 1, 0x61, 0, 1, 0x62]))),
    item(0x58, Buffer.from([2, 0, 0xff, 0xff, 0x61])),
    Buffer.from([0, 0, 0, 2, 1, 3]),
    Buffer.from([0, 0, 0, 3, 1, 0, 0]),
    Buffer.from(CT),
    pdu(4, pdv(1, { command: true, last: false }, Buffer.alloc(0))),
    storeCommand({ sopInstanceUid: '1.2.3.4.5' }),
    releaseRq,
  ],
  generate: (random) =>
    Buffer.concat([
      random.bytes(2),
      ...(random.chance(0.8) ? [associate()] : []),
      ...Array.from({ length: 1 + random.below(12) }, () => anyPdu(random)),
    ]),
  repair: (input) => Buffer.concat([input.subarray(0, 2), withTrueLengths(input.subarray(2))]),
  longest: 300 * 1024,
  memoryLimitMb: 512,
  run: (input) =>
    runSession(input.subarray(2), { cuts: input[0] ?? 0, readsSlowly: (input[1] ?? 0) % 2 === 1 }),
};

const image = () =>
  dataset([...ctElements([0x00100010, 'PN', PATIENT], [0x00100020, 'LO', PATIENT]), ctPixels]);

function associate(): Buffer {
  return pdu(1, associateRqBody({ contexts: [CT_CONTEXT] }));
}

function wholeSession(): Buffer {
  return Buffer.concat([
    associate(),
    storeCommand({ sopInstanceUid: '1.2.3.4.5' }),
    pdu(4, pdv(1, { command: false, last: false }, image().subarray(0, 200))),
    pdu(4, pdv(1, { command: false, last: true }, image().subarray(200))),
    releaseRq,
  ]);
}

function abortedSession(): Buffer {
  return Buffer.concat([
    associate(),
    storeCommand({ sopInstanceUid: '1.2.3.4.5' }),
    pdu(4, pdv(1, { command: false, last: false }, image().subarray(0, 200))),
    pdu(7, Buffer.alloc(4)),
  ]);
}

function rejected(): Buffer {
  return pdu(1, associateRqBody({ applicationContext: '1.2.3', contexts: [CT_CONTEXT] }));
}

function manyContexts(): Buffer {
  const transferSyntaxes = TRANSFER_SYNTAXES.map(({ uid }) => uid);
  const contexts = Array.from({ length: 128 }, (_, i) => ({
    id: 2 * i + 1,
    abstractSyntax: CT,
    transferSyntaxes,
  }));
  return pdu(1, associateRqBody({ contexts }));
}

function negotiation(): Buffer {
  const role = Buffer.concat([Buffer.from([0, CT.length]), Buffer.from(CT), Buffer.from([1, 1])]);
  const userItems = [
    item(0x53, Buffer.from([0, 5, 0, 5])),
    item(0x54, role),
    item(0x55, Buffer.from('FUZZ')),
    item(0x58, Buffer.from([2, 1, 0, 1, 0x61, 0, 1, 0x62])),
  ];
  return pdu(1, associateRqBody({ contexts: [CT_CONTEXT], userItems, maximumLength: 7 }));
}

function anyPdu(random: Random): Buffer {
  const type = random.pick([1, 2, 3, 4, 4, 4, 4, 4, 5, 6, 7, 0, 8]);
  if (type === 1) return associate();
  if (type !== 4) return pdu(type, Buffer.alloc(4));
  if (random.chance(0.3)) return storeCommand({ sopInstanceUid: '1.2.3.4.5' });
  const values = Array.from({ length: 1 + random.below(4) }, () => {
    const flags = { command: random.chance(0.5), last: random.chance(0.4) };
    return pdv(random.chance(0.9) ? 1 : random.below(256), flags, random.bytes(random.below(40)));
  });
  return pdu(4, Buffer.concat(values));
}

/** Each PDU states the length up to what looks like the next one. */
function withTrueLengths(stream: Buffer): Buffer {
  const repaired = Buffer.from(stream);
  let at = 0;
  while (at + 6 <= repaired.length) {
    const stated = repaired.readUInt32BE(at + 2);
    const left = repaired.length - at - 6;
    const length = Math.min(stated, left);
    repaired.writeUInt32BE(length, at + 2);
    at += 6 + length;
  }
  return repaired;
}
