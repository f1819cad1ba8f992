import type { Dataset } from '../dicom/dataset.js';
import type { SourceImage } from '../domain/finding.js';
import type { StoredInstance } from '../domain/instance.js';

/** A composite object and where it stands in its study. */
export interface ReferencedObject {
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
}

/** SOP Instance Reference Macro (PS3.3 Table 10-11), with the frame of a multi-frame image. */
export function imageReference(image: SourceImage): Dataset {
  return {
    ReferencedSOPClassUID: image.sopClassUid,
    ReferencedSOPInstanceUID: image.sopInstanceUid,
    ...(image.frame === undefined ? {} : { ReferencedFrameNumber: image.frame }),
  };
}

/** Hierarchical SOP Instance Reference Macro (PS3.3 Table C.17-3): each object once, by study and series. */
export function hierarchicalReferences(objects: readonly ReferencedObject[]): Dataset[] {
  const studies = groupBy(objects, (object) => object.studyInstanceUid);
  return [...studies].map(([studyInstanceUid, ofStudy]) => ({
    StudyInstanceUID: studyInstanceUid,
    ReferencedSeriesSequence: [...groupBy(ofStudy, (object) => object.seriesInstanceUid)].map(
      ([seriesInstanceUid, ofSeries]) => ({
        SeriesInstanceUID: seriesInstanceUid,
        ReferencedSOPSequence: [
          ...new Map(ofSeries.map((object) => [object.sopInstanceUid, object])).values(),
        ].map(({ sopClassUid, sopInstanceUid }) => ({
          ReferencedSOPClassUID: sopClassUid,
          ReferencedSOPInstanceUID: sopInstanceUid,
        })),
      }),
    ),
  }));
}

export function referenceTo({ header }: StoredInstance): ReferencedObject {
  const { studyInstanceUid, seriesInstanceUid, sopClassUid, sopInstanceUid } = header;
  return { studyInstanceUid, seriesInstanceUid, sopClassUid, sopInstanceUid };
}

function groupBy<T>(items: readonly T[], keyOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const key = keyOf(item);
    const group = groups.get(key);
    if (group) group.push(item);
    else groups.set(key, [item]);
  }
  return groups;
}
