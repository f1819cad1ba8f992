import dcmjsCodecs from 'dcmjs-codecs';
import { beforeAll, describe, expect, it } from 'vitest';
import { readStoredImage } from '../../../src/dicom/pixels.js';
import { TRANSFER_SYNTAXES } from '../../../src/dicom/transfer-syntaxes.js';
import { part10Of, samples16, type TestImage, valuesOf } from './part10.js';

const { Context, NativeCodecs } = dcmjsCodecs;
const TILE = [-2048, -1000, -1, 0, 1, 40, 1000, 2047];
const SIGNED_12: TestImage = {
  rows: 2,
  columns: 4,
  bitsStored: 12,
  signed: true,
  pixels: samples16(TILE.map((value) => value & 0xfff)),
};

async function values(image: TestImage, frame?: number): Promise<number[]> {
  return valuesOf(await readStoredImage(part10Of(image), frame));
}

async function codeOf(image: TestImage, frame?: number): Promise<string | undefined> {
  return values(image, frame).then(
    () => undefined,
    (error: { code?: string }) => error.code,
  );
}

describe('uncompressed pixel data', () => {
  it.each([
    ['Implicit VR Little Endian', '1.2.840.10008.1.2'],
    ['Explicit VR Little Endian', '1.2.840.10008.1.2.1'],
    ['Deflated Explicit VR Little Endian', '1.2.840.10008.1.2.1.99'],
  ])('reads %s', async (_name, transferSyntaxUid) => {
    expect(await values({ ...SIGNED_12, transferSyntaxUid })).toEqual(TILE);
  });

  it('swaps the bytes of Explicit VR Big Endian', async () => {
    const pixels = Buffer.from(SIGNED_12.pixels as Uint8Array).swap16();
    const transferSyntaxUid = '1.2.840.10008.1.2.2';
    expect(await values({ ...SIGNED_12, pixels, transferSyntaxUid })).toEqual(TILE);
  });

  it.each([
    ['8 bits unsigned', 8, 8, false, [0, 1, 200, 255]],
    ['8 bits signed', 8, 8, true, [0, 1, -56, -1]],
    ['16 bits unsigned', 16, 16, false, [0, 1, 40_000, 65_535]],
    ['16 bits signed', 16, 16, true, [0, 1, -25_536, -1]],
    ['12 of 16 bits unsigned', 16, 12, false, [0, 1, 3096, 4095]],
  ] as const)('reads %s', async (_name, bitsAllocated, bitsStored, signed, expected) => {
    const pixels =
      bitsAllocated === 8 ? Uint8Array.from(expected, (v) => v & 0xff) : samples16(expected);
    const image = { rows: 2, columns: 2, bitsAllocated, bitsStored, signed, pixels };
    expect(await values(image)).toEqual([...expected]);
  });

  it('drops what is stored beyond Bits Stored', async () => {
    const pixels = samples16(TILE.map((value) => (value & 0xfff) | 0xa000));
    expect(await values({ ...SIGNED_12, pixels })).toEqual(TILE);
  });

  it('reads values whose High Bit is not the lowest possible', async () => {
    const pixels = samples16(TILE.map((value) => (value & 0xfff) << 4));
    expect(await values({ ...SIGNED_12, pixels, highBit: 15 })).toEqual(TILE);
  });

  it('reads the frame that is asked for', async () => {
    const image = { rows: 1, columns: 2, frames: 3, pixels: samples16([1, 2, 3, 4, 5, 6]) };
    expect(await values(image, 2)).toEqual([3, 4]);
    expect(await values(image, 3)).toEqual([5, 6]);
    expect(await codeOf(image, 4)).toBe('frame-missing');
  });

  it('gives the padding as stored values, both ends included', async () => {
    const part10 = part10Of({ ...SIGNED_12, padding: -2000, paddingLimit: -1990 });
    expect((await readStoredImage(part10)).padding).toEqual({ from: -2000, to: -1990 });
  });
});

describe('compressed pixel data', () => {
  beforeAll(() => NativeCodecs.initializeAsync());

  const rows = 32;
  const columns = 40;
  const hu = Array.from({ length: rows * columns }, (_, i) => ((i * 37) % 3000) - 1024);
  const image: TestImage = { rows, columns, bitsStored: 16, signed: true, pixels: samples16(hu) };

  function encode(
    how: 'encodeRle' | 'encodeJpeg' | 'encodeJpegLs' | 'encodeJpeg2000' | 'encodeHtJpeg2000',
    parameters: object = {},
  ): Uint8Array {
    const context = new Context({
      width: columns,
      height: rows,
      bitsAllocated: 16,
      bitsStored: 16,
      samplesPerPixel: 1,
      pixelRepresentation: 1,
      planarConfiguration: 0,
      photometricInterpretation: 'MONOCHROME2',
      decodedBuffer: image.pixels as Uint8Array,
    });
    return NativeCodecs[how](context, {
      lossy: false,
      ...parameters,
    }).getEncodedBuffer() as Uint8Array;
  }

  it.each([
    ['RLE Lossless', '1.2.840.10008.1.2.5', 'encodeRle', {}],
    ['JPEG Lossless', '1.2.840.10008.1.2.4.57', 'encodeJpeg', { predictor: 6 }],
    ['JPEG Lossless SV1', '1.2.840.10008.1.2.4.70', 'encodeJpeg', { predictor: 1 }],
    ['JPEG-LS Lossless', '1.2.840.10008.1.2.4.80', 'encodeJpegLs', {}],
    ['JPEG 2000 Lossless', '1.2.840.10008.1.2.4.90', 'encodeJpeg2000', {}],
    ['HTJ2K Lossless', '1.2.840.10008.1.2.4.201', 'encodeHtJpeg2000', {}],
  ] as const)('reads %s', async (_name, transferSyntaxUid, how, parameters) => {
    const pixels = [Buffer.alloc(0), encode(how, parameters)];
    expect(await values({ ...image, transferSyntaxUid, pixels })).toEqual(hu);
  });

  it.each([
    ['1.2.840.10008.1.2.5', 'encodeRle'],
    ['1.2.840.10008.1.2.4.70', 'encodeJpeg'],
    ['1.2.840.10008.1.2.4.80', 'encodeJpegLs'],
    ['1.2.840.10008.1.2.4.90', 'encodeJpeg2000'],
    ['1.2.840.10008.1.2.4.201', 'encodeHtJpeg2000'],
  ] as const)('refuses a codestream of %s that ends early', async (transferSyntaxUid, how) => {
    const whole = encode(how);
    const pixels = [Buffer.alloc(0), whole.subarray(0, Math.floor(0.8 * whole.length))];
    expect(await codeOf({ ...image, transferSyntaxUid, pixels })).toBe('codestream-invalid');
  });

  it('joins the fragments of a single frame', async () => {
    const whole = encode('encodeJpegLs');
    const pixels = [Buffer.alloc(0), whole.subarray(0, 100), whole.subarray(100)];
    expect(await values({ ...image, transferSyntaxUid: '1.2.840.10008.1.2.4.80', pixels })).toEqual(
      hu,
    );
  });

  describe('of several frames', () => {
    const transferSyntaxUid = '1.2.840.10008.1.2.4.80';
    const even = (bytes: Uint8Array) =>
      bytes.length % 2 ? Buffer.concat([bytes, Buffer.alloc(1)]) : Buffer.from(bytes);
    const frame = () => even(encode('encodeJpegLs'));
    const halves = () => [frame().subarray(0, 100), frame().subarray(100)];
    const second = () => 8 + 100 + 8 + (frame().length - 100);

    it.each([
      ['a Basic Offset Table', () => offsets32([0, second()]), undefined],
      ['an Extended Offset Table', () => Buffer.alloc(0), () => offsets64([0, second()])],
      ['only the codestreams themselves', () => Buffer.alloc(0), undefined],
    ])('finds a fragmented frame by %s', async (_name, basic, extended) => {
      const pixels = [basic(), ...halves(), ...halves()];
      const more = extended
        ? { '7FE00001': extended(), '7FE00002': offsets64([second(), second()]) }
        : {};
      expect(await values({ ...image, transferSyntaxUid, frames: 2, pixels, more }, 2)).toEqual(hu);
    });

    it('takes one fragment for each frame', async () => {
      const pixels = [Buffer.alloc(0), frame(), frame()];
      expect(await values({ ...image, transferSyntaxUid, frames: 2, pixels }, 2)).toEqual(hu);
    });

    it('refuses fragments that cannot be told apart', async () => {
      const pixels = [Buffer.alloc(0), ...halves(), frame(), Buffer.alloc(20)];
      expect(await codeOf({ ...image, transferSyntaxUid, frames: 3, pixels }, 3)).toBe(
        'frame-missing',
      );
    });
  });

  it('refuses a codestream of another size before it is decoded', async () => {
    const pixels = [Buffer.alloc(0), encode('encodeJpeg2000')];
    const transferSyntaxUid = '1.2.840.10008.1.2.4.90';
    expect(await codeOf({ ...image, columns: 41, transferSyntaxUid, pixels })).toBe(
      'codestream-invalid',
    );
  });

  it('goes on after a broken codestream', async () => {
    const transferSyntaxUid = '1.2.840.10008.1.2.4.80';
    const whole = encode('encodeJpegLs');
    const broken = [Buffer.alloc(0), whole.subarray(0, 40)];
    expect(await codeOf({ ...image, transferSyntaxUid, pixels: broken })).toBe(
      'codestream-invalid',
    );
    expect(await values({ ...image, transferSyntaxUid, pixels: [Buffer.alloc(0), whole] })).toEqual(
      hu,
    );
    await NativeCodecs.initializeAsync();
  });
});

describe('the transfer syntaxes that are received', () => {
  const native = [
    '1.2.840.10008.1.2',
    '1.2.840.10008.1.2.1',
    '1.2.840.10008.1.2.1.99',
    '1.2.840.10008.1.2.2',
  ];
  const encapsulated = TRANSFER_SYNTAXES.filter(({ uid }) => !native.includes(uid));

  it.each(encapsulated)('have a decoder: $name', async ({ uid }) => {
    const pixels = [Buffer.alloc(0), Buffer.alloc(100, 1)];
    expect(await codeOf({ ...SIGNED_12, transferSyntaxUid: uid, pixels })).toBe(
      'codestream-invalid',
    );
  });
});

/** Up to the header of (0028,0100), which says that two bytes follow. */
const CUT_OFF = (() => {
  const whole = Buffer.from(part10Of({ ...SIGNED_12, transferSyntaxUid: '1.2.840.10008.1.2' }));
  const bitsAllocated = whole.indexOf(Buffer.from('2800000102000000', 'hex'));
  return whole.subarray(0, bitsAllocated + 8);
})();

describe('what is refused', () => {
  it.each([
    ['no DICOM file', Buffer.alloc(300), 'not-dicom'],
    ['an empty file', Buffer.alloc(0), 'not-dicom'],
    ['a file that ends before the value of Bits Allocated', CUT_OFF, 'not-dicom'],
    ['a short pixel data', part10Of({ ...SIGNED_12, rows: 3 }), 'pixel-data-too-short'],
    ['no rows', part10Of({ ...SIGNED_12, rows: 0 }), 'dimensions-invalid'],
    [
      'rows and columns beyond any CT',
      part10Of({ ...SIGNED_12, rows: 65_535, columns: 65_535 }),
      'dimensions-invalid',
    ],
    ['colour', part10Of({ ...SIGNED_12, samples: 3, photometric: 'RGB' }), 'not-monochrome'],
    ['32 bits', part10Of({ ...SIGNED_12, bitsAllocated: 32 }), 'bits-unsupported'],
    [
      'more bits stored than allocated',
      part10Of({ ...SIGNED_12, bitsStored: 17 }),
      'bits-unsupported',
    ],
    [
      'a transfer syntax without a decoder',
      part10Of({
        ...SIGNED_12,
        transferSyntaxUid: '1.2.840.10008.1.2.4.100',
        pixels: [Buffer.alloc(0), Buffer.alloc(8)],
      }),
      'transfer-syntax-unsupported',
    ],
    [
      'a flood of empty fragments',
      part10Of({
        ...SIGNED_12,
        transferSyntaxUid: '1.2.840.10008.1.2.4.70',
        pixels: Array.from({ length: 50_000 }, () => Buffer.alloc(0)),
      }),
      'codestream-invalid',
    ],
    [
      'a deflated dataset that inflates without end',
      part10Of({
        ...SIGNED_12,
        transferSyntaxUid: '1.2.840.10008.1.2.1.99',
        pixels: Buffer.alloc(160 * 1024 * 1024),
      }),
      'too-large',
    ],
  ])('refuses %s', async (_name, part10, code) => {
    await expect(readStoredImage(part10)).rejects.toMatchObject({ name: 'PixelError', code });
  });
});

function offsets32(offsets: readonly number[]): Buffer {
  return Buffer.from(Uint32Array.from(offsets).buffer);
}

function offsets64(offsets: readonly number[]): Buffer {
  return Buffer.from(BigUint64Array.from(offsets, BigInt).buffer);
}
