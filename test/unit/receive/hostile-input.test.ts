import { describe, expect, it } from 'vitest';
import { encodeDataset } from '../../../src/dicom/dataset.js';
import { encodeFileMeta } from '../../../src/dicom/file-meta.js';
import { readHeader } from '../../../src/dicom/header.js';
import { readSourceDataset } from '../../../src/dicom/source-dataset.js';
import { readAssociateRequest } from '../../../src/receive/associate-request.js';
import { HeaderCollector } from '../../../src/receive/header-collector.js';
import { PduError } from '../../../src/receive/pdu.js';
import { patientAndStudy } from '../../../src/report/source-modules.js';
import {
  ctElements,
  ctPixels,
  dataset,
  header,
  type TestElement,
} from '../dicom-header/dataset-bytes.js';
import { associateRqBody, item } from './pdu-bytes.js';

const EXPLICIT = '1.2.840.10008.1.2.1';
const IMPLICIT = '1.2.840.10008.1.2';
const CT = '1.2.840.10008.5.1.4.1.1.2';

describe('long values', () => {
  const padded = (length: number) => `${' '.repeat(length)}1`;

  it('of the source leave a report what it can hold', () => {
    const elements: TestElement[] = [
      [0x00081030, 'LO', padded(2_000_000)],
      [0x00100010, 'PN', 'Doe^Jane'],
      [0x00100020, 'LO', 'P'.repeat(200_000)],
      [0x00101020, 'DS', `${'1'.repeat(200_000)}x`],
    ];
    const uids = { sopClassUid: CT, sopInstanceUid: '1.2', transferSyntaxUid: IMPLICIT };
    const bytes = dataset(ctElements(...elements), { explicitVr: false });
    const source = readSourceDataset(Buffer.concat([encodeFileMeta(uids), bytes]));
    const copied = patientAndStudy(source);
    expect(copied).toMatchObject({ PatientName: 'Doe^Jane', PatientID: '' });
    expect(encodeDataset(copied).length).toBeLessThan(1000);
  });

  it('of an association request are refused where they should be UIDs', () => {
    const body = (abstractSyntax: string) =>
      associateRqBody({ contexts: [{ id: 1, abstractSyntax, transferSyntaxes: [IMPLICIT] }] });
    expect(() => readAssociateRequest(body(padded(60_000)))).toThrow(PduError);
    expect(() => readAssociateRequest(body('1'.repeat(67)))).toThrow(PduError);
  });
});

it('an association request repeats a role as often as it likes and is answered once', () => {
  const role = Buffer.concat([Buffer.from([0, CT.length]), Buffer.from(CT), Buffer.from([1, 0])]);
  const userItems = Array.from({ length: 1500 }, () => item(0x54, role));
  expect(readAssociateRequest(associateRqBody({ userItems })).roles).toHaveLength(1);
});

describe('a sequence', () => {
  const sequenceOf = (item: Buffer, count: number) => {
    const content = Buffer.concat(Array.from({ length: count }, () => item));
    return Buffer.concat([
      dataset(ctElements(), { explicitVr: false }),
      header(0x52009230, 'SQ', content.length, { explicitVr: false }),
      content,
    ]);
  };

  it('is read once, even where each item claims all that follow', () => {
    const open = header(0x00209113, 'SQ', 0xffffffff, { explicitVr: false });
    const item = Buffer.concat([header(0xfffee000, '', open.length), open]);
    expect(readHeader(sequenceOf(item, 200_000), IMPLICIT).frames).toHaveLength(1);
  });

  it('of more items than an object has frames places none', () => {
    const bytes = sequenceOf(header(0xfffee000, '', 0), 100_000);
    expect(readHeader(bytes, IMPLICIT).frames).toHaveLength(1);
  });
});

it('frames that are claimed but not described take no space', () => {
  const bytes = dataset([...ctElements([0x00280008, 'IS', '16000']), ctPixels]);
  expect(readHeader(bytes, EXPLICIT).frames.length).toBeLessThanOrEqual(2);
});

it('a dataset of more elements than any header has is refused', () => {
  const element = (i: number) => header(0x00290000 + i, 'LO', 0);
  const flood = Buffer.concat(Array.from({ length: 100_000 }, (_, i) => element(i)));
  const bytes = Buffer.concat([dataset(ctElements()), flood]);
  expect(() => readHeader(bytes, EXPLICIT)).toThrow('too many elements');
});

it('a header that comes byte by byte takes little more memory than its bytes', () => {
  const collector = new HeaderCollector(EXPLICIT, 4 * 1024 * 1024);
  const bytes = dataset(
    ctElements([0x00090010, 'LO', 'T'], [0x00091001, 'OB', new Uint8Array(2e6)]),
  );
  const before = process.memoryUsage();
  for (let i = 0; i < 1_900_000; i += 1) collector.push(bytes.subarray(i, i + 1));
  const after = process.memoryUsage();
  const grown = after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers;
  expect(grown).toBeLessThan(40e6);
});
