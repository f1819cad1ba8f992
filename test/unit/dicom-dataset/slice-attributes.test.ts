import { describe, expect, it } from 'vitest';
import { encodeDataset } from '../../../src/dicom/dataset.js';
import { encodeFileMeta } from '../../../src/dicom/file-meta.js';
import { explicitToImplicit } from '../../../src/dicom/implicit-vr.js';
import { readSliceAttributes } from '../../../src/dicom/slice-attributes.js';

const DATASET = encodeDataset({
  SpecificCharacterSet: 'ISO_IR 192',
  ImageType: ['ORIGINAL', 'PRIMARY', 'AXIAL'],
  SeriesDescription: 'Schädel',
  SliceThickness: '5.0 ',
  RequestAttributesSequence: [
    { RequestedProcedureID: 'A' },
    { RequestedProcedureID: 'B', RequestedProcedureCodeSequence: [{ CodeValue: 'C' }] },
  ],
  Rows: 512,
  PixelData: Buffer.alloc(64),
});

const part10 = (transferSyntaxUid: string, dataset: Uint8Array): Buffer => {
  const meta = { sopClassUid: '1.2', sopInstanceUid: '1.3', transferSyntaxUid };
  return Buffer.concat([encodeFileMeta(meta), dataset]);
};

const EXPLICIT = '1.2.840.10008.1.2.1';
const IMPLICIT = '1.2.840.10008.1.2';
const explicit = part10(EXPLICIT, DATASET);

describe('readSliceAttributes', () => {
  it.each([
    [EXPLICIT, explicit],
    [IMPLICIT, part10(IMPLICIT, explicitToImplicit(DATASET))],
  ])('reads texts, numbers and items in %s', (syntax, file) => {
    const slice = readSliceAttributes(file, true);
    expect(slice?.values('ImageType')).toEqual(['ORIGINAL', 'PRIMARY', 'AXIAL']);
    expect(slice?.values('SeriesDescription')).toEqual(['Schädel']);
    expect(slice?.values('SliceThickness')).toEqual(['5.0']);
    expect(slice?.values('Rows')).toEqual(['512']);
    expect(slice?.values('RequestAttributesSequence.RequestedProcedureID')).toEqual(['A', 'B']);
    const nested = 'RequestAttributesSequence.RequestedProcedureCodeSequence.CodeValue';
    expect(slice?.values(nested)).toEqual(['C']);
    expect(slice?.values('TransferSyntaxUID')).toEqual([syntax]);
    expect(slice?.values('PatientID')).toEqual([]);
  });

  it('needs no pixels, and tells a beginning that is too short', () => {
    expect(readSliceAttributes(explicit.subarray(0, -40), false)?.values('Rows')).toEqual(['512']);
    for (let length = 0; length < explicit.length - 76; length += 1) {
      expect(readSliceAttributes(explicit.subarray(0, length), false)).toBeUndefined();
    }
  });

  it('takes an object without pixels for whole where it is', () => {
    const file = part10(EXPLICIT, encodeDataset({ SeriesDescription: 'report' }));
    expect(readSliceAttributes(file, true)?.values('SeriesDescription')).toEqual(['report']);
    expect(readSliceAttributes(file, false)).toBeUndefined();
  });
});
