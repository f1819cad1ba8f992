import dicomParser from 'dicom-parser';
import { describe, expect, it } from 'vitest';
import { encodeDataset } from '../../../src/dicom/dataset.js';
import { encodeFileMeta } from '../../../src/dicom/file-meta.js';
import { explicitToImplicit } from '../../../src/dicom/implicit-vr.js';
import {
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
} from '../../../src/dicom/transfer-syntaxes.js';
import { element, sequence } from '../../integration/deliver/objects.js';

/** Every value of a dataset by its path of tags and item numbers. */
function valuesOf(dataset: dicomParser.DataSet, path = ''): Map<string, string> {
  const values = new Map<string, string>();
  for (const [tag, found] of Object.entries(dataset.elements)) {
    if (found.items === undefined) {
      const bytes = dataset.byteArray.subarray(found.dataOffset, found.dataOffset + found.length);
      values.set(`${path}/${tag}`, Buffer.from(bytes).toString('hex'));
    }
    for (const [i, item] of (found.items ?? []).entries()) {
      if (item.dataSet === undefined) continue;
      for (const [key, value] of valuesOf(item.dataSet, `${path}/${tag}[${i}]`)) {
        values.set(key, value);
      }
    }
  }
  return values;
}

function parsed(dataset: Buffer, transferSyntaxUid: string): Map<string, string> {
  const instance = { sopClassUid: '1.2', sopInstanceUid: '2.25.1', transferSyntaxUid };
  const values = valuesOf(
    dicomParser.parseDicom(Buffer.concat([encodeFileMeta(instance), dataset])),
  );
  for (const key of values.keys()) if (key.startsWith('/x0002')) values.delete(key);
  return values;
}

describe('explicitToImplicit', () => {
  it('keeps every value of a report-like tree', () => {
    const explicit = encodeDataset({
      SOPInstanceUID: '2.25.1',
      PatientName: 'Müller^Synthetic',
      ContentSequence: [
        {
          ValueType: 'CONTAINER',
          ConceptNameCodeSequence: [{ CodeValue: '126000', CodingSchemeDesignator: 'DCM' }],
          ContentSequence: [{ ValueType: 'TEXT', TextValue: 'x'.repeat(70_001) }, {}],
        },
      ],
      ReferencedStudySequence: [],
      Rows: 512,
      PixelData: new Uint8Array([1, 2, 3, 4]),
    });
    const implicit = explicitToImplicit(explicit);
    expect(parsed(implicit, IMPLICIT_VR_LITTLE_ENDIAN)).toEqual(
      parsed(explicit, EXPLICIT_VR_LITTLE_ENDIAN),
    );
    expect(parsed(implicit, IMPLICIT_VR_LITTLE_ENDIAN).size).toBe(9);
  });

  it('reads sequences and items of either kind of length, and leaves group lengths out', () => {
    const explicit = Buffer.concat([
      element(0x00080000, 'UL', Buffer.from([4, 0, 0, 0])),
      element(0x00080018, 'UI', '1.2'),
      sequence(0x00081140, element(0x00081155, 'UI', '1.2.3')),
    ]);
    expect(explicitToImplicit(explicit).toString('hex')).toBe(
      [
        '08001800' + '04000000' + '312e3200',
        '08004011' + 'ffffffff',
        'feff00e0' + 'ffffffff',
        '08005511' + '06000000' + '312e322e3300',
        'feff0de0' + '00000000',
        'feffdde0' + '00000000',
      ].join(''),
    );
  });

  it.each([
    ['cut off', element(0x00080018, 'UI', '1.2.3').subarray(0, 10)],
    ['ending in a header', Buffer.from([8, 0, 24])],
    ['with a stray delimiter', Buffer.from('feff0de000000000', 'hex')],
    ['with encapsulated pixels', Buffer.from('e07f10004f420000ffffffff', 'hex')],
  ])('refuses a dataset %s', (_, dataset) => {
    expect(() => explicitToImplicit(dataset)).toThrow(RangeError);
  });
});
