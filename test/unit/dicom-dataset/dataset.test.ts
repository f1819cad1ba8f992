import { describe, expect, it } from 'vitest';
import { attributeOf } from '../../../src/dicom/data-dictionary.js';
import { encodeDataset, encodePart10 } from '../../../src/dicom/dataset.js';
import { readSourceDataset } from '../../../src/dicom/source-dataset.js';

const UIDS = { SOPClassUID: '1.2.3', SOPInstanceUID: '1.2.3.4' };

describe('attributeOf', () => {
  it('gives tag and VR by keyword', () => {
    expect(attributeOf('PatientName')).toEqual({ tag: 0x00100010, vr: 'PN' });
    expect(attributeOf('PixelData')).toEqual({ tag: 0x7fe00010, vr: 'OB' });
  });

  it('refuses what is no keyword', () => {
    expect(() => attributeOf('PatientsName')).toThrow(RangeError);
    expect(() => attributeOf('toString')).toThrow(RangeError);
  });
});

describe('encodeDataset', () => {
  it.each([
    ['orders by tag', { Rows: 2, Modality: 'CT' }, '080060004353020043542800100055530200' + '0200'],
    ['pads text with a space', { Modality: 'OTH' }, '0800600043530400' + '4f544820'],
    ['pads a UID with a null', { SOPClassUID: '1.2' }, '0800160055490400' + '312e3200'],
    ['joins values', { ImageType: ['A', 'B'] }, '0800080043530400' + '415c4220'],
    ['writes an empty type 2', { PatientID: '' }, '100020004c4f0000'],
    ['leaves out undefined', { PatientID: undefined }, ''],
    ['writes a decimal string', { NumericValue: 12.5 }, '40000aa344530400' + '31322e35'],
    ['rounds an integer string', { InstanceNumber: 6.6 }, '2000130049530200' + '3720'],
    [
      'writes an empty sequence',
      { PerformedProcedureCodeSequence: [] },
      '400072a353510000' + '00000000',
    ],
    [
      'writes items with their lengths',
      { ReferencedStudySequence: [{ Rows: 1 }] },
      '0800101153510000' + '12000000' + 'feff00e00a000000' + '28001000555302000100',
    ],
    [
      'writes bytes as they are',
      { PixelData: Uint8Array.of(1, 2, 3) },
      'e07f10004f420000' + '04000000' + '01020300',
    ],
  ] as const)('%s', (_what, dataset, hex) => {
    expect(encodeDataset(dataset).toString('hex')).toBe(hex);
  });

  it.each([
    { SOPInstance: '1' },
    { ReferencedStudySequence: 'no items' },
    { PatientID: [{ Rows: 1 }] },
    { NumericValue: Number.NaN },
    { PatientID: 'x'.repeat(70_000) },
  ])('refuses %j', (dataset) => {
    expect(() => encodeDataset(dataset)).toThrow(RangeError);
  });

  it('keeps a decimal string within 16 bytes', () => {
    const value = encodeDataset({ NumericValue: -1 / 3e5 }).subarray(8);
    expect(value.length).toBeLessThanOrEqual(16);
    expect(Number(value.toString('latin1'))).toBeCloseTo(-1 / 3e5, 12);
  });
});

describe('encodePart10', () => {
  it('writes UTF-8 and says so, whatever the dataset says', () => {
    const part10 = encodePart10({
      ...UIDS,
      SpecificCharacterSet: 'ISO_IR 100',
      PatientName: '山田^太郎',
      StudyDescription: 'Schädel',
    });
    const source = readSourceDataset(part10);
    expect(source.values('SpecificCharacterSet')).toEqual(['ISO_IR 192']);
    expect(source.text('PatientName')).toBe('山田^太郎');
    expect(source.text('StudyDescription')).toBe('Schädel');
  });

  it('reads back sequences and several values', () => {
    const part10 = encodePart10({
      ...UIDS,
      ProcedureCodeSequence: [{ CodeValue: 'A' }, { CodeMeaning: 'Kopf ü' }],
      ImageType: ['ORIGINAL', 'PRIMARY'],
    });
    const source = readSourceDataset(part10);
    const [first, second] = source.items('ProcedureCodeSequence');
    expect(first?.text('CodeValue')).toBe('A');
    expect(second?.text('CodeMeaning')).toBe('Kopf ü');
    expect(source.values('ImageType')).toEqual(['ORIGINAL', 'PRIMARY']);
    expect(source.values('PatientID')).toEqual([]);
    expect(source.text('PatientID')).toBe('');
    expect(source.items('ReferencedStudySequence')).toEqual([]);
  });
});

describe('readSourceDataset', () => {
  it('refuses what is no Part 10 file', () => {
    expect(() => readSourceDataset(Buffer.alloc(200))).toThrow(RangeError);
  });

  it('gives what stands before the place where the file was cut off', () => {
    const part10 = encodePart10({ ...UIDS, PatientID: 'X-1', PixelData: Buffer.alloc(100) });
    expect(readSourceDataset(part10.subarray(0, -50)).text('PatientID')).toBe('X-1');
  });
});
