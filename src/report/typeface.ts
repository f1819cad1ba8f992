import { fileURLToPath } from 'node:url';
import { GlobalFonts, type SKRSContext2D } from '@napi-rs/canvas';

/** Shipped with its licence, because a host may have no fonts; the path is the same from src/ and from dist/. */
const FONTS = new URL('../../src/report/fonts/', import.meta.url);
const FAMILY = 'Vigil Sans';
const FILES = ['DejaVuSans.ttf', 'DejaVuSans-Bold.ttf'];

export type Weight = 'normal' | 'bold';

/** Makes the shipped typeface known to the canvas, once for the process. @throws Error where its files are missing. */
export function loadTypeface(): void {
  if (GlobalFonts.has(FAMILY)) return;
  for (const file of FILES) {
    if (!GlobalFonts.registerFromPath(fileURLToPath(new URL(file, FONTS)), FAMILY)) {
      throw new Error(`The font ${file} cannot be loaded`);
    }
  }
}

/** A CSS font of the shipped typeface; characters that it lacks come from the host's fonts. */
export function font(size: number, weight: Weight = 'normal'): string {
  return `${weight} ${size}px "${FAMILY}", sans-serif`;
}

export interface TextStyle {
  readonly size: number;
  readonly weight?: Weight;
  readonly color: string;
}

/** Writes one line with its baseline at y, cut with an ellipsis where it is wider than `width`. */
export function writeLine(
  canvas: SKRSContext2D,
  line: string,
  x: number,
  y: number,
  width: number,
  { size, weight, color }: TextStyle,
): void {
  canvas.font = font(size, weight);
  canvas.fillStyle = color;
  canvas.fillText(cut(canvas, line, width), x, y);
}

/** Writes lines broken between words from the baseline y down, at most `maxLines`; returns the next baseline. */
export function writeParagraph(
  canvas: SKRSContext2D,
  paragraph: string,
  x: number,
  y: number,
  width: number,
  { size, weight, color }: TextStyle,
  maxLines = 8,
): number {
  const lines = linesOf(canvas, paragraph, width, font(size, weight));
  canvas.fillStyle = color;
  const shown = lines.slice(0, maxLines);
  if (lines.length > maxLines) {
    shown[maxLines - 1] = lines.slice(maxLines - 1).join(' ');
  }
  let baseline = y;
  for (const line of shown) {
    canvas.fillText(cut(canvas, line, width), x, baseline);
    baseline += Math.round(size * 1.35);
  }
  return baseline;
}

/** The lines of a paragraph in a CSS font, broken between words. */
export function linesOf(
  canvas: SKRSContext2D,
  paragraph: string,
  width: number,
  cssFont: string,
): string[] {
  canvas.font = cssFont;
  const lines: string[] = [];
  let line = '';
  for (const word of paragraph.split(/\s+/)) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && canvas.measureText(longer).width > width) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return line === '' ? lines : [...lines, line];
}

function cut(canvas: SKRSContext2D, line: string, width: number): string {
  if (canvas.measureText(line).width <= width) return line;
  let characters = Array.from(line);
  while (characters.length > 1 && canvas.measureText(`${characters.join('')}…`).width > width) {
    characters = characters.slice(0, -1);
  }
  return `${characters.join('')}…`;
}
