import { CODES, codeItem } from '../dicom/codes.js';
import type { Dataset } from '../dicom/dataset.js';
import { derivedUid } from '../dicom/derived-uid.js';
import { shortText } from '../dicom/short-text.js';
import type { SourceDataset } from '../dicom/source-dataset.js';
import type { ObjectKind } from '../domain/result-object.js';
import { ReportIdentity } from './report-identity.js';
import type { ReportInput, ReportOptions } from './report-input.js';
import { patientAndStudy } from './source-modules.js';

export const MANUFACTURER = 'Vigil';
export const MODEL_NAME = 'Vigil';

interface SeriesOfKind {
  readonly modality: string;
  readonly number: number;
  readonly description: string;
}

/** Series numbers beyond those of scanners, so that viewers list them last; one series for each kind of object. */
const SERIES: Readonly<Record<ObjectKind, SeriesOfKind>> = {
  sr: { modality: 'SR', number: 9901, description: 'Vigil ICH triage report' },
  heatmap: { modality: 'OT', number: 9902, description: 'Vigil ICH heat maps (research use)' },
  summary: { modality: 'OT', number: 9903, description: 'Vigil ICH summary (research use)' },
  'key-objects': { modality: 'KO', number: 9904, description: 'Vigil ICH key slices' },
};

/** What all objects of one report have in common. */
export interface ReportContext extends ReportInput {
  readonly source: SourceDataset;
  readonly identity: ReportIdentity;
}

export function reportContext(input: ReportInput, source: SourceDataset): ReportContext {
  return { ...input, source, identity: new ReportIdentity(input) };
}

export function seriesUid(context: ReportContext, kind: ObjectKind): string {
  return context.identity.uid('series', kind);
}

/** This node as an observer (PS3.16 TID 1004). */
export function deviceUid({ deviceSerialNumber }: ReportOptions): string {
  return derivedUid(['device', deviceSerialNumber]);
}

/**
 * Patient, study, series, equipment and SOP common attributes of an object (PS3.3 C.7.1 to C.7.5, C.12.1).
 * `createdAt` is written in the time zone that the source states, else in the host's.
 */
export function commonModules(
  context: ReportContext,
  kind: ObjectKind,
  sopClassUid: string,
  sopInstanceUid: string,
): Dataset & { readonly SOPClassUID: string; readonly SOPInstanceUID: string } {
  const { source, options } = context;
  const { date, time } = contentDateTime(context);
  const series = SERIES[kind];
  const institutionName = source.text('InstitutionName') || options.institutionName;
  return {
    ...patientAndStudy(source),
    SOPClassUID: sopClassUid,
    SOPInstanceUID: sopInstanceUid,
    InstanceCreationDate: date,
    InstanceCreationTime: time,
    Modality: series.modality,
    SeriesInstanceUID: seriesUid(context, kind),
    SeriesNumber: series.number,
    SeriesDescription: series.description,
    SeriesDate: date,
    SeriesTime: time,
    ContentDate: date,
    ContentTime: time,
    Manufacturer: MANUFACTURER,
    ManufacturerModelName: MODEL_NAME,
    DeviceSerialNumber: options.deviceSerialNumber,
    SoftwareVersions: options.softwareVersion,
    ...(institutionName ? { InstitutionName: institutionName } : {}),
    ContributingEquipmentSequence: [contributingEquipment(context)],
  };
}

/** The algorithm as equipment of its own (PS3.3 C.12.1, CID 7005), as IHE AI Results asks. */
function contributingEquipment({ finding, createdAt, source }: ReportContext): Dataset {
  const { model } = finding;
  const { date, time } = dateTime(createdAt, source.text('TimezoneOffsetFromUTC'));
  return {
    PurposeOfReferenceCodeSequence: [codeItem(CODES.processingEquipment)],
    Manufacturer: shortText(model.maker),
    ManufacturerModelName: shortText(model.name),
    SoftwareVersions: shortText(model.version),
    ContributionDateTime: `${date}${time}`,
    ContributionDescription: `Model package ${model.hash}`,
  };
}

export function contentDateTime({ createdAt, source }: ReportContext): {
  readonly date: string;
  readonly time: string;
} {
  return dateTime(createdAt, source.text('TimezoneOffsetFromUTC'));
}

/** DA and TM (PS3.5 6.2) in the zone of the given offset (+HHMM), or in local time without one. */
function dateTime(instant: Date, offset: string): { date: string; time: string } {
  const match = /^([+-])(\d{2})(\d{2})$/.exec(offset);
  const minutes = match
    ? (match[1] === '-' ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3]))
    : -instant.getTimezoneOffset();
  const shifted = new Date(instant.getTime() + minutes * 60_000).toISOString();
  return {
    date: shifted.slice(0, 10).replaceAll('-', ''),
    time: `${shifted.slice(11, 19).replaceAll(':', '')}.${shifted.slice(20, 23)}`,
  };
}
