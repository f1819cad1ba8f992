import type { NativeCodecs } from 'dcmjs-codecs';
import { type CodestreamSize, jpeg2000Codestream, jpeg2000Size, jpegSize } from './codestream.js';
import { PixelError } from './pixel-error.js';
import { decodeRle } from './rle.js';

type Decoder = 'decodeJpeg' | 'decodeJpegLs' | 'decodeJpeg2000' | 'decodeHtJpeg2000';

const RLE_LOSSLESS = '1.2.840.10008.1.2.5';

/** The other transfer syntaxes with encapsulated Pixel Data that Vigil reads (PS3.6 Table A-1). */
const DECODERS: ReadonlyMap<string, Decoder> = new Map([
  ['1.2.840.10008.1.2.4.50', 'decodeJpeg'], // JPEG Baseline (Process 1)
  ['1.2.840.10008.1.2.4.51', 'decodeJpeg'], // JPEG Extended (Process 2 and 4)
  ['1.2.840.10008.1.2.4.57', 'decodeJpeg'], // JPEG Lossless (Process 14)
  ['1.2.840.10008.1.2.4.70', 'decodeJpeg'], // JPEG Lossless (Process 14, Selection Value 1)
  ['1.2.840.10008.1.2.4.80', 'decodeJpegLs'], // JPEG-LS Lossless
  ['1.2.840.10008.1.2.4.81', 'decodeJpegLs'], // JPEG-LS Near-Lossless
  ['1.2.840.10008.1.2.4.90', 'decodeJpeg2000'], // JPEG 2000 Lossless Only
  ['1.2.840.10008.1.2.4.91', 'decodeJpeg2000'], // JPEG 2000
  ['1.2.840.10008.1.2.4.201', 'decodeHtJpeg2000'], // HTJ2K Lossless Only
  ['1.2.840.10008.1.2.4.202', 'decodeHtJpeg2000'], // HTJ2K Lossless with RPCL
  ['1.2.840.10008.1.2.4.203', 'decodeHtJpeg2000'], // HTJ2K
]);

export interface FrameLayout {
  readonly rows: number;
  readonly columns: number;
  readonly bitsAllocated: number;
  readonly bitsStored: number;
  readonly signed: boolean;
}

/**
 * Decodes one frame's bytes to samples of one or two bytes, little endian, row by row.
 * @throws PixelError `transfer-syntax-unsupported`, `codestream-invalid`
 */
export async function decompress(
  transferSyntaxUid: string,
  bytes: Uint8Array,
  layout: FrameLayout,
): Promise<Uint8Array> {
  if (transferSyntaxUid === RLE_LOSSLESS) {
    return decodeRle(bytes, layout.rows * layout.columns, layout.bitsAllocated / 8);
  }
  const decoder = DECODERS.get(transferSyntaxUid);
  if (!decoder) {
    throw new PixelError(
      'transfer-syntax-unsupported',
      `No decoder for transfer syntax ${transferSyntaxUid}`,
    );
  }
  const encoded = decoder.endsWith('Jpeg2000') ? jpeg2000Codestream(bytes) : bytes;
  checkClaimedSize(decoder, encoded, layout);
  if (!isWhole(encoded)) throw new PixelError('codestream-invalid', 'The codestream ends early');
  const { Context, NativeCodecs: codecs } = await loadCodecs();
  try {
    const decoded = codecs[decoder](
      new Context({
        width: layout.columns,
        height: layout.rows,
        bitsAllocated: layout.bitsAllocated,
        bitsStored: layout.bitsStored,
        samplesPerPixel: 1,
        pixelRepresentation: layout.signed ? 1 : 0,
        planarConfiguration: 0,
        photometricInterpretation: 'MONOCHROME2',
        encodedBuffer: encoded,
      }),
    ).getDecodedBuffer();
    if (!decoded) throw new Error('The decoder returned nothing');
    return decoded;
  } catch (error) {
    // An exception leaves the decoder's memory behind: the next image starts with a fresh instance.
    codecs.release();
    throw new PixelError('codestream-invalid', 'The compressed pixel data cannot be decoded', {
      cause: error,
    });
  }
}

/** The decoders allocate what the codestream claims, so it is held to the dataset's size before. */
function checkClaimedSize(decoder: Decoder, encoded: Uint8Array, layout: FrameLayout): void {
  const claimed: CodestreamSize | undefined = decoder.endsWith('Jpeg2000')
    ? jpeg2000Size(encoded)
    : jpegSize(encoded);
  if (!claimed) throw new PixelError('codestream-invalid', 'The codestream has no frame header');
  const { rows, columns, components } = claimed;
  if (rows !== layout.rows || columns !== layout.columns || components !== 1) {
    throw new PixelError(
      'codestream-invalid',
      `The codestream holds ${columns} x ${rows} x ${components}, the dataset says ${layout.columns} x ${layout.rows} x 1`,
    );
  }
}

/**
 * The decoders fill what is missing of a stream that ends early with anything. EOI of JPEG and JPEG-LS and EOC of
 * JPEG 2000 are the same marker; padding to even length may follow (PS3.5 A.4).
 */
function isWhole(encoded: Uint8Array): boolean {
  let end = encoded.length;
  while (end > 2 && encoded[end - 1] === 0) end -= 1;
  return encoded[end - 2] === 0xff && encoded[end - 1] === 0xd9;
}

interface Codecs {
  readonly NativeCodecs: typeof NativeCodecs;
  readonly Context: typeof import('dcmjs-codecs').Context;
}

/** Loaded on the first compressed image: most scanners send none. */
async function loadCodecs(): Promise<Codecs> {
  const { default: codecs } = await import('dcmjs-codecs');
  while (!codecs.NativeCodecs.isInitialized()) {
    // Its own messages would go to the console.
    codecs.log.setLevel('silent');
    await codecs.NativeCodecs.initializeAsync();
  }
  return codecs;
}
