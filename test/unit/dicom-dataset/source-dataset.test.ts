import { deflateRawSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { encodeDataset } from '../../../src/dicom/dataset.js';
import { encodeFileMeta } from '../../../src/dicom/file-meta.js';
import { explicitToImplicit } from '../../../src/dicom/implicit-vr.js';
import { readSourceDataset } from '../../../src/dicom/source-dataset.js';

const DATASET = {
  SpecificCharacterSet: 'ISO_IR 100',
  PatientName: Buffer.from('M\xfcller^J\xf6rg', 'latin1'),
  PatientID: '  4711 ',
  ProcedureCodeSequence: [
    { CodeValue: 'A', CodeMeaning: Buffer.from('Sch\xe4del', 'latin1') },
    { SpecificCharacterSet: 'ISO_IR 192', CodeMeaning: 'Schädel' },
  ],
};

const explicit = encodeDataset(DATASET);

/** (0010,0010) PN and (0010,0020) LO in Explicit VR Big Endian. */
const BIG_ENDIAN = Buffer.from('00100010504e0004456e645e001000204c4f00023432', 'hex');

function part10(transferSyntaxUid: string, dataset: Uint8Array): Buffer {
  const meta = { sopClassUid: '1.2', sopInstanceUid: '1.3', transferSyntaxUid };
  return Buffer.concat([encodeFileMeta(meta), dataset]);
}

describe('readSourceDataset', () => {
  it.each([
    ['Explicit VR Little Endian', '1.2.840.10008.1.2.1', explicit],
    ['Implicit VR Little Endian', '1.2.840.10008.1.2', explicitToImplicit(explicit)],
    ['deflated', '1.2.840.10008.1.2.1.99', deflateRawSync(explicit)],
    ['encapsulated', '1.2.840.10008.1.2.4.70', explicit],
  ])('reads %s', (_name, transferSyntaxUid, dataset) => {
    const source = readSourceDataset(part10(transferSyntaxUid, dataset));
    expect(source.text('PatientName')).toBe('Müller^Jörg');
    expect(source.text('PatientID')).toBe('4711');
    const meanings = source.items('ProcedureCodeSequence').map((item) => item.text('CodeMeaning'));
    expect(meanings).toEqual(['Schädel', 'Schädel']);
  });

  it('reads Explicit VR Big Endian', () => {
    const source = readSourceDataset(part10('1.2.840.10008.1.2.2', BIG_ENDIAN));
    expect(source.text('PatientName')).toBe('End^');
    expect(source.text('PatientID')).toBe('42');
  });
});
