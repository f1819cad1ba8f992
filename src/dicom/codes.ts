import type { ClassName, Presence } from '../domain/finding.js';
import type { Dataset } from './dataset.js';
import { shortText } from './short-text.js';

/** A coded entry (PS3.3 8.8). */
export interface Code {
  readonly value: string;
  readonly scheme: string;
  readonly meaning: string;
}

/** Vigil's own coding scheme, for what no confirmed code of a standard scheme says. */
export const LOCAL_SCHEME = '99VIGIL';

const dcm = (value: string, meaning: string): Code => ({ value, scheme: 'DCM', meaning });
const sct = (value: string, meaning: string): Code => ({ value, scheme: 'SCT', meaning });
const local = (value: string, meaning: string): Code => ({ value, scheme: LOCAL_SCHEME, meaning });

/** Concept names and values of the reports (PS3.16 Annex D, TID 1001 to 1501, 2010 and 4019). */
export const CODES = {
  imagingMeasurementReport: dcm('126000', 'Imaging Measurement Report'),
  language: dcm('121049', 'Language of Content Item and Descendants'),
  english: { value: 'en', scheme: 'RFC5646', meaning: 'English' },
  observerType: dcm('121005', 'Observer Type'),
  device: dcm('121007', 'Device'),
  deviceObserverUid: dcm('121012', 'Device Observer UID'),
  deviceObserverName: dcm('121013', 'Device Observer Name'),
  deviceObserverManufacturer: dcm('121014', 'Device Observer Manufacturer'),
  deviceObserverModelName: dcm('121015', 'Device Observer Model Name'),
  procedureReported: dcm('121058', 'Procedure reported'),
  ctOfHead: sct('303653007', 'CT of head'),
  impression: dcm('121073', 'Impression'),
  imageLibrary: dcm('111028', 'Image Library'),
  imageLibraryGroup: dcm('126200', 'Image Library Group'),
  imagingMeasurements: dcm('126010', 'Imaging Measurements'),
  measurementGroup: dcm('125007', 'Measurement Group'),
  qualitativeEvaluations: { value: 'C0034375', scheme: 'UMLS', meaning: 'Qualitative Evaluations' },
  trackingIdentifier: dcm('112039', 'Tracking Identifier'),
  trackingUid: dcm('112040', 'Tracking Unique Identifier'),
  finding: dcm('121071', 'Finding'),
  findingSite: sct('363698007', 'Finding Site'),
  source: sct('260753009', 'Source'),
  sourceOfMeasurement: dcm('121112', 'Source of Measurement'),
  algorithmName: dcm('111001', 'Algorithm Name'),
  algorithmVersion: dcm('111003', 'Algorithm Version'),
  algorithmManufacturer: dcm('122405', 'Algorithm Manufacturer'),
  algorithmParameters: dcm('111002', 'Algorithm Parameters'),
  algorithmFamily: dcm('111000', 'Algorithm Family'),
  artificialIntelligence: dcm('123110', 'Artificial Intelligence'),
  certaintyOfFinding: dcm('111012', 'Certainty of Finding'),
  percent: { value: '%', scheme: 'UCUM', meaning: 'Percent' },
  visualExplanation: dcm('130401', 'Visual explanation'),
  gradCam: dcm('130403', 'Grad-CAM'),
  method: sct('370129005', 'Measurement Method'),
  processingSummary: dcm('111017', 'CAD Processing and Findings Summary'),
  categoryOneActionable: {
    value: 'RID49480',
    scheme: 'RADLEX',
    meaning: 'ACR Category 1 Actionable Finding',
  },
  ofInterest: dcm('113000', 'Of Interest'),
  keyObjectDescription: dcm('113012', 'Key Object Description'),
  processingEquipment: dcm('109102', 'Processing Equipment'),
  sourceImageForProcessing: dcm('121322', 'Source image for image processing operation'),
  presence: local('PRESENCE', 'Presence of finding'),
  urgency: local('URGENCY', 'Urgency of finding'),
  outcome: local('OUTCOME', 'Outcome of analysis'),
  reason: local('REASON', 'Reason why not analysed'),
  conflict: local('CONFLICT', 'Conflict among the images received'),
  seriesVerdict: local('SERIES', 'Series considered'),
  reportUid: local('REPORT-UID', 'SOP Instance UID of structured report'),
  intendedUse: local('INTENDED-USE', 'Intended use'),
} as const satisfies Record<string, Code>;

/** What an order or a report in other standards than DICOM is about. */
export const TRIAGE_SERVICE = local('ICH-TRIAGE', 'Triage of head CT for intracranial hemorrhage');

/** CID 240 Present-Absent-Undetermined (PS3.16). */
export const PRESENCE_CODES: Readonly<Record<Presence, Code>> = {
  present: sct('52101004', 'Present'),
  absent: sct('272519000', 'Absent'),
  undetermined: sct('373068000', 'Undetermined'),
};

/** CID 6047 CAD Processing and Findings Summary (PS3.16), as far as one algorithm can say it. */
export const SUMMARY_CODES = {
  withoutFindings: dcm('111241', 'All algorithms succeeded; without findings'),
  withFindings: dcm('111242', 'All algorithms succeeded; with findings'),
  noneSucceeded: dcm('111245', 'No algorithms succeeded; without findings'),
} as const satisfies Record<string, Code>;

interface ClassCodes {
  readonly finding: Code;
  readonly site: Code;
}

/**
 * What each class of the model means. Subtypes and spaces whose SNOMED CT code is not confirmed stand in the local
 * scheme; 274110009, 75063001, 62414007, 396533000, 13830010 and 50490007 are in use elsewhere and wrong.
 */
export const CLASS_CODES: Readonly<Record<ClassName, ClassCodes>> = {
  any: {
    finding: sct('1386000', 'Intracranial hemorrhage'),
    site: sct('12738006', 'Brain'),
  },
  epidural: {
    finding: local('EDH', 'Epidural hemorrhage'),
    site: local('EPIDURAL-SPACE', 'Epidural space of head'),
  },
  intraparenchymal: {
    finding: sct('274100004', 'Cerebral hemorrhage'),
    site: sct('12738006', 'Brain'),
  },
  intraventricular: {
    finding: local('IVH', 'Intraventricular hemorrhage'),
    site: sct('35764002', 'Brain ventricle'),
  },
  subarachnoid: {
    finding: sct('21454007', 'Subarachnoid hemorrhage'),
    site: sct('35951006', 'Subarachnoid space'),
  },
  subdural: {
    finding: local('SDH', 'Subdural hemorrhage'),
    site: local('SUBDURAL-SPACE', 'Subdural space of head'),
  },
};

/** A coded entry as an item of a code sequence (PS3.3 Table 8.8-1); longer values have an attribute of their own. */
export function codeItem({ value, scheme, meaning }: Code): Dataset {
  return {
    ...(value.length > 16 ? { LongCodeValue: value } : { CodeValue: value }),
    CodingSchemeDesignator: scheme,
    CodeMeaning: shortText(meaning),
  };
}

/** HL7 v2.5.1 has 20 characters for a code (chapter 2A, CE). */
const ABBREVIATIONS: Readonly<Record<ClassName, string>> = {
  any: 'ANY',
  epidural: 'EDH',
  intraparenchymal: 'IPH',
  intraventricular: 'IVH',
  subarachnoid: 'SAH',
  subdural: 'SDH',
};

/** Where one code has to say which class a probability is of. */
export function probabilityCode(name: ClassName): Code {
  return local(
    `PROBABILITY-${ABBREVIATIONS[name]}`,
    `Probability of ${CLASS_CODES[name].finding.meaning}`,
  );
}

/** A reason's or an outcome's code, which is Vigil's own. */
export function localCode(value: string, meaning: string): Code {
  return local(value, meaning);
}

/** Coding Scheme Identification Sequence (PS3.3 C.12.1): who answers for the local scheme. */
export const CODING_SCHEME_IDENTIFICATION: readonly Dataset[] = [
  {
    CodingSchemeDesignator: LOCAL_SCHEME,
    CodingSchemeName: 'Vigil local codes',
    CodingSchemeResponsibleOrganization: 'Vigil project',
  },
];
