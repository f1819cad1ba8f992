import dicomParser from 'dicom-parser';
import { PixelError } from './pixel-error.js';

/** An image in colour, three bytes a pixel, row by row. */
export interface RgbImage {
  readonly rows: number;
  readonly columns: number;
  readonly rgb: Uint8Array;
}

/**
 * The first frame of an uncompressed RGB image, colour by pixel (PS3.3 C.7.6.3.1.3), as Vigil's own secondary captures
 * are.
 * @throws PixelError
 */
export function readRgbImage(part10: Uint8Array): RgbImage {
  const dataSet = dicomParser.parseDicom(part10);
  const rows = dataSet.uint16('x00280010') ?? 0;
  const columns = dataSet.uint16('x00280011') ?? 0;
  const element = dataSet.elements['x7fe00010'];
  const isRgb =
    dataSet.string('x00280004') === 'RGB' &&
    dataSet.uint16('x00280100') === 8 &&
    (dataSet.uint16('x00280006') ?? 0) === 0;
  const length = rows * columns * 3;
  if (!isRgb || element?.encapsulatedPixelData !== undefined || (element?.length ?? 0) < length) {
    throw new PixelError('bits-unsupported', 'The image is no uncompressed RGB');
  }
  const offset = element?.dataOffset ?? 0;
  return { rows, columns, rgb: part10.subarray(offset, offset + length) };
}
