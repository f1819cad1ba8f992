import { deflateRawSync } from 'node:zlib';
import {
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_BIG_ENDIAN,
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
} from '../../../src/dicom/transfer-syntaxes.js';
import {
  ctElements,
  ctPixels,
  dataset,
  header,
  type TestElement,
  type TestEncoding,
} from '../../unit/dicom-header/dataset-bytes.js';
import type { Random } from '../mutate.js';
import { PATIENT } from './session.js';

export const SYNTAXES = [
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
  EXPLICIT_VR_BIG_ENDIAN,
  DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
  '1.2.840.10008.1.2.4.70',
];

const ENCODINGS: readonly TestEncoding[] = [
  {},
  { explicitVr: false },
  { littleEndian: false },
  {},
  {},
];

const plane = (i: number): TestElement[] => [
  [0x00209113, 'SQ', [[[0x00200032, 'DS', `0\\0\\${i}`]]]],
  [
    0x00289110,
    'SQ',
    [
      [
        [0x00180050, 'DS', '5'],
        [0x00280030, 'DS', '0.5\\0.5'],
      ],
    ],
  ],
];

const MULTI_FRAME: TestElement[] = [
  [0x00280008, 'IS', '3'],
  [0x52009229, 'SQ', [[[0x00209116, 'SQ', [[[0x00200037, 'DS', '1\\0\\0\\0\\1\\0']]]]]]],
  [0x52009230, 'SQ', [plane(0), plane(1), plane(2)]],
];

/** A well-formed input, with lengths or without by whether it is cut. */
export function canonical(syntax: number, cuts: number): Buffer {
  const elements = ctElements(
    [0x00100010, 'PN', `${PATIENT}^Jane`],
    [0x00100020, 'LO', PATIENT],
    [
      0x00081032,
      'SQ',
      [
        [
          [0x00080100, 'SH', 'CTHEAD'],
          [0x00080104, 'LO', 'CT head'],
        ],
      ],
    ],
    ...MULTI_FRAME,
  );
  const encoding = { ...ENCODINGS[syntax], undefinedLengths: cuts > 0 };
  return Buffer.concat([
    Buffer.from([syntax, cuts]),
    packed(dataset([...elements, ctPixels], encoding), syntax),
  ]);
}

/** Tags that are read somewhere, and some that are not. */
const TAGS: readonly (readonly [number, string])[] = [
  ...ctElements().map(([tag, vr]) => [tag, vr] as const),
  [0x0008002a, 'DT'],
  [0x00080201, 'SH'],
  [0x00081030, 'LO'],
  [0x00081032, 'SQ'],
  [0x00100021, 'LO'],
  [0x00104000, 'LT'],
  [0x00101020, 'DS'],
  [0x00280008, 'IS'],
  [0x00400275, 'SQ'],
  [0x00090010, 'UN'],
  [0x52009229, 'SQ'],
  [0x52009230, 'SQ'],
  [0x60003000, 'OW'],
  [0x7fe00010, 'OW'],
];
const LONG_VRS = ['OB', 'OW', 'SQ', 'UN', 'UT', 'UC'];

/** A dataset whose required UIDs are mostly there, and the rest mostly wrong. */
export function elementsOf(random: Random, syntax: number): Buffer {
  const encoding = ENCODINGS[syntax] ?? {};
  const parts: Buffer[] = random.chance(0.8) ? [dataset(ctElements(), encoding)] : [];
  const count = random.below(12);
  for (let i = 0; i < count; i += 1) {
    const part = element(random, encoding, 0);
    // Later ones of a tag take the place of earlier ones.
    parts.push(part);
  }
  if (random.chance(0.03)) parts.push(flood(random, encoding));
  return packed(Buffer.concat(parts), syntax);
}

function packed(bytes: Buffer, syntax: number): Buffer {
  return SYNTAXES[syntax] === DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN ? deflateRawSync(bytes) : bytes;
}

function element(random: Random, encoding: TestEncoding, depth: number): Buffer {
  const [tag, usual] = random.pick(TAGS);
  const vr = random.chance(0.9) ? usual : random.pick(LONG_VRS);
  if (vr === 'SQ' && depth < 6) return sequence(random, encoding, tag, depth);
  const value = anyValue(random);
  const length = random.chance(0.97)
    ? value.length
    : random.pick([0xffffffff, random.below(2 ** 32)]);
  const short = !LONG_VRS.includes(vr) && encoding.explicitVr !== false;
  return Buffer.concat([header(tag, vr, short ? length & 0xffff : length, encoding), value]);
}

function anyValue(random: Random): Buffer {
  return random.pick([
    () => Buffer.from(`1.2.${random.below(1000)}`),
    () => Buffer.from('../../../../tmp/x'),
    () => Buffer.from(`${random.below(1e9)}\\-1e${random.below(400)}`),
    () => Buffer.from(`${' '.repeat(random.below(60_000))}1`),
    () => Buffer.from(`${'1'.repeat(random.below(60_000))}x`),
    () => Buffer.from('\\'.repeat(random.below(20_000))),
    () => Buffer.from('\x1b$B'.repeat(random.below(200)), 'latin1'),
    () => random.bytes(random.below(64)),
  ])();
}

function sequence(random: Random, encoding: TestEncoding, tag: number, depth: number): Buffer {
  const isOpen = random.chance(0.5);
  const items = Array.from({ length: random.below(4) }, () => {
    const inside = Buffer.concat(
      Array.from({ length: random.below(4) }, () => element(random, encoding, depth + 1)),
    );
    return isOpen
      ? [
          header(0xfffee000, '', 0xffffffff, encoding),
          inside,
          ...(random.chance(0.9) ? [header(0xfffee00d, '', 0, encoding)] : []),
        ]
      : [header(0xfffee000, '', inside.length + (random.chance(0.05) ? 8 : 0), encoding), inside];
  }).flat();
  const content = Buffer.concat(items);
  return Buffer.concat([
    header(tag, 'SQ', isOpen ? 0xffffffff : content.length, encoding),
    content,
    ...(isOpen && random.chance(0.9) ? [header(0xfffee0dd, '', 0, encoding)] : []),
  ]);
}

/** Very many of the smallest things there are: elements, items, items that hold open sequences. */
function flood(random: Random, encoding: TestEncoding): Buffer {
  const count = 1 + random.below(20_000);
  const open = header(0x00081140, 'SQ', 0xffffffff, encoding);
  const [one, inSequence] = random.pick([
    [() => Buffer.concat([header(0xfffee000, '', open.length, encoding), open]), true],
    [() => header(0xfffee000, '', 0, encoding), true],
    [() => Buffer.concat([open, header(0xfffee000, '', 0xffffffff, encoding)]), false],
    [(i: number) => header((0x00290000 + i) >>> 0, 'LO', 0, encoding), false],
  ] as const);
  const content = Buffer.concat(Array.from({ length: count }, (_, i) => one(i)));
  return inSequence
    ? Buffer.concat([header(0x52009230, 'SQ', content.length, encoding), content])
    : content;
}
