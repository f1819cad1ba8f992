import { setImmediate } from 'node:timers/promises';
import { readHuImage } from '../dicom/hu-image.js';
import { SECONDARY_CAPTURE } from '../dicom/sop-classes.js';
import { readSourceDataset, type SourceDataset } from '../dicom/source-dataset.js';
import type { KeySlice } from '../domain/finding.js';
import type { ResultObject } from '../domain/result-object.js';
import { heatMapPicture } from './heat-map-picture.js';
import { keyObjectSelection } from './key-object-selection.js';
import { ReportError, type ReportInput } from './report-input.js';
import { type ReportContext, reportContext } from './report-modules.js';
import { type Picture, pictureUid, secondaryCapture } from './secondary-capture.js';
import { type SlicePicture, slicePicture } from './slice-picture.js';
import { storedInstance } from './sources.js';
import { structuredReports } from './structured-report.js';
import { summaryPicture, type ThumbnailSource } from './summary-picture.js';
import { CLASS_NAMES, HEADLINES } from './wording.js';

/**
 * All objects that tell a finding to a PACS. The same input gives the same bytes.
 *
 * @throws ReportError where a source is missing or unreadable, PixelError where a key slice cannot be decoded.
 */
export async function composeReport(input: ReportInput): Promise<ResultObject[]> {
  return [...(await composeAnswer(input)), ...(await composeIllustrations(input))];
}

/** The structured report with its fallback: a few milliseconds' work, and all that an answer needs. @throws ReportError */
export async function composeAnswer(input: ReportInput): Promise<ResultObject[]> {
  const context = await contextOf(input);
  const references = context.finding.keySlices.map((keySlice) => ({
    keySlice,
    image: {
      sopClassUid: SECONDARY_CAPTURE,
      sopInstanceUid: pictureUid(context, { kind: 'heatmap', role: heatMapRole(keySlice) }),
    },
  }));
  return structuredReports(context, references);
}

/**
 * What goes with the answer: a heat map for each key slice, the summary page and, where there are key slices, their
 * selection.
 *
 * @throws ReportError, PixelError
 */
export async function composeIllustrations(input: ReportInput): Promise<ResultObject[]> {
  const context = await contextOf(input);
  const keySlices = await readKeySlices(context);
  const heatMaps: ResultObject[] = [];
  for (const [i, keySlice] of keySlices.entries()) {
    heatMaps.push(secondaryCapture(context, heatMap(context, keySlice, i)));
    // A picture takes tens of milliseconds: what arrives meanwhile has its turn in between.
    await setImmediate();
  }
  return [
    ...heatMaps,
    secondaryCapture(context, summary(context, keySlices)),
    ...(keySlices.length > 0 ? [keyObjectSelection(context)] : []),
  ];
}

async function contextOf(input: ReportInput): Promise<ReportContext> {
  if (input.options.researchText.trim() === '') {
    throw new ReportError('no-research-text', 'The text on the intended use is empty');
  }
  return reportContext(input, await readSource(input));
}

/** Patient and study as the first image has them that can be read: one bad file must not cost the study its report. */
async function readSource({ sourceInstances, readFile }: ReportInput): Promise<SourceDataset> {
  if (sourceInstances.length === 0) {
    throw new ReportError('no-source', 'The study has no instances to report on');
  }
  let cause: unknown;
  for (const { file } of sourceInstances) {
    try {
      return readSourceDataset(await readFile(file));
    } catch (error) {
      cause ??= error;
    }
  }
  throw new ReportError('source-unreadable', 'No source image can be read', { cause });
}

async function readKeySlices(context: ReportContext): Promise<ThumbnailSource[]> {
  const read: ThumbnailSource[] = [];
  for (const keySlice of context.finding.keySlices) {
    read.push({ keySlice, slice: await readSlice(context, keySlice) });
  }
  return read;
}

async function readSlice(context: ReportContext, { source }: KeySlice): Promise<SlicePicture> {
  const stored = storedInstance(context, source);
  const frame = source.frame ?? 1;
  const geometry = stored?.header.frames[frame - 1];
  if (!stored || !geometry) {
    throw new ReportError('source-missing', 'A key slice is no longer there');
  }
  const part10 = await context.readFile(stored.file);
  return slicePicture(await readHuImage(part10, geometry, frame));
}

function heatMap(
  context: ReportContext,
  { keySlice, slice }: ThumbnailSource,
  index: number,
): Picture {
  const { source } = keySlice;
  const { model } = context.finding;
  return {
    kind: 'heatmap',
    canvas: heatMapPicture(context, keySlice, slice),
    instanceNumber: index + 1,
    role: heatMapRole(keySlice),
    derivation: `Grad-CAM of ${CLASS_NAMES[keySlice.className]} by ${model.name} ${model.version}, blended over the brain window`,
    sources: [source],
  };
}

function heatMapRole({ source, className }: KeySlice): readonly string[] {
  return [source.sopInstanceUid, String(source.frame ?? 1), className];
}

function summary(context: ReportContext, keySlices: readonly ThumbnailSource[]): Picture {
  const { finding } = context;
  return {
    kind: 'summary',
    canvas: summaryPicture(context, keySlices),
    instanceNumber: 1,
    role: [],
    derivation: `Summary of the triage: ${HEADLINES[finding.outcome]}`,
    sources: keySlices.map(({ keySlice }) => keySlice.source),
  };
}
