import dcmjsCodecs from 'dcmjs-codecs';
import { toHu } from '../../../src/dicom/hu-image.js';
import { PixelError } from '../../../src/dicom/pixel-error.js';
import { readStoredImage } from '../../../src/dicom/pixels.js';
import { part10Of, samples16, type TestImage } from '../../unit/pixels/part10.js';
import type { Random } from '../mutate.js';
import type { Target } from '../target.js';

const { Context, NativeCodecs } = dcmjsCodecs;
await NativeCodecs.initializeAsync();

const ROWS = 16;
const COLUMNS = 24;
const STORED = Array.from({ length: ROWS * COLUMNS }, (_, i) => ((i * 37) % 3000) - 1024);
const IMAGE: TestImage = { rows: ROWS, columns: COLUMNS, signed: true, pixels: samples16(STORED) };

type Encoder = 'encodeRle' | 'encodeJpeg' | 'encodeJpegLs' | 'encodeJpeg2000' | 'encodeHtJpeg2000';
const ENCODERS: readonly (readonly [string, Encoder, object])[] = [
  ['1.2.840.10008.1.2.5', 'encodeRle', {}],
  ['1.2.840.10008.1.2.4.57', 'encodeJpeg', { predictor: 6 }],
  ['1.2.840.10008.1.2.4.70', 'encodeJpeg', { predictor: 1 }],
  ['1.2.840.10008.1.2.4.80', 'encodeJpegLs', {}],
  ['1.2.840.10008.1.2.4.90', 'encodeJpeg2000', {}],
  ['1.2.840.10008.1.2.4.201', 'encodeHtJpeg2000', {}],
];
const NATIVE = ['1.2.840.10008.1.2', '1.2.840.10008.1.2.1', '1.2.840.10008.1.2.2'];
const DEFLATED = '1.2.840.10008.1.2.1.99';
/** With decoders, though nothing here encodes them. */
const LOSSY = ['1.2.840.10008.1.2.4.50', '1.2.840.10008.1.2.4.51', '1.2.840.10008.1.2.4.91'];

/** Encoded once: a broken codestream makes Vigil drop the codecs, and it alone loads them again. */
const FRAMES = ENCODERS.map(([transferSyntaxUid, how, parameters]) => ({
  transferSyntaxUid,
  frame: encoded(how, parameters),
}));

/** A stored file, as the inference process reads its pixels. */
export const target: Target = {
  seeds: () => [
    ...[...NATIVE, DEFLATED].map((transferSyntaxUid) => part10Of({ ...IMAGE, transferSyntaxUid })),
    part10Of({ ...IMAGE, rows: 4, columns: 4, frames: 24, padding: -2000, paddingLimit: -1990 }),
    part10Of({ ...IMAGE, bitsAllocated: 8, bitsStored: 8, signed: false }),
    ...FRAMES.map(({ transferSyntaxUid, frame }) => encapsulated({ transferSyntaxUid }, [frame])),
    ...FRAMES.map(({ transferSyntaxUid, frame }) => {
      const halves = [frame.subarray(0, 60), frame.subarray(60)];
      return encapsulated({ transferSyntaxUid, frames: 2 }, [...halves, ...halves]);
    }),
  ],
  dictionary: [
    ...[
      'ffd8',
      'ffd9',
      'ffc3',
      'ffc0',
      'ffda',
      'ffc4',
      'ffdb',
      'fff7',
      'fff8',
      'ff4fff51',
      'ff52',
      'ff50',
      'ff93',
      'ff90',
      'ff5c',
      'feff00e0',
      'feffdde000000000',
      'ffffffff',
      '2800100055530200',
      '2800110055530200',
      '2800080049530200',
      '2800000155530200',
      'e07f01004f560000',
      'e07f02004f560000',
      'e07f10004f420000ffffffff',
    ].map((hex) => Buffer.from(hex, 'hex')),
    ...[...NATIVE, DEFLATED, ...LOSSY, ...ENCODERS.map(([uid]) => uid)].map((uid) =>
      Buffer.from(uid.length % 2 ? `${uid}\0` : uid),
    ),
  ],
  generate: (random) => {
    const chosen = random.pick(FRAMES);
    const lossy = random.chance(0.1);
    const rows = random.chance(0.8) ? ROWS : random.pick([1, 4096, 65_535, random.below(65_536)]);
    const columns = random.chance(0.8) ? COLUMNS : random.pick([1, 4096, random.below(65_536)]);
    const frame = resized(broken(chosen.frame, random), rows, columns);
    const layout = {
      transferSyntaxUid: lossy ? random.pick(LOSSY) : chosen.transferSyntaxUid,
      rows,
      columns,
      bitsAllocated: random.chance(0.9) ? 16 : random.pick([1, 8, 12, 32]),
      bitsStored: random.chance(0.9) ? 16 : 1 + random.below(32),
      ...(random.chance(0.2) && { frames: random.pick([2, 1000, 2 ** 31]) }),
    };
    return encapsulated(
      layout,
      random.chance(0.8) ? [frame] : [frame.subarray(0, 9), frame, frame],
    );
  },
  longest: 512 * 1024,
  memoryLimitMb: 1024,
  run: async (input) => {
    for (const frame of [1, 2]) {
      try {
        const image = await readStoredImage(input, frame);
        if (image.samples.length !== image.rows * image.columns)
          throw new Error('Pixels are missing');
        toHu(image, { rescaleSlope: 1, rescaleIntercept: -1024 });
      } catch (error) {
        if (!(error instanceof PixelError)) throw error;
        return;
      }
    }
  },
};

function encoded(how: Encoder, parameters: object): Buffer {
  const context = new Context({
    width: COLUMNS,
    height: ROWS,
    bitsAllocated: 16,
    bitsStored: 16,
    samplesPerPixel: 1,
    pixelRepresentation: 1,
    planarConfiguration: 0,
    photometricInterpretation: 'MONOCHROME2',
    decodedBuffer: IMAGE.pixels as Uint8Array,
  });
  const bytes = NativeCodecs[how](context, { lossy: false, ...parameters }).getEncodedBuffer();
  return Buffer.from(bytes as Uint8Array);
}

function encapsulated(layout: Partial<TestImage>, fragments: readonly Buffer[]): Buffer {
  return part10Of({ ...IMAGE, ...layout, pixels: [Buffer.alloc(0), ...fragments] });
}

/** Wrong in a few bytes, whole at its ends, so that a decoder begins with it. */
function broken(codestream: Buffer, random: Random): Buffer {
  const bytes = Buffer.from(codestream);
  for (let change = random.below(6); change > 0; change -= 1) {
    bytes[2 + random.below(bytes.length - 4)] = random.below(256);
  }
  return bytes;
}

/** The codestream with the size in its frame header, SIZ or SOF, changed to fit the dataset's claim. */
function resized(codestream: Buffer, rows: number, columns: number): Buffer {
  const bytes = Buffer.from(codestream);
  if (bytes.readUInt16BE(0) === 0xff4f) {
    bytes.writeUInt32BE(columns, 8);
    bytes.writeUInt32BE(rows, 12);
    return bytes;
  }
  for (const marker of [0xffc3, 0xffc1, 0xffc0, 0xfff7]) {
    const at = bytes.indexOf(Buffer.from([marker >> 8, marker & 0xff]));
    if (at < 0 || at + 9 > bytes.length) continue;
    bytes.writeUInt16BE(rows, at + 5);
    bytes.writeUInt16BE(columns, at + 7);
    break;
  }
  return bytes;
}
