import { createHash } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { HeaderError, readHeader, scanHeader } from '../../../src/dicom/header.js';
import { contradicts } from '../../../src/domain/patient.js';
import { random } from '../receive/pdu-bytes.js';
import { ctElements, ctPixels, dataset, header, type TestElement } from './dataset-bytes.js';

const EXPLICIT = '1.2.840.10008.1.2.1';
const IMPLICIT = '1.2.840.10008.1.2';
const BIG_ENDIAN = '1.2.840.10008.1.2.2';
const DEFLATED = '1.2.840.10008.1.2.1.99';

const read = (...changes: TestElement[]) =>
  readHeader(dataset([...ctElements(...changes), ctPixels]), EXPLICIT);

function codeOf(act: () => unknown): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof HeaderError) return error.code;
    throw error;
  }
}

describe('readHeader', () => {
  it('reads what Vigil needs', () => {
    expect(read()).toEqual({
      sopClassUid: '1.2.840.10008.5.1.4.1.1.2',
      sopInstanceUid: '1.2.3.4.5',
      studyInstanceUid: '1.2.3',
      seriesInstanceUid: '1.2.3.4',
      transferSyntaxUid: EXPLICIT,
      patient: { id: createHash('sha256').update('P-17\0').digest('hex') },
      modality: 'CT',
      imageType: ['ORIGINAL', 'PRIMARY', 'AXIAL'],
      acquisitionDateTime: '202402291011125',
      instanceNumber: 7,
      samplesPerPixel: 1,
      photometricInterpretation: 'MONOCHROME2',
      rows: 4,
      columns: 4,
      bitsAllocated: 16,
      bitsStored: 12,
      highBit: 11,
      pixelRepresentation: 1,
      pixelPaddingValue: -2000,
      frames: [
        {
          imagePositionPatient: [-125, -120.5, 33.25],
          imageOrientationPatient: [1, 0, 0, 0, 1, 0],
          pixelSpacing: [0.5, 0.5],
          sliceThickness: 5,
          rescaleSlope: 1,
          rescaleIntercept: -1024,
        },
      ],
    });
  });

  it.each(['NaN', '1e999', '1,0', 'HU'])(
    'says that a Rescale Slope of "%s" is no number',
    (text) => {
      const [frame] = read([0x00281053, 'DS', text]).frames;
      expect(frame).toMatchObject({ rescaleUnreadable: true });
      expect(frame).not.toHaveProperty('rescaleSlope');
    },
  );

  const withSequence: TestElement[] = [
    ...ctElements([
      0x00081140,
      'SQ',
      [
        [[0x00081155, 'UI', '9.9.9']],
        [
          [0x00081155, 'UI', '9.9.8'],
          [0x0040a170, 'SQ', [[[0x00080100, 'SH', '121311']]]],
        ],
      ],
    ]),
    ctPixels,
  ];

  it.each([
    ['explicit little endian', EXPLICIT, {}],
    ['implicit little endian', IMPLICIT, { explicitVr: false }],
    ['explicit big endian', BIG_ENDIAN, { littleEndian: false }],
  ])('reads the same from %s, sequences of either length', (_, uid, encoding) => {
    const expected = { ...readHeader(dataset(withSequence), EXPLICIT), transferSyntaxUid: uid };
    for (const undefinedLengths of [false, true]) {
      const bytes = dataset(withSequence, { ...encoding, undefinedLengths });
      expect(readHeader(bytes, uid)).toEqual(expected);
    }
  });

  it('reads deflated datasets, from their beginning too', () => {
    const noise = Uint8Array.from({ length: 200_000 }, (_, i) => (i * i * 7919) % 251);
    const deflated = deflateRawSync(dataset([...ctElements(), [0x7fe00010, 'OW', noise]]));
    const expected = { ...read(), transferSyntaxUid: DEFLATED };
    expect(readHeader(deflated, DEFLATED)).toEqual(expected);
    expect(readHeader(deflated.subarray(0, deflated.length >> 1), DEFLATED)).toEqual(expected);
  });

  it('inflates no more than a header needs', () => {
    const bomb = deflateRawSync(
      Buffer.concat([
        dataset(ctElements()),
        header(0x7fe00010, 'OW', 64_000_000),
        Buffer.alloc(64_000_000),
      ]),
    );
    expect(readHeader(bomb, DEFLATED).sopInstanceUid).toBe('1.2.3.4.5');
  });

  it('passes over elements of unknown VRs and UN sequences', () => {
    const inner = dataset([[0x00091001, 'LO', 'x']], { explicitVr: false });
    const un = Buffer.concat([
      header(0x00091010, 'UN', 0xffffffff),
      header(0xfffee000, '', 0xffffffff),
      inner,
      header(0xfffee00d, '', 0),
      header(0xfffee0dd, '', 0),
    ]);
    const ov = dataset([[0x00091020, 'OV', new Uint8Array(16)]]);
    const [before, after] = [
      ctElements().filter(([tag]) => tag < 0x00091000),
      ctElements().filter(([tag]) => tag > 0x00091000),
    ];
    const bytes = Buffer.concat([dataset(before), un, ov, dataset([...after, ctPixels])]);
    expect(readHeader(bytes, EXPLICIT)).toEqual(read());
  });

  it('tells patients apart by ID and issuer, padding aside', () => {
    const same = read([0x00100020, 'LO', ' P-17 ']);
    const issued = read([0x00100021, 'LO', 'HOSPITAL']);
    const others = read([0x00100021, 'LO', 'CLINIC']);
    expect(same.patient).toEqual(read().patient);
    expect(contradicts(issued.patient, read().patient)).toBe(false);
    expect(contradicts(issued.patient, others.patient)).toBe(true);
  });

  it.each([
    ['Patient ID', [0x00100020, 'LO', 'P-18'], true],
    ['no Patient ID', [0x00100020, 'LO', ''], true],
    ['birth date', [0x00100030, 'DA', '19700102'], true],
    ['birth date in the old form', [0x00100030, 'DA', '1970.01.01'], false],
    ['birth date that is none', [0x00100030, 'DA', 'unknown'], false],
    ['sex', [0x00100040, 'CS', 'F'], true],
    ['sex that is not told', [0x00100040, 'CS', 'O'], false],
    ['name in other letters', [0x00100010, 'PN', 'DOE^JANE'], false],
    ['name with another separator', [0x00100010, 'PN', 'Doe, Jane'], false],
    ['Accession Number', [0x00080050, 'SH', 'A-2'], false],
  ] as const)('by what they say of the patient: another %s', (_, change, contradictory) => {
    const stated: TestElement[] = [
      [0x00080050, 'SH', 'A-1'],
      [0x00100010, 'PN', 'Doe^Jane'],
      [0x00100030, 'DA', '19700101'],
      [0x00100040, 'CS', 'M'],
    ];
    const one = read(...stated).patient;
    const [tag] = change;
    const other = read(...stated.filter(([own]) => own !== tag), change as TestElement).patient;
    expect(contradicts(one, other)).toBe(contradictory);
    expect(JSON.stringify(one)).not.toMatch(/Doe|P-17|1970/);
  });

  it('reads text in the character set of the dataset', () => {
    expect(
      read([0x00080005, 'CS', 'ISO_IR 192'], [0x0008103e, 'LO', 'Schädel']).seriesDescription,
    ).toBe('Schädel');
    const latin = Buffer.from('Schädel ', 'latin1');
    expect(read([0x0008103e, 'LO', latin]).seriesDescription).toBe('Schädel');
  });

  const messy: [string, TestElement[], string, unknown][] = [
    ['an empty DS', [[0x00181120, 'DS', '']], 'gantryDetectorTilt', undefined],
    ['a DS of blanks', [[0x00181120, 'DS', '    ']], 'gantryDetectorTilt', undefined],
    ['a padded DS', [[0x00181120, 'DS', '  +18.5 ']], 'gantryDetectorTilt', 18.5],
    ['a DS padded with a null', [[0x00181120, 'DS', '18.5\0\0']], 'gantryDetectorTilt', 18.5],
    ['a DS with an exponent', [[0x00181120, 'DS', '-1.5E+1']], 'gantryDetectorTilt', -15],
    ['a DS with a comma', [[0x00181120, 'DS', '18,5']], 'gantryDetectorTilt', undefined],
    ['a DS that is NaN', [[0x00181120, 'DS', 'NaN']], 'gantryDetectorTilt', undefined],
    ['a DS of several values', [[0x00181120, 'DS', '18.5\\20']], 'gantryDetectorTilt', 18.5],
    ['an IS with a fraction', [[0x00200013, 'IS', '7.0']], 'instanceNumber', 7],
    ['an IS that is none', [[0x00200013, 'IS', 'seven']], 'instanceNumber', undefined],
    ['a US of one byte', [[0x00280010, 'US', new Uint8Array(1)]], 'rows', undefined],
    ['an empty US', [[0x00280010, 'US', new Uint8Array(0)]], 'rows', undefined],
    [
      'a value of excessive length',
      [[0x00080070, 'LO', 'x'.repeat(20_000)]],
      'manufacturer',
      undefined,
    ],
    ['several kernels', [[0x00181210, 'SH', 'H31s\\3']], 'convolutionKernel', 'H31s\\3'],
    ['an empty Image Type', [[0x00080008, 'CS', '']], 'imageType', []],
    [
      'Acquisition DateTime',
      [[0x0008002a, 'DT', '20240229101112.5+0100']],
      'acquisitionDateTime',
      '202402291011125',
    ],
    [
      'a spectral Image Type',
      [[0x00080008, 'CS', 'DERIVED\\PRIMARY\\AXIAL\\VMI']],
      'spectral',
      true,
    ],
    ['a material map', [[0x00281054, 'LO', 'Z_EFF']], 'spectral', true],
    ['Hounsfield units', [[0x00281054, 'LO', 'HU']], 'spectral', undefined],
    [
      'an unsigned padding value',
      [
        [0x00280103, 'US', 0],
        [0x00280120, 'US', 63536],
      ],
      'pixelPaddingValue',
      63536,
    ],
  ];

  it.each(messy)('takes %s', (_, changes, property, expected) => {
    expect(Object.entries(read(...changes)).find(([name]) => name === property)?.[1]).toEqual(
      expected,
    );
  });

  it.each([
    ['two numbers', '1\\2'],
    ['a hole', '1\\\\3'],
    ['text', 'a\\b\\c'],
  ])('leaves out a position of %s', (_, value) => {
    expect(read([0x00200032, 'DS', value]).frames[0]).not.toHaveProperty('imagePositionPatient');
  });

  it('has no frames where there is no image', () => {
    const bytes = dataset(ctElements().filter(([tag]) => tag >>> 16 !== 0x0028));
    expect(readHeader(bytes, EXPLICIT).frames).toEqual([]);
  });

  it.each([0x00080016, 0x00080018, 0x0020000d, 0x0020000e])(
    'refuses a dataset without UID %i',
    (tag) => {
      const without = dataset([...ctElements().filter((element) => element[0] !== tag), ctPixels]);
      expect(codeOf(() => readHeader(without, EXPLICIT))).toBe('uid-missing');
      expect(codeOf(() => read([tag, 'UI', '']))).toBe('uid-missing');
    },
  );

  it.each([
    '../../etc/passwd',
    '1..2',
    '.1',
    '1.',
    '1.2/3',
    `1.${'2'.repeat(63)}`,
    '1.2 .3',
    'abc',
    '..',
  ])('refuses %j as a UID', (uid) => {
    expect(codeOf(() => read([0x00080018, 'UI', uid]))).toBe('uid-invalid');
  });

  it.each([
    ['text', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['nothing', Buffer.alloc(0)],
    ['zeros', Buffer.alloc(4096)],
    ['0xff', Buffer.alloc(4096, 0xff)],
    ['a Part 10 file', Buffer.concat([Buffer.alloc(128), Buffer.from('DICM')])],
  ])('refuses %s', (_, bytes) => {
    for (const uid of [EXPLICIT, IMPLICIT, BIG_ENDIAN, DEFLATED]) {
      expect(codeOf(() => readHeader(bytes, uid))).toBeDefined();
    }
  });

  it('refuses sequences nested without end', () => {
    const level = Buffer.concat([
      header(0x00081140, 'SQ', 0xffffffff),
      header(0xfffee000, '', 0xffffffff),
    ]);
    const bytes = Buffer.concat(Array.from({ length: 100_000 }, () => level));
    expect(codeOf(() => readHeader(bytes, EXPLICIT))).toBe('malformed');
  });

  it.each([
    ['explicit', EXPLICIT, {}],
    ['implicit', IMPLICIT, { explicitVr: false }],
    ['big endian', BIG_ENDIAN, { littleEndian: false }],
  ])('reads or refuses any bytes, and nothing else happens (%s)', (_, uid, encoding) => {
    const whole = dataset(withSequence, encoding);
    const next = random(3);
    for (let round = 0; round < 4000; round += 1) {
      const bytes = Buffer.from(whole);
      for (let change = 0; change < 1 + next() * 6; change += 1) {
        bytes[Math.floor(next() * bytes.length)] = Math.floor(next() * 256);
      }
      codeOf(() => readHeader(bytes, uid));
    }
  });

  it('names no value in an error', () => {
    const secret = dataset([
      [0x00100010, 'PN', 'Doe^Jane'],
      [0x00080018, 'UI', 'Doe^Jane'],
    ]);
    try {
      readHeader(secret, EXPLICIT);
    } catch (error) {
      expect(String(error)).not.toContain('Doe');
    }
    expect.assertions(1);
  });
});

describe('scanHeader', () => {
  const bytes = dataset([...ctElements(), ctPixels]);

  it('says how long the dataset is at least', () => {
    expect(scanHeader(bytes, EXPLICIT)).toMatchObject({
      endedAt: 'end-of-header',
      minimumLength: bytes.length,
    });
    const beginning = bytes.subarray(0, bytes.length - 32);
    expect(scanHeader(beginning, EXPLICIT).minimumLength).toBe(bytes.length);
  });

  it('says whether the header came whole, wherever the beginning ends', () => {
    for (let length = 0; length < bytes.length - 44; length += 1) {
      try {
        const { endedAt } = scanHeader(bytes.subarray(0, length), EXPLICIT);
        expect(endedAt).not.toBe('end-of-header');
      } catch (error) {
        expect(['truncated', 'uid-missing']).toContain((error as HeaderError).code);
      }
    }
  });

  it('knows no length for encapsulated pixel data', () => {
    const encapsulated = Buffer.concat([
      dataset(ctElements()),
      header(0x7fe00010, 'OB', 0xffffffff),
    ]);
    expect(scanHeader(encapsulated, EXPLICIT)).not.toHaveProperty('minimumLength');
  });
});

describe('frames of an enhanced image', () => {
  const shared: TestElement = [
    0x52009229,
    'SQ',
    [
      [
        [0x00209116, 'SQ', [[[0x00200037, 'DS', '1\\0\\0\\0\\1\\0']]]],
        [
          0x00289110,
          'SQ',
          [
            [
              [0x00180050, 'DS', '2.5'],
              [0x00280030, 'DS', '0.4\\0.4'],
            ],
          ],
        ],
        [
          0x00289145,
          'SQ',
          [
            [
              [0x00281052, 'DS', '-1024'],
              [0x00281053, 'DS', '1'],
            ],
          ],
        ],
      ],
    ],
  ];
  const positions = [0, 2.5, 5];
  const perFrame: TestElement = [
    0x52009230,
    'SQ',
    positions.map((z) => [
      [0x00209113, 'SQ', [[[0x00200032, 'DS', `-100\\-100\\${z}`]]]] as TestElement,
    ]),
  ];
  const enhanced: TestElement[] = [
    ...ctElements([0x00280008, 'IS', '3'], shared, perFrame).filter(
      ([tag]) =>
        ![0x00180050, 0x00200032, 0x00200037, 0x00280030, 0x00281052, 0x00281053].includes(tag),
    ),
    ctPixels,
  ];

  it.each([true, false])(
    'come from the functional groups (undefined lengths: %s)',
    (undefinedLengths) => {
      for (const [uid, encoding] of [
        [EXPLICIT, {}],
        [IMPLICIT, { explicitVr: false }],
      ] as const) {
        const { frames } = readHeader(dataset(enhanced, { ...encoding, undefinedLengths }), uid);
        expect(frames).toEqual(
          positions.map((z) => ({
            imagePositionPatient: [-100, -100, z],
            imageOrientationPatient: [1, 0, 0, 0, 1, 0],
            pixelSpacing: [0.4, 0.4],
            sliceThickness: 2.5,
            rescaleSlope: 1,
            rescaleIntercept: -1024,
          })),
        );
      }
    },
  );

  it('are one where a header claims an absurd number', () => {
    expect(read([0x00280008, 'IS', '2000000000']).frames).toHaveLength(1);
  });
});
