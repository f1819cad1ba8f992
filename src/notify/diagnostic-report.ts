import {
  CLASS_CODES,
  CODES,
  type Code,
  LOCAL_SCHEME,
  localCode,
  PRESENCE_CODES,
  probabilityCode,
  TRIAGE_SERVICE,
} from '../dicom/codes.js';
import { derivedUid } from '../dicom/derived-uid.js';
import { personName } from '../dicom/person-name.js';
import { isAnalysed, type Outcome } from '../domain/finding.js';
import type { Notification, PatientContext } from '../domain/notification.js';

/** A resource of FHIR R4, or a part of one. */
type Json = { readonly [key: string]: string | number | Json | readonly Json[] };

const URI = 'urn:ietf:rfc:3986';

/** Vigil's own identifier of a study's report: no other report of the study has it, each revision has the same. */
export function reportIdentifier({ studyInstanceUid }: Notification) {
  const uid = derivedUid(['diagnostic-report', studyInstanceUid]);
  return { system: URI, value: `urn:oid:${uid}` };
}

/**
 * A finding as a DiagnosticReport of FHIR R4, with its observations in it. The order is named always, the patient only
 * where asked for. What was not analysed is `cancelled`, which R4 has for what was not completed, and has no value.
 */
export function diagnosticReport(notification: Notification, patientData: boolean): Json {
  const { outcome, studyInstanceUid, impression, model, analysedAt, patient } = notification;
  const { accessionNumber, studyDate } = patient;
  const observations = observationsOf(notification);
  const effective = dateOf(studyDate);
  const subject = patientData ? subjectOf(patient) : undefined;
  return {
    resourceType: 'DiagnosticReport',
    contained: observations,
    identifier: [reportIdentifier(notification)],
    ...(accessionNumber !== undefined && { basedOn: [orderOf(accessionNumber)] }),
    status: statusOf(notification),
    category: [concept({ system: `${HL7}/v2-0074`, code: 'CT', display: 'CAT Scan' })],
    code: { coding: [coding(TRIAGE_SERVICE)], text: TRIAGE_SERVICE.meaning },
    ...(subject && { subject }),
    ...(effective !== undefined && { effectiveDateTime: effective }),
    issued: new Date(analysedAt).toISOString(),
    performer: [{ display: `${model.name} ${model.version}` }],
    result: observations.map(({ id = '' }) => ({ reference: `#${String(id)}` })),
    imagingStudy: [
      {
        type: 'ImagingStudy',
        identifier: { system: 'urn:dicom:uid', value: `urn:oid:${studyInstanceUid}` },
      },
    ],
    conclusion: impression,
    ...(outcome === 'positive' && { conclusionCode: [concept(coding(CLASS_CODES.any.finding))] }),
  };
}

function orderOf(accessionNumber: string): Json {
  const type = concept({ system: `${HL7}/v2-0203`, code: 'ACSN', display: 'Accession ID' });
  return { type: 'ServiceRequest', identifier: { type, value: accessionNumber } };
}

/** By identifier and name: which Patient of the server that is, the server knows. */
function subjectOf({ patientId, issuerOfPatientId, patientName = '' }: PatientContext) {
  const display = personName(patientName);
  if (patientId === undefined && display === '') return undefined;
  return {
    type: 'Patient',
    ...(patientId !== undefined && {
      identifier: {
        value: patientId,
        ...(issuerOfPatientId !== undefined && { assigner: { display: issuerOfPatientId } }),
      },
    }),
    ...(display !== '' && { display }),
  };
}

/** A value of VR DA as a date; a time would need its zone, which images seldom name. */
function dateOf(date: string | undefined): string | undefined {
  const [, year, month, day] = /^(\d{4})(\d{2})(\d{2})$/.exec(date ?? '') ?? [];
  return year === undefined ? undefined : `${year}-${month}-${day}`;
}

/** Value sets diagnostic-report-status and observation-status share these. */
function statusOf({ outcome, revision }: Notification): string {
  if (!isAnalysed(outcome)) return 'cancelled';
  return revision > 1 ? 'amended' : 'final';
}

const HL7 = 'http://terminology.hl7.org/CodeSystem';

/** URIs of coding schemes, by their designators in DICOM. */
const SYSTEMS: Readonly<Record<string, string>> = {
  DCM: 'http://dicom.nema.org/resources/ontology/DCM',
  SCT: 'http://snomed.info/sct',
  [LOCAL_SCHEME]: `urn:oid:${derivedUid(['coding-scheme', LOCAL_SCHEME])}`,
};

function coding({ scheme, value, meaning }: Code): Json {
  const system = SYSTEMS[scheme];
  if (system === undefined) throw new Error(`The coding scheme ${scheme} has no URI here`);
  return { system, code: value, display: meaning };
}

const concept = (one: Json): Json => ({ coding: [one] });

const text = (code: Code, value: string) => ({ code: concept(coding(code)), valueString: value });

function observationsOf(notification: Notification): Json[] {
  const { reports = [], model } = notification;
  const status = statusOf(notification);
  const answer = { resourceType: 'Observation', status };
  // Which model and which documents it was is known also where there is no answer.
  const fact = { ...answer, status: status === 'cancelled' ? 'final' : status };
  return [
    { ...answer, id: 'outcome', ...outcomeOf(notification) },
    ...classesOf(notification).map((one) => ({ ...answer, ...one })),
    { ...fact, id: 'algorithm-name', ...text(CODES.algorithmName, model.name) },
    { ...fact, id: 'algorithm-version', ...text(CODES.algorithmVersion, model.version) },
    ...reports.map(({ sopInstanceUid }, index) => ({
      ...fact,
      id: `report-${index + 1}`,
      ...text(CODES.reportUid, `urn:oid:${sopInstanceUid}`),
    })),
  ];
}

const INTERPRETATIONS: Readonly<Partial<Record<Outcome, Json>>> = {
  positive: { code: 'AA', display: 'Critical abnormal' },
  undetermined: { code: 'IND', display: 'Indeterminate' },
  negative: { code: 'N', display: 'Normal' },
};

function outcomeOf({ outcome, headline, reason }: Notification): Json {
  const own = coding(localCode(outcome.toUpperCase(), headline));
  const code = concept(coding(CODES.outcome));
  const note = reason && { note: [{ text: `${reason.text} (${reason.code})` }] };
  const interpretation = INTERPRETATIONS[outcome];
  if (!isAnalysed(outcome)) {
    const why =
      outcome === 'failed'
        ? { code: 'error', display: 'Error' }
        : { code: 'not-performed', display: 'Not Performed' };
    const absent = {
      coding: [{ system: `${HL7}/data-absent-reason`, ...why }, own],
      text: headline,
    };
    return { code, dataAbsentReason: absent, ...note };
  }
  return {
    code,
    valueCodeableConcept: { coding: [own], text: headline },
    ...(interpretation && {
      interpretation: [
        concept({ system: `${HL7}/v3-ObservationInterpretation`, ...interpretation }),
      ],
    }),
    ...note,
  };
}

/** Whether each class is there, and how probable that is. */
function classesOf({ classes }: Notification): Json[] {
  return classes.map(({ name, probability, presence }) => ({
    id: `class-${name}`,
    code: concept(coding(CLASS_CODES[name].finding)),
    valueCodeableConcept: concept(coding(PRESENCE_CODES[presence])),
    component: [
      {
        code: concept(coding(probabilityCode(name))),
        valueQuantity: {
          value: Math.round(probability * 1000) / 10,
          unit: '%',
          system: 'http://unitsofmeasure.org',
          code: '%',
        },
      },
    ],
  }));
}
