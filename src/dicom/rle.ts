import { PixelError } from './pixel-error.js';

const HEADER_LENGTH = 64;

/**
 * Decodes a frame of RLE Lossless (PS3.5 Annex G) with one sample per pixel: one PackBits segment for each byte of the
 * sample, the most significant first. Returns little-endian samples. A stream that ends early or holds another number
 * of segments is refused, where a lenient decoder would give a picture with a part missing.
 * @throws PixelError `codestream-invalid`
 */
export function decodeRle(encoded: Uint8Array, pixels: number, bytesPerSample: number): Uint8Array {
  const view = new DataView(encoded.buffer, encoded.byteOffset, encoded.byteLength);
  if (encoded.length < HEADER_LENGTH || view.getUint32(0, true) !== bytesPerSample) {
    throw new PixelError('codestream-invalid', 'The RLE header does not fit the image');
  }
  const decoded = new Uint8Array(pixels * bytesPerSample);
  for (let segment = 0; segment < bytesPerSample; segment += 1) {
    const start = view.getUint32(4 + 4 * segment, true);
    const isLast = segment === bytesPerSample - 1;
    const end = isLast ? encoded.length : view.getUint32(8 + 4 * segment, true);
    if (start < HEADER_LENGTH || end > encoded.length || start > end) {
      throw new PixelError('codestream-invalid', 'An RLE segment lies outside the frame');
    }
    unpack(encoded.subarray(start, end), decoded, bytesPerSample - 1 - segment, bytesPerSample);
  }
  return decoded;
}

/** PackBits (PS3.5 G.3.2) into every `step`-th byte of `out` from `offset` on, until `out` is full. */
function unpack(packed: Uint8Array, out: Uint8Array, offset: number, step: number): void {
  let from = 0;
  let to = offset;
  while (to < out.length) {
    const control = packed[from];
    from += 1;
    if (control === 128) continue;
    const run = control !== undefined && control > 128;
    const count = run ? 257 - control : (control ?? 0) + 1;
    const last = run ? from : from + count - 1;
    if (control === undefined || last >= packed.length || to + (count - 1) * step >= out.length) {
      throw new PixelError('codestream-invalid', 'An RLE segment does not fill the image exactly');
    }
    for (let i = 0; i < count; i += 1) {
      out[to] = packed[run ? from : from + i] as number;
      to += step;
    }
    from = last + 1;
  }
}
