import { CommandError, readCommand } from '../../../src/receive/dimse.js';
import { CT, CT_CONTEXT } from '../../integration/receive/raw-scu.js';
import { dataset, header, type TestElement } from '../../unit/dicom-header/dataset-bytes.js';
import { associateRqBody, pdu, pdv } from '../../unit/receive/pdu-bytes.js';
import type { Random } from '../mutate.js';
import type { Target } from '../target.js';
import { runSession } from './session.js';

const IMPLICIT = { explicitVr: false };
/** Of group 0000 (PS3.7 Table E.1-1). */
const ELEMENTS = [
  0x0000, 0x0002, 0x0003, 0x0100, 0x0110, 0x0120, 0x0600, 0x0700, 0x0800, 0x0900, 0x0901, 0x0902,
  0x1000, 0x1001, 0x1002, 0x1005, 0x1008, 0x1030, 0x1031,
];
/** Command fields (PS3.7 Table E.1-1), and two that are none. */
const FIELDS = [
  0x0001, 0x8001, 0x0010, 0x0020, 0x0021, 0x0030, 0x8030, 0x0100, 0x0110, 0x0120, 0x0130, 0x0140,
  0x0150, 0x0fff, 0x0000, 0xffff,
];

/** A command set on an open association, by itself or with a dataset; the first byte says how it is cut. */
export const target: Target = {
  seeds: () => [store(), command(0x0030), command(0x0020), command(0x0fff), command(0x8001)],
  dictionary: [
    ...ELEMENTS.map((number) => header(number, '', 2, IMPLICIT)),
    ...FIELDS.map((field) => dataset([[0x00000100, 'US', field]], IMPLICIT)),
    Buffer.from([0x01, 0x01]),
    Buffer.from(CT),
    Buffer.from('../../../etc/passwd'),
    Buffer.from([0xff, 0xff, 0xff, 0xff]),
  ],
  generate: (random) =>
    Buffer.concat([
      random.bytes(1),
      ...Array.from({ length: random.below(14) }, () => any(random)),
    ]),
  longest: 20 * 1024,
  memoryLimitMb: 512,
  run: async (input) => {
    const [cuts = 0] = input;
    const bytes = input.subarray(1);
    checkReading(bytes);
    const flags = { command: true, last: true };
    const session = [
      pdu(1, associateRqBody({ contexts: [CT_CONTEXT], maximumLength: cuts })),
      pdu(4, pdv(1, flags, bytes)),
      pdu(4, pdv(1, { command: false, last: true }, Buffer.alloc(40))),
      pdu(4, pdv(1, flags, command(0x0030).subarray(1))),
      pdu(5, Buffer.alloc(4)),
    ];
    await runSession(Buffer.concat(session), { cuts, readsSlowly: cuts % 2 === 1 });
  },
};

function checkReading(bytes: Buffer): void {
  try {
    const command = readCommand(bytes);
    for (const number of ELEMENTS) {
      command.uid(number);
      command.number(number);
    }
  } catch (error) {
    if (!(error instanceof CommandError)) throw error;
  }
}

function command(field: number, ...more: TestElement[]): Buffer {
  const elements: TestElement[] = [
    [0x00000002, 'UI', CT],
    [0x00000100, 'US', field],
    [0x00000110, 'US', 7],
    [0x00000800, 'US', more.length > 0 ? 0 : 0x0101],
    ...more,
  ];
  return Buffer.concat([Buffer.from([0]), dataset(elements, IMPLICIT)]);
}

function store(): Buffer {
  return command(0x0001, [0x00001000, 'UI', '1.2.3.4.5']);
}

function any(random: Random): Buffer {
  const number = random.chance(0.9) ? random.pick(ELEMENTS) : random.below(0x10000);
  const group = random.chance(0.95) ? 0 : random.below(0x10000);
  const value = random.pick([
    Buffer.from([random.below(256), random.below(256)]),
    Buffer.from(CT),
    Buffer.from('1.2.3.4.5\0'),
    Buffer.alloc(random.below(300), 0x20),
    random.bytes(random.below(20)),
  ]);
  const length = random.chance(0.95) ? value.length : random.below(2 ** 32);
  return Buffer.concat([header(group * 0x10000 + number, '', length, IMPLICIT), value]);
}
