import { type Canvas, createCanvas, type ImageData } from '@napi-rs/canvas';

/*
 * Megabytes of fresh memory take longer to get, about 4 ms each, than pictures take to draw on them: canvases, pixels and
 * bytes are used again.
 */

const canvases = new Map<string, Canvas>();
const images = new Map<string, ImageData>();
let bytes = Buffer.alloc(0);

/** A blank canvas, for one picture at a time: it is blank again when the next one of the same size is asked for. */
export function blankCanvas(width: number, height: number): Canvas {
  const canvas = kept(canvases, width, height, () => createCanvas(width, height));
  canvas.getContext('2d').reset();
  return canvas;
}

/** Pixels to be written over, each of them, and put on a canvas before the next ones of the same size are asked for. */
export function pixelsToFill(width: number, height: number): ImageData {
  return kept(images, width, height, () =>
    createCanvas(1, 1).getContext('2d').createImageData(width, height),
  );
}

/** Bytes to be written over and copied before the next ones are asked for. */
export function bytesToFill(length: number): Buffer {
  if (bytes.length < length) bytes = Buffer.alloc(length);
  return bytes.subarray(0, length);
}

/** Slices come in any size: only the last few are kept. */
const KEPT = 4;

function kept<T>(of: Map<string, T>, width: number, height: number, make: () => T): T {
  const key = `${width}x${height}`;
  const one = of.get(key) ?? make();
  of.delete(key);
  of.set(key, one);
  for (const oldest of of.keys()) {
    if (of.size <= KEPT) break;
    of.delete(oldest);
  }
  return one;
}
