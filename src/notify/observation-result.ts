import { createHash } from 'node:crypto';
import {
  CLASS_CODES,
  CODES,
  type Code,
  localCode,
  PRESENCE_CODES,
  probabilityCode,
  TRIAGE_SERVICE,
} from '../dicom/codes.js';
import { shortText } from '../dicom/short-text.js';
import { isAnalysed } from '../domain/finding.js';
import type { Notification, PatientContext } from '../domain/notification.js';
import {
  components,
  ENCODING,
  escaped,
  localTime,
  personName,
  segment,
  timestamp,
} from './hl7-text.js';

export interface MessageOptions {
  readonly sendingApplication: string;
  readonly sendingFacility?: string | undefined;
  readonly receivingApplication?: string | undefined;
  readonly receivingFacility?: string | undefined;
  readonly processingId: 'production' | 'training' | 'debugging';
  readonly patientData: boolean;
}

/** MSH-10, at most 20 characters (HL7 v2.5.1 chapter 2): the same in each attempt, so that a receiver knows a repeat. */
export function controlId({ uid }: Notification): string {
  return createHash('sha256').update(uid).digest('hex').slice(0, 20).toUpperCase();
}

/**
 * A finding as ORU^R01 (HL7 v2.5.1 chapter 7), the same bytes each time: one order with one observation a segment. The order
 * is named always, the patient only where asked for.
 */
export function observationResult(notification: Notification, options: MessageOptions): string {
  const { patient } = notification;
  const segments = [
    header(notification, options),
    ...(options.patientData ? identification(patient) : []),
    ...orderOf(notification),
    ...observationsOf(notification).map((one, index) =>
      observationSegment(one, index, notification),
    ),
  ];
  return segments.map((one) => `${one}\r`).join('');
}

function header(notification: Notification, options: MessageOptions): string {
  const { sendingApplication, sendingFacility, receivingApplication, receivingFacility } = options;
  // MSH-1 is the separator itself: the fields from MSH-2 on.
  return segment('MSH', {
    1: ENCODING.slice(1),
    2: sendingApplication,
    3: sendingFacility,
    4: receivingApplication,
    5: receivingFacility,
    6: timestamp(notification.analysedAt),
    8: 'ORU^R01^ORU_R01',
    9: controlId(notification),
    10: options.processingId.charAt(0).toUpperCase(),
    11: '2.5.1',
    17: 'UNICODE UTF-8',
  });
}

/** Table 0001, as far as Patient's Sex (0010,0040) has it. */
const SEXES: Readonly<Record<string, string>> = { M: 'M', F: 'F', O: 'O' };

/** A legal name that is empty, and one of type U, unspecified: what HL7 recommends, as PID-5 is required (3.4.2.5). */
const NO_NAME = '~^^^^^^U';

/** None without a Patient ID, which PID-3 requires; ORU^R01 does without the segment. */
function identification(patient: PatientContext): string[] {
  const { patientId, issuerOfPatientId, patientName = '', patientBirthDate, patientSex } = patient;
  if (!patientId) return [];
  return [
    segment('PID', {
      1: '1',
      3: components(patientId, '', '', issuerOfPatientId, 'PI'),
      5: personName(patientName) || NO_NAME,
      7: localTime(patientBirthDate),
      8: SEXES[patientSex ?? ''] ?? 'U',
    }),
  ];
}

/** A result is final, and a later one of the same study corrects it (tables 0085 and 0123). */
const statusOf = ({ revision }: Notification) => (revision > 1 ? 'C' : 'F');

/** ORC and OBR. */
function orderOf(notification: Notification): string[] {
  const { patient, studyInstanceUid, analysedAt } = notification;
  const { accessionNumber, placerOrderNumber, fillerOrderNumber, studyDate, studyTime } = patient;
  const placer = components(placerOrderNumber ?? accessionNumber);
  // A result without an order's number belongs to its study.
  const filler = components(fillerOrderNumber ?? accessionNumber ?? studyInstanceUid);
  return [
    segment('ORC', { 1: 'RE', 2: placer, 3: filler }),
    segment('OBR', {
      1: '1',
      2: placer,
      3: filler,
      4: coded(TRIAGE_SERVICE),
      7: localTime(studyDate, studyTime),
      18: components(accessionNumber),
      22: timestamp(analysedAt),
      24: 'CT',
      25: statusOf(notification),
    }),
  ];
}

/** One OBX; `value` and `units` are encoded already. */
interface Observation {
  readonly type: 'CE' | 'NM' | 'ST' | 'TX' | 'HD';
  readonly code: Code;
  readonly value: string;
  readonly group?: number;
  readonly units?: string;
  readonly flag?: string | undefined;
  readonly status?: string;
}

function observationSegment(
  { type, code, value, group, units, flag, status }: Observation,
  index: number,
  notification: Notification,
): string {
  return segment('OBX', {
    1: String(index + 1),
    2: type,
    3: coded(code),
    4: group?.toString(),
    5: value,
    6: units,
    8: flag,
    11: status ?? statusOf(notification),
    14: timestamp(notification.analysedAt),
  });
}

/** CE (chapter 2A) has 20 characters for a code and 199 for its text: a longer code is sent as text. */
function coded({ value, meaning, scheme }: Code): string {
  if (value.length > 20) return components('', shortText(`${value}: ${meaning}`, 199));
  return components(value, shortText(meaning, 199), scheme);
}

function observationsOf(notification: Notification): Observation[] {
  const { studyInstanceUid, reports = [], reason, impression, model } = notification;
  return [
    outcomeOf(notification),
    ...classesOf(notification),
    ...(reason === undefined
      ? []
      : [
          {
            type: 'CE',
            code: CODES.reason,
            value: coded(localCode(reason.code, reason.text)),
          } as const,
        ]),
    { type: 'TX', code: CODES.impression, value: escaped(impression) },
    { type: 'ST', code: CODES.algorithmName, value: escaped(model.name) },
    { type: 'ST', code: CODES.algorithmVersion, value: escaped(model.version) },
    { type: 'HD', code: DICOM_STUDY, value: uidOf(studyInstanceUid) },
    ...reports.map(
      ({ sopInstanceUid }, index) =>
        ({
          type: 'HD',
          code: CODES.reportUid,
          value: uidOf(sopInstanceUid),
          group: index + 1,
        }) as const,
    ),
  ];
}

/** HD with a universal ID alone (chapter 2A). */
const uidOf = (uid: string) => components('', uid, 'ISO');

/** DCM 113014 (PS3.16 Annex D), by which results in HL7 v2 refer to images. */
const DICOM_STUDY: Code = { value: '113014', scheme: 'DCM', meaning: 'DICOM Study' };

/**
 * What a series that was not read has is no result: its status says that none can be had (X, table 0085), its flag is
 * never that of a normal one (table 0078).
 */
function outcomeOf({ outcome, headline }: Notification): Observation {
  return {
    type: 'CE',
    code: CODES.outcome,
    value: coded(localCode(outcome.toUpperCase(), headline)),
    ...(outcome === 'positive' && { flag: 'AA' }),
    ...(outcome === 'negative' && { flag: 'N' }),
    ...(!isAnalysed(outcome) && { status: 'X' }),
  };
}

/** Whether each class is there, and how probable it is; the two share a sub-identifier. */
function classesOf({ classes }: Notification): Observation[] {
  return classes.flatMap(({ name, probability, presence }, index): Observation[] => {
    const { finding } = CLASS_CODES[name];
    const group = index + 1;
    return [
      {
        type: 'CE',
        code: finding,
        group,
        value: coded(PRESENCE_CODES[presence]),
        ...(presence === 'present' && { flag: 'A' }),
      },
      {
        type: 'NM',
        code: probabilityCode(name),
        group,
        value: (probability * 100).toFixed(1),
        units: coded(CODES.percent),
      },
    ];
  });
}
