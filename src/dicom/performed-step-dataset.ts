import type { PerformedSeries, StepChange, StepState } from '../domain/performed-step.js';
import { readReferences } from './commitment-dataset.js';
import type { SourceDataset } from './source-dataset.js';
import { isUid } from './uid.js';

/** The defined terms of Performed Procedure Step Status (0040,0252) (PS3.3 C.4.14). */
const STATES: Readonly<Record<string, StepState>> = {
  'IN PROGRESS': 'in-progress',
  COMPLETED: 'completed',
  DISCONTINUED: 'discontinued',
};

/** Why a dataset is refused: `keyword` names the attribute. */
export interface StepFault {
  readonly type: 'missing' | 'empty' | 'invalid';
  readonly keyword: string;
}

/** What a creation must give with a value, beside the study (PS3.4 Table F.7.2-1). */
const REQUIRED = [
  'PerformedProcedureStepID',
  'PerformedStationAETitle',
  'PerformedProcedureStepStartDate',
  'PerformedProcedureStepStartTime',
  'PerformedProcedureStepStatus',
  'Modality',
];

/** Reads the attributes of an N-CREATE of the Modality Performed Procedure Step SOP Class. */
export function readNewStep(
  dataset: SourceDataset,
): (StepChange & { readonly studyInstanceUid: string }) | StepFault {
  const [scheduled] = dataset.items('ScheduledStepAttributesSequence');
  const fault =
    lacks(dataset, 'ScheduledStepAttributesSequence', scheduled !== undefined) ??
    (scheduled && lacks(scheduled, 'StudyInstanceUID')) ??
    REQUIRED.map((keyword) => lacks(dataset, keyword)).find((one) => one !== undefined);
  if (fault !== undefined) return fault;
  const studyInstanceUid = scheduled?.text('StudyInstanceUID') ?? '';
  if (!isUid(studyInstanceUid)) return { type: 'invalid', keyword: 'StudyInstanceUID' };
  const change = readStepChange(dataset);
  if ('type' in change) return change;
  if (change.state !== 'in-progress') {
    return { type: 'invalid', keyword: 'PerformedProcedureStepStatus' };
  }
  return { ...change, studyInstanceUid };
}

/** Reads the attributes of an N-SET of the Modality Performed Procedure Step SOP Class. */
export function readStepChange(dataset: SourceDataset): StepChange | StepFault {
  const status = dataset.text('PerformedProcedureStepStatus');
  const state = Object.hasOwn(STATES, status) ? STATES[status] : undefined;
  if (state === undefined && dataset.has('PerformedProcedureStepStatus')) {
    return { type: 'invalid', keyword: 'PerformedProcedureStepStatus' };
  }
  const series = dataset.has('PerformedSeriesSequence')
    ? dataset.items('PerformedSeriesSequence').map(readSeries)
    : undefined;
  if (series?.some(({ seriesInstanceUid }) => !isUid(seriesInstanceUid))) {
    return { type: 'invalid', keyword: 'SeriesInstanceUID' };
  }
  const references = series?.flatMap(({ instances }) => instances);
  if (references?.some((one) => !isUid(one.sopClassUid) || !isUid(one.sopInstanceUid))) {
    return { type: 'invalid', keyword: 'ReferencedSOPInstanceUID' };
  }
  const hasEnd =
    dataset.text('PerformedProcedureStepEndDate') !== '' &&
    dataset.text('PerformedProcedureStepEndTime') !== '';
  return {
    ...(state && { state }),
    ...(hasEnd && { hasEnd }),
    ...(series && { series: merged(series) }),
  };
}

function readSeries(item: SourceDataset): PerformedSeries {
  return {
    seriesInstanceUid: item.text('SeriesInstanceUID'),
    instances: [
      ...readReferences(item, 'ReferencedImageSequence'),
      ...readReferences(item, 'ReferencedNonImageCompositeSOPInstanceSequence'),
    ],
  };
}

/** Each series once and each of its instances once, though the items may name them twice. */
function merged(series: readonly PerformedSeries[]): PerformedSeries[] {
  const byUid = new Map<string, Map<string, PerformedSeries['instances'][number]>>();
  for (const { seriesInstanceUid, instances } of series) {
    const known = byUid.get(seriesInstanceUid) ?? new Map();
    for (const instance of instances) known.set(instance.sopInstanceUid, instance);
    byUid.set(seriesInstanceUid, known);
  }
  return [...byUid].map(([seriesInstanceUid, instances]) => ({
    seriesInstanceUid,
    instances: [...instances.values()],
  }));
}

function lacks(
  dataset: SourceDataset,
  keyword: string,
  hasValue = dataset.text(keyword) !== '',
): StepFault | undefined {
  if (hasValue) return undefined;
  return { type: dataset.has(keyword) ? 'empty' : 'missing', keyword };
}
