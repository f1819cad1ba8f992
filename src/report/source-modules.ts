import type { Dataset } from '../dicom/dataset.js';
import { DECIMAL } from '../dicom/header-values.js';
import type { SourceDataset } from '../dicom/source-dataset.js';

/** Attributes that are copied as they are, decoded: Patient, General Study and Patient Study (PS3.3 C.7.1.1, C.7.2). */
const TYPE_2 = [
  'PatientName',
  'PatientID',
  'PatientBirthDate',
  'PatientSex',
  'StudyDate',
  'StudyTime',
  'ReferringPhysicianName',
  'StudyID',
  'AccessionNumber',
] as const;
const TYPE_3 = [
  'IssuerOfPatientID',
  'PatientBirthTime',
  'OtherPatientNames',
  'EthnicGroup',
  'PatientComments',
  'PatientIdentityRemoved',
  'DeidentificationMethod',
  'StudyDescription',
  'PhysiciansOfRecord',
  'NameOfPhysiciansReadingStudy',
  'AdmittingDiagnosesDescription',
  'PatientAge',
  'PatientSize',
  'PatientWeight',
  'Occupation',
  'TimezoneOffsetFromUTC',
] as const;

/** What a value of these must look like to be copied; devices write others, which no reader could use (PS3.5 6.2). */
const FORMS: Readonly<Record<string, RegExp>> = {
  PatientBirthDate: /^\d{8}$/,
  StudyDate: /^\d{8}$/,
  PatientBirthTime: /^\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?$/,
  StudyTime: /^\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?$/,
  PatientSex: /^[MFO]$/,
  PatientIdentityRemoved: /^(YES|NO)$/,
  PatientAge: /^\d{3}[DWMY]$/,
  PatientSize: DECIMAL,
  PatientWeight: DECIMAL,
  TimezoneOffsetFromUTC: /^[+-]\d{4}$/,
};

/** Patient and study of the source, for an object of the same study. */
export function patientAndStudy(source: SourceDataset): Dataset {
  const copied: Record<string, string | readonly string[]> = {};
  for (const keyword of TYPE_2) copied[keyword] = valuesOf(source, keyword) ?? '';
  for (const keyword of TYPE_3) {
    const values = valuesOf(source, keyword);
    if (values) copied[keyword] = values;
  }
  const procedures = source.items('ProcedureCodeSequence').map(codeOf).filter(isCode);
  return {
    ...copied,
    ...(copied['PatientIdentityRemoved'] === 'YES' && !copied['DeidentificationMethod']
      ? { DeidentificationMethod: 'Not stated by the source' }
      : {}),
    StudyInstanceUID: source.text('StudyInstanceUID'),
    ...(procedures.length > 0 ? { ProcedureCodeSequence: procedures } : {}),
  };
}

/** The first code of the procedure that the source's study is said to be. */
export function procedureCode(source: SourceDataset): Dataset | undefined {
  return source.items('ProcedureCodeSequence').map(codeOf).find(isCode);
}

function valuesOf(source: SourceDataset, keyword: string): string | readonly string[] | undefined {
  const form = FORMS[keyword];
  if (form) {
    // Legacy dates have dots between their parts (PS3.5 Table 6.2-1, DA, note 1).
    const value = keyword.endsWith('Date')
      ? source.text(keyword).replaceAll('.', '')
      : source.text(keyword);
    return form.test(value) ? value : undefined;
  }
  const values = source.values(keyword);
  if (values.length === 0) return undefined;
  return values.length === 1 ? values[0] : values;
}

function codeOf(item: SourceDataset): Dataset {
  const optional = item.text('CodingSchemeVersion');
  return {
    CodeValue: item.text('CodeValue'),
    CodingSchemeDesignator: item.text('CodingSchemeDesignator'),
    ...(optional ? { CodingSchemeVersion: optional } : {}),
    CodeMeaning: item.text('CodeMeaning'),
  };
}

function isCode(code: Dataset): boolean {
  return Boolean(code['CodeValue'] && code['CodingSchemeDesignator'] && code['CodeMeaning']);
}
