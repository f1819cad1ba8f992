import type { Canvas } from '@napi-rs/canvas';
import type { KeySlice } from '../domain/finding.js';
import { percent } from '../domain/percent.js';
import { blankCanvas } from './canvases.js';
import { COLOURS, drawColourBar, drawDirections, drawNotice } from './picture-style.js';
import type { ReportContext } from './report-modules.js';
import { BRAIN_WINDOW, drawHeatMap, drawSlice, type SlicePicture } from './slice-picture.js';
import { sliceNumber } from './sources.js';
import { loadTypeface, writeLine, writeParagraph } from './typeface.js';
import { anyHemorrhage, CLASS_NAMES, leadingType } from './wording.js';

const IMAGE = { x: 0, y: 0, width: 768, height: 768 };
const PANEL = { x: 768, y: 0, width: 272, height: 768 };
const NOTICE = { x: 0, y: 768, width: 1040, height: 48 };

/**
 * 1040 x 816 pixels: the slice with its heat map, what it shows, the bare slice small, and the notice. The next one is drawn
 * over it.
 */
export function heatMapPicture(
  reportContext: ReportContext,
  keySlice: KeySlice,
  slice: SlicePicture,
): Canvas {
  loadTypeface();
  const canvas = blankCanvas(NOTICE.width, NOTICE.y + NOTICE.height);
  const context = canvas.getContext('2d');
  const place = drawSlice(context, slice, IMAGE);
  drawHeatMap(context, keySlice.heatMap, slice, place);
  drawDirections(context, place, 26);

  context.fillStyle = COLOURS.panel;
  context.fillRect(PANEL.x, PANEL.y, PANEL.width, PANEL.height);
  const { finding, options } = reportContext;
  const x = PANEL.x + 16;
  const width = PANEL.width - 32;
  const title = { size: 23, weight: 'bold', color: COLOURS.text } as const;
  const plain = { size: 17, color: COLOURS.text } as const;
  const quiet = { size: 15, color: COLOURS.quiet } as const;
  let y = writeParagraph(context, CLASS_NAMES[keySlice.className], x, 38, width, title, 2) + 2;
  const { probability } = keySlice;
  y = writeParagraph(context, `In this slice: ${percent(probability)}`, x, y, width, plain, 1);
  const type = leadingType(finding, keySlice);
  if (type) y = writeParagraph(context, type, x, y, width, quiet, 1);
  const any = anyHemorrhage(finding);
  if (any) {
    const study = `In the study, any: ${percent(any.probability)}`;
    y = writeParagraph(context, study, x, y, width, quiet, 1);
  }
  y += 18;
  const number = sliceNumber(reportContext, keySlice.source);
  y = writeParagraph(context, capital(number), x, y, width, plain, 1);
  const { slices } = finding;
  const order = `${keySlice.index + 1} of ${slices.length} from inferior`;
  y = writeParagraph(context, order, x, y, width, quiet, 1);
  const position = slices[keySlice.index]?.positionMm;
  if (position !== undefined) {
    y = writeParagraph(context, `Position ${position.toFixed(1)} mm`, x, y, width, quiet, 1);
  }
  const { center, width: windowWidth } = BRAIN_WINDOW;
  y = writeParagraph(context, `Window C ${center} W ${windowWidth}`, x, y, width, quiet, 1) + 18;
  writeLine(context, 'Grad-CAM, relative to its highest', x, y, width, { ...quiet, size: 14 });
  drawColourBar(context, { x, y: y + 10, width, height: 16 });

  const bare = { x, y: 424, width, height: width };
  drawSlice(context, slice, bare);
  writeLine(context, 'Without heat map', x, bare.y + bare.height + 20, width, quiet);
  const { model } = finding;
  const small = { size: 14, color: COLOURS.quiet };
  y = writeParagraph(context, `${model.name} ${model.version}`, x, 716, width, small, 2);
  writeLine(context, `Package ${model.hash.slice(0, 16)}`, x, y, width, small);
  drawNotice(context, options.researchText, NOTICE);
  return canvas;
}

function capital(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
