import { describe, expect, it } from 'vitest';
import { type Dataset, encodePart10 } from '../../../src/dicom/dataset.js';
import { readSourceDataset } from '../../../src/dicom/source-dataset.js';
import { patientAndStudy, procedureCode } from '../../../src/report/source-modules.js';

const source = (attributes: Dataset) =>
  readSourceDataset(encodePart10({ SOPClassUID: '1.2', SOPInstanceUID: '1.3', ...attributes }));

describe('patientAndStudy', () => {
  it('has every attribute of type 2 and no other, where the source has none', () => {
    expect(patientAndStudy(source({ StudyInstanceUID: '1.4' }))).toEqual({
      PatientName: '',
      PatientID: '',
      PatientBirthDate: '',
      PatientSex: '',
      StudyDate: '',
      StudyTime: '',
      ReferringPhysicianName: '',
      StudyID: '',
      AccessionNumber: '',
      StudyInstanceUID: '1.4',
    });
  });

  it.each([
    ['PatientBirthDate', '1970.01.31', '19700131'],
    ['PatientBirthDate', 'UNKNOWN', ''],
    ['PatientSex', 'MALE', ''],
    ['PatientSex', 'F', 'F'],
    ['StudyTime', '10:11', ''],
    ['StudyTime', '101112.123456', '101112.123456'],
    ['PatientAge', '45', undefined],
    ['PatientAge', '045Y', '045Y'],
    ['PatientWeight', '70,5', undefined],
  ])('writes %s %s as %s', (keyword, value, written) => {
    expect(patientAndStudy(source({ [keyword]: value }))[keyword]).toBe(written);
  });

  it('does not claim a de-identification without a method', () => {
    const copied = patientAndStudy(source({ PatientIdentityRemoved: 'YES' }));
    expect(copied['DeidentificationMethod']).toBe('Not stated by the source');
  });
});

describe('procedureCode', () => {
  it('takes the first code that is whole', () => {
    const whole = { CodeValue: '1', CodingSchemeDesignator: 'L', CodeMeaning: 'CT Kopf' };
    const sequence = [{ CodeValue: '0', CodingSchemeDesignator: 'L' }, whole];
    expect(procedureCode(source({ ProcedureCodeSequence: sequence }))).toEqual(whole);
    expect(procedureCode(source({}))).toBeUndefined();
  });
});
