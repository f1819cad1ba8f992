import { createCanvas } from '@napi-rs/canvas';
import { readHuImage } from '../dicom/hu-image.js';
import { readRgbImage } from '../dicom/rgb-image.js';
import type { HeatMap } from '../domain/finding.js';
import type { Frame } from '../domain/instance.js';
import {
  BRAIN_WINDOW,
  drawHeatMap,
  drawSlice,
  slicePicture,
  type Window,
} from './slice-picture.js';

/** Centers and widths in HU that heads are read in. */
export const SCREEN_WINDOWS = {
  brain: BRAIN_WINDOW,
  subdural: { center: 80, width: 200 },
  bone: { center: 600, width: 2800 },
} as const satisfies Readonly<Record<string, Window>>;

export interface SliceRequest {
  readonly part10: Uint8Array;
  /** The header's entry for the frame. */
  readonly geometry: Frame;
  /** From 1. */
  readonly frame: number;
  readonly window: keyof typeof SCREEN_WINDOWS;
  readonly heatMap?: HeatMap | undefined;
}

/**
 * A stored slice as PNG in radiological display, a pixel for each of its own along its shorter way, with a heat map over
 * it where one is given.
 * @throws PixelError
 */
export async function slicePng(request: SliceRequest): Promise<Uint8Array> {
  const { part10, geometry, frame, heatMap } = request;
  const slice = slicePicture(
    await readHuImage(part10, geometry, frame),
    SCREEN_WINDOWS[request.window],
  );
  const { width: columns, height: rows } = slice.canvas;
  const canvas =
    slice.aspect >= columns / rows
      ? createCanvas(Math.round(rows * slice.aspect), rows)
      : createCanvas(columns, Math.round(columns / slice.aspect));
  const context = canvas.getContext('2d');
  const { width, height } = canvas;
  const place = drawSlice(context, slice, { x: 0, y: 0, width, height });
  if (heatMap !== undefined) drawHeatMap(context, heatMap, slice, place);
  return canvas.encode('png');
}

/** One of Vigil's own secondary captures as PNG. @throws PixelError */
export function capturePng(part10: Uint8Array): Promise<Uint8Array> {
  const { rows, columns, rgb } = readRgbImage(part10);
  const canvas = createCanvas(columns, rows);
  const context = canvas.getContext('2d');
  const pixels = context.createImageData(columns, rows);
  for (let from = 0, to = 0; from < rgb.length; from += 3, to += 4) {
    pixels.data.set(rgb.subarray(from, from + 3), to);
    pixels.data[to + 3] = 255;
  }
  context.putImageData(pixels, 0, 0);
  return canvas.encode('png');
}
