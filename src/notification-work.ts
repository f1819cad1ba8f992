import { derivedUid } from './dicom/derived-uid.js';
import type { SliceAttributes } from './domain/condition.js';
import type { Finding } from './domain/finding.js';
import type { StoredInstance } from './domain/instance.js';
import type { Notification, PatientContext } from './domain/notification.js';
import type { MadeObjectRow, NotificationObject } from './domain/result-object.js';
import { urgencyOf } from './domain/urgency.js';
import { HEADLINES, impression } from './report/wording.js';
import { readSlice } from './routing-facts.js';

interface NotifiedFinding {
  readonly studyInstanceUid: string;
  readonly revision: number;
  /** Milliseconds since the epoch. */
  readonly analysedAt: number;
  readonly finding: Finding;
}

/**
 * What channels are told of a finding, and of the objects that were made of it. The patient is read from the first of the
 * images whose header can be: without one the notification goes out all the same, and names the study alone.
 */
export async function composeNotification(
  { studyInstanceUid, revision, analysedAt, finding }: NotifiedFinding,
  images: readonly StoredInstance[],
  objects: readonly MadeObjectRow[],
  researchText: string,
): Promise<NotificationObject> {
  const uid = derivedUid(['notification', studyInstanceUid, `${revision}`, `${analysedAt}`]);
  const { outcome, reason, classes, model } = finding;
  const reports = objects
    .filter(({ kind }) => kind === 'sr')
    .map(({ sopClassUid, sopInstanceUid }) => ({ sopClassUid, sopInstanceUid }));
  const notification: Notification = {
    uid,
    studyInstanceUid,
    revision,
    outcome,
    urgency: urgencyOf(outcome),
    ...(reason && { reason }),
    headline: HEADLINES[outcome],
    impression: impression(finding, researchText, []),
    classes: classes.map(({ name, probability, presence }) => ({ name, probability, presence })),
    ...(reports.length > 0 && { reports }),
    model: { name: model.name, version: model.version },
    analysedAt,
    patient: await patientOf(images),
  };
  return {
    kind: 'notification',
    sopClassUid: '',
    sopInstanceUid: uid,
    seriesInstanceUid: uid,
    transferSyntaxUid: '',
    json: Buffer.from(JSON.stringify(notification)),
  };
}

const KEYWORDS = {
  patientName: 'PatientName',
  patientId: 'PatientID',
  issuerOfPatientId: 'IssuerOfPatientID',
  patientBirthDate: 'PatientBirthDate',
  patientSex: 'PatientSex',
  accessionNumber: 'AccessionNumber',
  studyId: 'StudyID',
  studyDate: 'StudyDate',
  studyTime: 'StudyTime',
  studyDescription: 'StudyDescription',
  referringPhysicianName: 'ReferringPhysicianName',
  placerOrderNumber: 'PlacerOrderNumberImagingServiceRequest',
  fillerOrderNumber: 'FillerOrderNumberImagingServiceRequest',
} as const satisfies Record<keyof PatientContext, string>;

async function patientOf(images: readonly StoredInstance[]): Promise<PatientContext> {
  let slice: SliceAttributes | undefined;
  for (const { file } of images) {
    slice = await readSlice(file);
    if (slice !== undefined) break;
  }
  const entries = Object.entries(KEYWORDS).flatMap(([key, keyword]) => {
    const value = slice?.values(keyword)[0] ?? '';
    return value === '' ? [] : [[key, value] as const];
  });
  return Object.fromEntries(entries);
}
