import type { SKRSContext2D } from '@napi-rs/canvas';
import type { Outcome } from '../domain/finding.js';
import { heatColour, heatOpacity } from './colour-map.js';
import type { Rectangle } from './slice-picture.js';
import { font, linesOf, writeLine } from './typeface.js';

/** Light on dark, as reading rooms are. */
export const COLOURS = {
  ground: '#101418',
  panel: '#1b2127',
  line: '#46525e',
  text: '#f2f5f7',
  quiet: '#b4c0ca',
  notice: '#ffd54a',
  noticeText: '#000000',
  curve: '#ffb066',
  secondCurve: '#7fb8ff',
} as const;

/** Colour and shape of an outcome: either alone tells them apart. */
export const OUTCOME_MARKS: Readonly<
  Record<Outcome, { readonly colour: string; readonly sign: string }>
> = {
  positive: { colour: '#ff6b5e', sign: '!' },
  negative: { colour: '#7fd1a0', sign: '–' },
  undetermined: { colour: '#ffd54a', sign: '?' },
  'not-eligible': { colour: '#c9a6ff', sign: '×' },
  failed: { colour: '#c9a6ff', sign: '×' },
};

/** Triangle for positive, circle for negative, diamond for undetermined, square for not analysed. */
export function drawMark(context: SKRSContext2D, outcome: Outcome, x: number, y: number): void {
  const { colour, sign } = OUTCOME_MARKS[outcome];
  const radius = 34;
  const corners = { positive: 3, negative: 0, undetermined: 4, 'not-eligible': 4, failed: 4 };
  const turned = outcome === 'not-eligible' || outcome === 'failed' ? Math.PI / 4 : 0;
  context.beginPath();
  if (corners[outcome] === 0) {
    context.arc(x, y, radius - 4, 0, 2 * Math.PI);
  } else {
    for (let i = 0; i < corners[outcome]; i += 1) {
      const angle = -Math.PI / 2 + turned + (i * 2 * Math.PI) / corners[outcome];
      context.lineTo(x + radius * Math.cos(angle), y + radius * Math.sin(angle));
    }
    context.closePath();
  }
  context.lineWidth = 5;
  context.lineJoin = 'round';
  context.strokeStyle = colour;
  context.stroke();
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.font = font(34, 'bold');
  context.fillStyle = colour;
  context.fillText(sign, x, y + 2);
  context.textAlign = 'left';
  context.textBaseline = 'alphabetic';
}

/** Sizes from large to small, and on how many lines a notice of that size may stand. */
const NOTICE_SIZES = [
  [26, 1],
  [22, 1],
  [19, 1],
  [17, 2],
  [15, 2],
  [13, 3],
  [11, 4],
] as const;

/** The notice across a picture's foot, as large as it fits, whole. */
export function drawNotice(context: SKRSContext2D, notice: string, area: Rectangle): void {
  context.fillStyle = COLOURS.notice;
  context.fillRect(area.x, area.y, area.width, area.height);
  const room = area.width - 32;
  const fits = NOTICE_SIZES.find(
    ([size, lines]) => linesOf(context, notice, room, font(size, 'bold')).length <= lines,
  );
  const [size] = fits ?? [11, 4];
  const lines = linesOf(context, notice, room, font(size, 'bold'));
  const step = Math.round(size * 1.1);
  const first = area.y + area.height / 2 - ((lines.length - 1) * step) / 2 + size * 0.36;
  context.textAlign = 'center';
  const style = { size, weight: 'bold', color: COLOURS.noticeText } as const;
  for (const [i, line] of lines.entries()) {
    writeLine(context, line, area.x + area.width / 2, first + i * step, room, style);
  }
  context.textAlign = 'left';
}

/** Where the patient's right, left, front and back are on a slice in radiological display. */
export function drawDirections(context: SKRSContext2D, area: Rectangle, size: number): void {
  const { x, y, width, height } = area;
  const inset = size * 0.9;
  const marks = [
    ['R', x + inset, y + height / 2],
    ['L', x + width - inset, y + height / 2],
    ['A', x + width / 2, y + inset],
    ['P', x + width / 2, y + height - inset],
  ] as const;
  context.textAlign = 'center';
  context.textBaseline = 'middle';
  context.font = font(size, 'bold');
  context.lineWidth = 4;
  context.lineJoin = 'round';
  for (const [letter, atX, atY] of marks) {
    context.strokeStyle = '#000';
    context.strokeText(letter, atX, atY);
    context.fillStyle = COLOURS.text;
    context.fillText(letter, atX, atY);
  }
  context.textAlign = 'left';
  context.textBaseline = 'alphabetic';
}

/** The grey that brain has in its window: the bar shows what a value does to it. */
const BRAIN_GREY = 105;

/** The heat map's colours from low to high, as they look over brain, with their values beneath. */
export function drawColourBar(context: SKRSContext2D, area: Rectangle): void {
  const { x, y, width, height } = area;
  for (let i = 0; i < width; i += 1) {
    const value = i / (width - 1);
    const opacity = heatOpacity(value);
    const channels = heatColour(value).map((channel) => mix(BRAIN_GREY, channel, opacity));
    context.fillStyle = `rgb(${channels.join(', ')})`;
    context.fillRect(x + i, y, 1, height);
  }
  context.strokeStyle = COLOURS.line;
  context.lineWidth = 1;
  context.strokeRect(x + 0.5, y + 0.5, width - 1, height - 1);
  const style = { size: 14, color: COLOURS.quiet };
  writeLine(context, '0', x, y + height + 17, width, style);
  context.textAlign = 'center';
  writeLine(context, '0.5', x + width / 2, y + height + 17, width, style);
  context.textAlign = 'right';
  writeLine(context, '1', x + width, y + height + 17, width, style);
  context.textAlign = 'left';
}

function mix(under: number, over: number, opacity: number): number {
  return Math.round(under + (over - under) * opacity);
}
