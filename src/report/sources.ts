import type { SourceImage } from '../domain/finding.js';
import type { StoredInstance } from '../domain/instance.js';
import { type ReferencedObject, referenceTo } from './evidence.js';
import type { ReportContext } from './report-modules.js';

/** The stored instance of a source image, unless it is gone. */
export function storedInstance(
  { sourceInstances }: ReportContext,
  { sopInstanceUid }: SourceImage,
): StoredInstance | undefined {
  return sourceInstances.find(({ header }) => header.sopInstanceUid === sopInstanceUid);
}

/** The images that were read; where none was, those of the study that could have been. */
export function evidenceImages({ finding, sourceInstances }: ReportContext): SourceImage[] {
  if (finding.slices.length > 0) return finding.slices.map(({ source }) => source);
  return sourceInstances
    .filter(({ header }) => header.frames.length > 0)
    .map(({ header: { sopClassUid, sopInstanceUid } }) => ({ sopClassUid, sopInstanceUid }));
}

export function sourceReference(context: ReportContext, source: SourceImage): ReferencedObject {
  const stored = storedInstance(context, source);
  if (stored) return referenceTo(stored);
  return {
    studyInstanceUid: context.source.text('StudyInstanceUID'),
    seriesInstanceUid:
      context.finding.seriesInstanceUid ?? context.source.text('SeriesInstanceUID'),
    sopClassUid: source.sopClassUid,
    sopInstanceUid: source.sopInstanceUid,
  };
}

/** How a reader finds the slice in a viewer: by frame, else by Instance Number, else by its place. */
export function sliceNumber(context: ReportContext, source: SourceImage): string {
  if (source.frame !== undefined) return `frame ${source.frame}`;
  const number = storedInstance(context, source)?.header.instanceNumber;
  if (number !== undefined) return `image ${number}`;
  const place = context.finding.slices.findIndex(
    (slice) => slice.source.sopInstanceUid === source.sopInstanceUid,
  );
  return `slice ${place + 1} from inferior`;
}

/** The images of slices, each once. */
export function distinctImages(
  slices: readonly { readonly source: SourceImage }[],
): readonly SourceImage[] {
  const key = ({ sopInstanceUid, frame }: SourceImage) => `${sopInstanceUid}#${frame ?? 1}`;
  return [...new Map(slices.map(({ source }) => [key(source), source])).values()];
}
