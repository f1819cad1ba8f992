import { type Canvas, createCanvas, type SKRSContext2D } from '@napi-rs/canvas';
import type { HuImage } from '../dicom/hu-image.js';
import type { HeatMap } from '../domain/finding.js';
import { blankCanvas, pixelsToFill } from './canvases.js';
import { heatColour, heatOpacity } from './colour-map.js';
import { ReportError } from './report-input.js';

/** Center and width in HU of the window that hemorrhages are read in. */
export const BRAIN_WINDOW = { center: 40, width: 80 } as const;

export interface Window {
  readonly center: number;
  readonly width: number;
}

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** A slice ready to be drawn at any size. */
export interface SlicePicture {
  readonly canvas: Canvas;
  /** Width over height of the slice in the patient, whatever the shape of its pixels. */
  readonly aspect: number;
}

/** The slice in a window by the linear function of PS3.3 C.11.2.1.2.1, a pixel of the canvas for each of its own. */
export function slicePicture(
  { rows, columns, hu, pixelSpacing }: HuImage,
  { center, width }: Window = BRAIN_WINDOW,
): SlicePicture {
  const canvas = createCanvas(columns, rows);
  const context = canvas.getContext('2d');
  const pixels = pixelsToFill(columns, rows);
  for (let i = 0; i < hu.length; i += 1) {
    const grey = (((hu[i] as number) - (center - 0.5)) / (width - 1) + 0.5) * 255;
    const at = i * 4;
    // A clamped array: what lies outside the window becomes black or white by itself.
    pixels.data[at] = grey;
    pixels.data[at + 1] = grey;
    pixels.data[at + 2] = grey;
    pixels.data[at + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
  const [rowSpacing, columnSpacing] = pixelSpacing ?? [1, 1];
  return { canvas, aspect: (columns * columnSpacing) / (rows * rowSpacing) };
}

/** Draws the slice as large as it fits, in the middle of `area`, and returns where it is. */
export function drawSlice(
  context: SKRSContext2D,
  { canvas, aspect }: SlicePicture,
  area: Rectangle,
): Rectangle {
  const width = Math.round(Math.min(area.width, area.height * aspect));
  const height = Math.round(Math.min(area.height, area.width / aspect));
  const place = {
    x: area.x + Math.floor((area.width - width) / 2),
    y: area.y + Math.floor((area.height - height) / 2),
    width,
    height,
  };
  context.fillStyle = '#000';
  context.fillRect(area.x, area.y, area.width, area.height);
  context.imageSmoothingEnabled = true;
  context.imageSmoothingQuality = 'high';
  context.drawImage(canvas, place.x, place.y, width, height);
  return place;
}

/**
 * Blends the heat map over a slice of `columns` x `rows` pixels that is drawn at `place`.
 * @throws ReportError where a value or the box is no number: a cell left blank would look like one without a finding
 */
export function drawHeatMap(
  context: SKRSContext2D,
  heatMap: HeatMap,
  { canvas: { width: columns, height: rows } }: SlicePicture,
  place: Rectangle,
): void {
  if (!isWhole(heatMap)) {
    throw new ReportError('heat-map-invalid', 'A heat map has values that are not from 0 to 1');
  }
  const { box } = heatMap;
  const overlay = heatOverlay(heatMap);
  context.save();
  context.beginPath();
  context.rect(place.x, place.y, place.width, place.height);
  context.clip();
  context.drawImage(
    overlay,
    place.x + (box.x / columns) * place.width,
    place.y + (box.y / rows) * place.height,
    (box.side / columns) * place.width,
    (box.side / rows) * place.height,
  );
  context.restore();
}

/** Between so many pixels for each cell the canvas's own smoothing makes no difference that is seen. */
const PIXELS_A_CELL = 16;

/** The colours of the map's whole box, on a canvas that the next overlay of its size takes over. */
function heatOverlay(heatMap: HeatMap): Canvas {
  const width = heatMap.width * PIXELS_A_CELL;
  const height = heatMap.height * PIXELS_A_CELL;
  const overlay = blankCanvas(width, height);
  const pixels = pixelsToFill(width, height);
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const value = sample(heatMap, (x + 0.5) / width, (y + 0.5) / height);
      const [red, green, blue] = heatColour(value);
      const at = (y * width + x) * 4;
      pixels.data[at] = red;
      pixels.data[at + 1] = green;
      pixels.data[at + 2] = blue;
      pixels.data[at + 3] = Math.round(heatOpacity(value) * 255);
    }
  }
  overlay.getContext('2d').putImageData(pixels, 0, 0);
  return overlay;
}

function isWhole({ width, height, values, box }: HeatMap): boolean {
  return (
    values.length === width * height &&
    values.every((value) => Number.isFinite(value) && value >= 0 && value <= 1) &&
    [box.x, box.y, box.side].every(Number.isFinite) &&
    box.side > 0
  );
}

/** The map at (u, v) within its box, both 0..1, bilinear between the middles of its cells. */
export function sample({ width, height, values }: HeatMap, u: number, v: number): number {
  const x = Math.min(width - 1, Math.max(0, u * width - 0.5));
  const y = Math.min(height - 1, Math.max(0, v * height - 0.5));
  const left = Math.floor(x);
  const top = Math.floor(y);
  const cell = (column: number, row: number) =>
    values[Math.min(height - 1, row) * width + Math.min(width - 1, column)] ?? 0;
  const upper = cell(left, top) + (cell(left + 1, top) - cell(left, top)) * (x - left);
  const lower = cell(left, top + 1) + (cell(left + 1, top + 1) - cell(left, top + 1)) * (x - left);
  return upper + (lower - upper) * (y - top);
}
