import type { Canvas, SKRSContext2D } from '@napi-rs/canvas';
import type { ClassResult, Finding, KeySlice } from '../domain/finding.js';
import { percent } from '../domain/percent.js';
import { blankCanvas } from './canvases.js';
import { COLOURS, drawDirections, drawMark, drawNotice, OUTCOME_MARKS } from './picture-style.js';
import { drawProbabilityPlot } from './probability-plot.js';
import type { ReportContext } from './report-modules.js';
import { drawHeatMap, drawSlice, type SlicePicture } from './slice-picture.js';
import { sliceNumber } from './sources.js';
import { loadTypeface, writeLine, writeParagraph } from './typeface.js';
import { CAVEATS, CLASS_NAMES, HEADLINES, leadingType, seriesLine } from './wording.js';

const WIDTH = 1024;
const HEIGHT = 1280;
const MARGIN = 32;
const CONTENT = WIDTH - 2 * MARGIN;
const NOTICE = { x: 0, y: HEIGHT - 52, width: WIDTH, height: 52 };
const THUMBNAILS = 4;

const TITLE = { size: 20, weight: 'bold', color: COLOURS.text } as const;
const PLAIN = { size: 18, color: COLOURS.text } as const;
const QUIET = { size: 16, color: COLOURS.quiet } as const;

export interface ThumbnailSource {
  readonly keySlice: KeySlice;
  readonly slice: SlicePicture;
}

/**
 * One page of 1024 x 1280 pixels: the answer, what it rests on, and what it is for. Names no patient. The next one is drawn
 * over it.
 */
export function summaryPicture(
  reportContext: ReportContext,
  keySlices: readonly ThumbnailSource[],
): Canvas {
  loadTypeface();
  const canvas = blankCanvas(WIDTH, HEIGHT);
  const context = canvas.getContext('2d');
  context.fillStyle = COLOURS.ground;
  context.fillRect(0, 0, WIDTH, HEIGHT);
  const { finding, options } = reportContext;
  drawHeadline(context, finding);
  if (finding.outcome === 'not-eligible' || finding.outcome === 'failed') {
    drawReason(context, finding);
  } else {
    drawClasses(context, finding.classes);
    drawProbabilityPlot(context, finding, { x: MARGIN, y: 452, width: CONTENT, height: 260 });
    drawThumbnails(context, reportContext, keySlices);
  }
  drawProvenance(context, reportContext);
  drawNotice(context, options.researchText, NOTICE);
  return canvas;
}

function drawHeadline(context: SKRSContext2D, { outcome, reason, conflicts }: Finding): void {
  context.fillStyle = COLOURS.panel;
  context.fillRect(0, 0, WIDTH, 144);
  drawMark(context, outcome, MARGIN + 38, 74);
  const x = MARGIN + 96;
  const width = WIDTH - MARGIN - x;
  writeLine(context, 'Head CT triage for intracranial hemorrhage', x, 36, width, QUIET);
  const headline = { size: 34, weight: 'bold', color: OUTCOME_MARKS[outcome].colour } as const;
  writeLine(context, HEADLINES[outcome], x, 82, width, headline);
  const answered = outcome === 'positive' || outcome === 'undetermined';
  const conflict = answered ? conflicts?.[0] : undefined;
  const why = outcome === 'undetermined' ? reason?.text : undefined;
  writeLine(context, conflict?.text ?? why ?? CAVEATS[outcome], x, 118, width, PLAIN);
}

function drawClasses(context: SKRSContext2D, classes: readonly ClassResult[]): void {
  writeLine(context, 'Probability in the study', MARGIN, 184, CONTENT, TITLE);
  const ordered = [...classes].sort((a, b) => Number(b.name === 'any') - Number(a.name === 'any'));
  for (const [i, { name, probability, presence }] of ordered.entries()) {
    const y = 216 + i * 36;
    const weight = name === 'any' ? 'bold' : 'normal';
    writeLine(context, CLASS_NAMES[name], MARGIN, y, 276, { ...PLAIN, weight });
    const bar = { x: MARGIN + 292, y: y - 15, width: 420, height: 18 };
    context.fillStyle = COLOURS.panel;
    context.fillRect(bar.x, bar.y, bar.width, bar.height);
    context.fillStyle = presence === 'present' ? COLOURS.curve : COLOURS.secondCurve;
    context.fillRect(bar.x, bar.y, Math.max(2, bar.width * probability), bar.height);
    context.strokeStyle = COLOURS.line;
    context.lineWidth = 1;
    context.strokeRect(bar.x + 0.5, bar.y + 0.5, bar.width - 1, bar.height - 1);
    context.textAlign = 'right';
    writeLine(context, percent(probability), bar.x + bar.width + 82, y, 80, { ...PLAIN, weight });
    context.textAlign = 'left';
    writeLine(context, presence, bar.x + bar.width + 100, y, 150, { ...QUIET, weight });
  }
}

function drawThumbnails(
  context: SKRSContext2D,
  reportContext: ReportContext,
  keySlices: readonly ThumbnailSource[],
): void {
  const top = 752;
  if (keySlices.length === 0) {
    writeLine(context, 'No key slices.', MARGIN, top, CONTENT, QUIET);
    return;
  }
  const shown = keySlices.slice(0, THUMBNAILS);
  const more = keySlices.length - shown.length;
  const title = more > 0 ? `Key slices (${more} more in the heat map series)` : 'Key slices';
  writeLine(context, title, MARGIN, top, CONTENT, TITLE);
  const gap = 16;
  const side = Math.floor((CONTENT - gap * (THUMBNAILS - 1)) / THUMBNAILS);
  for (const [i, { keySlice, slice }] of shown.entries()) {
    const area = { x: MARGIN + i * (side + gap), y: top + 16, width: side, height: side };
    const place = drawSlice(context, slice, area);
    drawHeatMap(context, keySlice.heatMap, slice, place);
    drawDirections(context, place, 15);
    const number = sliceNumber(reportContext, keySlice.source);
    const name = keySlice.className === 'any' ? 'any hemorrhage' : keySlice.className;
    const type = leadingType(reportContext.finding, keySlice);
    const captions = [
      `${number}: ${name}`,
      `in this slice ${percent(keySlice.probability)}`,
      ...(type ? [type] : []),
    ];
    for (const [line, caption] of captions.entries()) {
      const color = line === 0 ? COLOURS.text : COLOURS.quiet;
      const y = area.y + side + 23 + line * 21;
      writeLine(context, caption, area.x, y, side, { size: 16, color });
    }
  }
}

function drawReason(context: SKRSContext2D, finding: Finding): void {
  const { reason, series } = finding;
  const box = { x: MARGIN, y: 176, width: CONTENT, height: 176 };
  context.strokeStyle = OUTCOME_MARKS.failed.colour;
  context.lineWidth = 4;
  context.strokeRect(box.x, box.y, box.width, box.height);
  const inner = { x: box.x + 24, width: box.width - 48 };
  writeLine(context, 'Why there is no answer', inner.x, box.y + 38, inner.width, TITLE);
  const large = { size: 20, color: COLOURS.text } as const;
  const y = writeParagraph(
    context,
    reason?.text ?? 'Not stated',
    inner.x,
    box.y + 76,
    inner.width,
    large,
    3,
  );
  writeLine(context, `Code: ${reason?.code ?? 'none'}`, inner.x, y + 6, inner.width, QUIET);
  writeLine(context, 'Series of the study', MARGIN, 404, CONTENT, TITLE);
  let line = 438;
  const shown = series.slice(0, 9);
  for (const verdict of shown) {
    line =
      writeParagraph(context, seriesLine(finding, verdict), MARGIN, line, CONTENT, PLAIN, 2) + 10;
  }
  if (series.length > shown.length) {
    const more = `and ${series.length - shown.length} more, listed in the structured report`;
    writeLine(context, more, MARGIN, line, CONTENT, QUIET);
  }
}

function drawProvenance(
  context: SKRSContext2D,
  { finding, options, revision }: ReportContext,
): void {
  const { model, series, slices, seriesInstanceUid } = finding;
  const top = 1114;
  context.fillStyle = COLOURS.line;
  context.fillRect(MARGIN, top - 30, CONTENT, 1);
  const read = series.find((verdict) => verdict.seriesInstanceUid === seriesInstanceUid);
  const lines = [
    ...(read && slices.length > 0
      ? [
          `Series read: ${read.seriesNumber === undefined ? 'without number' : `number ${read.seriesNumber}`}, ${read.instances} images, ${slices.length} slices`,
        ]
      : ['Series read: none']),
    `Model: ${model.name} ${model.version}, ${model.maker}`,
    `Model package SHA-256: ${model.hash}`,
    `Analysis ${revision} of this study, Vigil ${options.softwareVersion}`,
  ];
  for (const [i, line] of lines.entries()) {
    writeLine(context, line, MARGIN, top + i * 27, CONTENT, QUIET);
  }
}
