import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readStoredImage } from '../../../src/dicom/pixels.js';
import { headSlice } from '../../unit/infer/phantom.js';
import { part10Of, samples16, type TestImage, valuesOf } from '../../unit/pixels/part10.js';

const realSlice = fileURLToPath(
  new URL('../../../../shared/data/head-ct-ge/14.dcm', import.meta.url),
);

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vigil-codecs-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Tools of DCMTK and GDCM, and whether what they write loses nothing. */
const LOSSLESS: readonly (readonly [name: string, command: readonly string[]])[] = [
  ['DCMTK implicit little endian', ['dcmconv', '+ti']],
  ['DCMTK explicit big endian', ['dcmconv', '+tb']],
  ['DCMTK deflated', ['dcmconv', '+td']],
  ['DCMTK RLE', ['dcmcrle']],
  ['DCMTK JPEG lossless SV1', ['dcmcjpeg', '+e1']],
  ['DCMTK JPEG lossless, predictor 2', ['dcmcjpeg', '+el', '+sv', '2']],
  ['DCMTK JPEG lossless, predictor 7', ['dcmcjpeg', '+el', '+sv', '7']],
  ['DCMTK JPEG lossless in fragments', ['dcmcjpeg', '+e1', '+fs', '4']],
  ['DCMTK JPEG-LS', ['dcmcjpls', '+el']],
  ['DCMTK JPEG-LS in fragments', ['dcmcjpls', '+el', '+fs', '4']],
  ['GDCM RLE', ['gdcmconv', '--rle']],
  ['GDCM JPEG lossless SV1', ['gdcmconv', '--jpeg']],
  ['GDCM JPEG-LS', ['gdcmconv', '--jpegls']],
  ['GDCM JPEG 2000', ['gdcmconv', '--j2k']],
];

const UIDS = {
  '00080016': '1.2.840.10008.5.1.4.1.1.2',
  '00080018': '1.2.826.0.1.3680043.8.498.1',
  '0020000D': '1.2.826.0.1.3680043.8.498.2',
  '0020000E': '1.2.826.0.1.3680043.8.498.3',
};

async function stored(name: string, image: TestImage): Promise<string> {
  const file = join(folder, name);
  await writeFile(file, part10Of({ ...image, more: UIDS }));
  return file;
}

/** What an image means; bits beyond Bits Stored mean nothing. */
async function read(file: string, frame?: number) {
  const image = await readStoredImage(await readFile(file), frame);
  const { samples, highBit, ...described } = image;
  return { ...described, values: valuesOf(image) };
}

async function converted(
  source: string,
  [tool = '', ...options]: readonly string[],
  frame?: number,
): ReturnType<typeof read> {
  const file = join(folder, 'converted.dcm');
  execFileSync(tool, [...options, source, file], { stdio: 'pipe' });
  return read(file, frame);
}

const phantom = [...headSlice()];
const signed16 = { rows: 256, columns: 256, signed: true, pixels: samples16(phantom) };
const unsigned12 = {
  rows: 256,
  columns: 256,
  bitsStored: 12,
  pixels: samples16(phantom.map((hu) => hu + 1024)),
};

describe.each<[string, () => Promise<string>]>([
  ['signed 16-bit values', () => stored('signed16.dcm', signed16)],
  ['unsigned 12-bit values', () => stored('unsigned12.dcm', unsigned12)],
  [
    'signed 12-bit values',
    () =>
      stored('signed12.dcm', {
        ...signed16,
        bitsStored: 12,
        pixels: samples16(phantom.map((hu) => hu & 0xfff)),
      }),
  ],
  [
    'a real slice',
    async () => (existsSync(realSlice) ? realSlice : stored('stand-in.dcm', signed16)),
  ],
])('%s', (_name, make) => {
  it.each(LOSSLESS)('come back from %s', async (_tool, command) => {
    const source = await make();
    const expected = await read(source);
    expect(await converted(source, command)).toEqual(expected);
  });
});

describe('lossy compression', () => {
  it('by JPEG-LS near-lossless comes back as near as it says', async () => {
    const source = await stored('near.dcm', unsigned12);
    const { values } = await converted(source, ['dcmcjpls', '+en', '+md', '2']);
    expect(
      farthest(
        values,
        phantom.map((hu) => hu + 1024),
      ),
    ).toBeLessThanOrEqual(2);
  });

  it('by JPEG of 8 bits comes back near', async () => {
    const pixels = Uint8Array.from(phantom, (hu) => Math.min(Math.max(hu + 20, 0), 120));
    const source = await stored('eight.dcm', {
      ...signed16,
      signed: false,
      bitsAllocated: 8,
      pixels,
    });
    const { values } = await converted(source, ['dcmcjpeg', '+eb', '+q', '95']);
    expect(farthest(values, pixels)).toBeLessThan(20);
  });

  it('by JPEG of 12 bits comes back near', async () => {
    const source = await stored('twelve.dcm', unsigned12);
    const { values } = await converted(source, ['dcmcjpeg', '+ee', '+bt', '+q', '99']);
    expect(
      farthest(
        values,
        phantom.map((hu) => hu + 1024),
      ),
    ).toBeLessThan(60);
  });
});

describe('a multi-frame object', () => {
  const frames = [phantom, phantom.map((hu) => hu + 1), phantom.map((hu) => hu + 2)];
  const source = () =>
    stored('frames.dcm', { ...signed16, frames: 3, pixels: samples16(frames.flat()) });

  it.each(LOSSLESS.filter(([name]) => !name.startsWith('GDCM')))(
    'comes back frame by frame from %s',
    async (_tool, command) => {
      const { values } = await converted(await source(), command, 2);
      expect(farthest(values, frames[1] ?? [])).toBe(0);
    },
  );
});

function farthest(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  let worst = 0;
  for (let i = 0; i < expected.length; i += 1) {
    worst = Math.max(worst, Math.abs((actual[i] ?? Number.NaN) - (expected[i] ?? Number.NaN)));
  }
  return worst;
}
