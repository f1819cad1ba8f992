import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, normalize, sep } from 'node:path';
import { pino } from 'pino';
import { encodeDataset } from '../../../src/dicom/dataset.js';
import { encodeFileMeta } from '../../../src/dicom/file-meta.js';
import { HeaderError, type HeaderReading } from '../../../src/dicom/header.js';
import { readSourceDataset } from '../../../src/dicom/source-dataset.js';
import { HeaderCollector } from '../../../src/receive/header-collector.js';
import { DEFAULT_LIMITS } from '../../../src/receive/store-scp.js';
import { patientAndStudy } from '../../../src/report/source-modules.js';
import { InstanceFiles } from '../../../src/store/instance-files.js';
import { random as numbers, split } from '../../unit/receive/pdu-bytes.js';
import type { Target } from '../target.js';
import { canonical, elementsOf, SYNTAXES } from './dataset-grammar.js';
import { PATIENT } from './session.js';

const folder = mkdtempSync(join(tmpdir(), 'vigil-fuzz-'));
const log = pino({ level: 'silent' });
const files = await InstanceFiles.open(folder, { minimumFreeBytes: 0, log });

/**
 * A dataset as it arrives: the first byte chooses the transfer syntax, the second how it is cut. Its header is read on
 * the way, and where that succeeds, so must all that a report takes from the stored file.
 */
export const target: Target = {
  seeds: () => SYNTAXES.flatMap((_, i) => [0, 3].map((cuts) => canonical(i, cuts))),
  dictionary: [
    ...['SQ', 'UN', 'OB', 'OW', 'UT', 'PN', 'US', 'UC', 'OV', 'ZZ'].map((vr) => Buffer.from(vr)),
    ...['ffffffff', 'feff00e0ffffffff', 'feff0de000000000', 'feffdde000000000', 'e07f1000'].map(
      (hex) => Buffer.from(hex, 'hex'),
    ),
    ...[
      'ISO_IR 192',
      '\\ISO 2022 IR 87',
      'GB18030',
      '\x1b$B',
      '\x1b(B',
      '..\\..\\..',
      '../../..',
    ].map((text) => Buffer.from(text, 'latin1')),
    Buffer.alloc(600, 0x20),
    Buffer.from('1'.repeat(400)),
    Buffer.from('0020320000', 'hex'),
  ],
  generate: (random) => {
    const syntax = random.below(SYNTAXES.length);
    return Buffer.concat([Buffer.from([syntax, random.below(20)]), elementsOf(random, syntax)]);
  },
  longest: 1024 * 1024,
  memoryLimitMb: 512,
  run: (input) => {
    const syntax = SYNTAXES[(input[0] ?? 0) % SYNTAXES.length] as string;
    const bytes = input.subarray(2);
    const reading = received(bytes, syntax, input[1] ?? 0);
    if (!reading) return;
    const { header } = reading;
    const path = files.instancePath(header);
    if (normalize(path) !== path || path.split(sep).length !== 4 || path.includes('..')) {
      throw new Error(`The path ${path} leaves its folder`);
    }
    const meta = encodeFileMeta({ ...header, transferSyntaxUid: syntax });
    const source = readSourceDataset(Buffer.concat([meta, bytes]));
    encodeDataset(patientAndStudy(source));
  },
  close: async () => {
    await files[Symbol.asyncDispose]();
    rmSync(folder, { recursive: true });
  },
};

function received(bytes: Buffer, syntax: string, cuts: number): HeaderReading | undefined {
  const { maximumHeaderBytes } = DEFAULT_LIMITS;
  const collector = new HeaderCollector(syntax, maximumHeaderBytes);
  try {
    const pieces = cuts === 0 ? [bytes] : split(bytes, numbers(cuts), 2 ** (cuts % 17));
    for (const piece of pieces) collector.push(piece);
    return collector.end();
  } catch (error) {
    if (!(error instanceof HeaderError)) throw error;
    if (error.message.includes(PATIENT)) throw new Error('An error names a patient');
    return undefined;
  }
}
