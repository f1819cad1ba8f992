import { describe, expect, it } from 'vitest';
import { type HuImage, orientToDisplay, readHuImage, toHu } from '../../../src/dicom/hu-image.js';
import type { StoredImage } from '../../../src/dicom/pixels.js';
import type { Orientation } from '../../../src/domain/instance.js';
import { part10Of, samples16 } from './part10.js';

function stored(
  values: readonly number[],
  more: Partial<Pick<StoredImage, 'bitsStored' | 'highBit' | 'signed' | 'padding'>> = {},
): StoredImage {
  const samples = Uint16Array.from(values);
  const { length: columns } = values;
  return { rows: 1, columns, bitsStored: 16, highBit: 15, signed: true, samples, ...more };
}

describe('Hounsfield units', () => {
  it('come from slope and intercept', () => {
    const { hu } = toHu(stored([0, 1000, 1040]), { rescaleSlope: 2, rescaleIntercept: -1024 });
    expect([...hu]).toEqual([-1024, 976, 1056]);
  });

  it('are those of air at the padding value and up to its limit', () => {
    const padding = { from: -2000, to: -1998 };
    const { hu } = toHu(stored([-2000, -1999, -1998, -1997], { padding }), {});
    expect([...hu]).toEqual([-1000, -1000, -1000, -1997]);
  });

  it('keep tissue whose value a wrong header calls padding', () => {
    const { hu } = toHu(stored([0, 40], { padding: { from: 0, to: 0 } }), {});
    expect([...hu]).toEqual([0, 40]);
  });

  it.each([0, Number.NaN, Number.POSITIVE_INFINITY])(
    'are refused for a slope of %s',
    (rescaleSlope) => {
      expect(() => toHu(stored([1]), { rescaleSlope })).toThrow(
        expect.objectContaining({ code: 'value-mapping-invalid' }),
      );
    },
  );
});

describe('a value mapping that leads to no number', () => {
  it.each([
    ['beyond the range of a float', { rescaleSlope: 1e38 }],
    ['from text that is no number', { rescaleUnreadable: true as const }],
  ])('is refused: %s', (_, geometry) => {
    expect(() => toHu(stored([1, 1000]), geometry)).toThrow(
      expect.objectContaining({ code: 'value-mapping-invalid' }),
    );
  });
});

describe('12-bit values that wrapped around', () => {
  const wrapped = (hu: number) => (hu + 4096) % 4096;
  const wrappedImage = (brain: number, air: number): StoredImage =>
    stored(
      Array.from({ length: 100 }, (_, i) => wrapped(i < 40 ? air : i < 90 ? brain : 900)),
      { bitsStored: 12, highBit: 11, signed: false },
    );

  it('are unwrapped where air and brain come out right', () => {
    const { hu } = toHu(wrappedImage(32, -1000), {});
    expect([hu[0], hu[50], hu[99]]).toEqual([-1000, 32, 900]);
  });

  it.each([
    ['without air', 32, -200],
    ['with brain at another value', 70, -1000],
  ])('stay as they are %s', (_name, brain, air) => {
    expect(toHu(wrappedImage(brain, air), {}).hu[0]).toBe(wrapped(air));
  });

  it('stay as they are where there is an intercept', () => {
    const { hu } = toHu(wrappedImage(32, -1000), { rescaleIntercept: -1024 });
    expect(hu[0]).toBe(3096 - 1024);
  });
});

describe('radiological display', () => {
  /** Rows of letters; L is at the patient's left, P posterior. */
  const image = (rows: number, values: readonly number[]): HuImage => ({
    rows,
    columns: values.length / rows,
    hu: Float32Array.from(values),
    pixelSpacing: [0.4, 0.5],
  });
  const upright = image(2, [1, 2, 3, 4, 5, 6]);

  it.each<[string, Orientation, HuImage]>([
    ['as it is', [1, 0, 0, 0, 1, 0], image(2, [1, 2, 3, 4, 5, 6])],
    ['with a tilted gantry', [1, 0, 0, 0, 0.95, -0.31], image(2, [1, 2, 3, 4, 5, 6])],
    ['mirrored', [-1, 0, 0, 0, 1, 0], image(2, [3, 2, 1, 6, 5, 4])],
    ['upside down', [1, 0, 0, 0, -1, 0], image(2, [4, 5, 6, 1, 2, 3])],
    ['turned by half', [-1, 0, 0, 0, -1, 0], image(2, [6, 5, 4, 3, 2, 1])],
  ])('comes out of an image %s', (_name, orientation, given) => {
    expect(orientToDisplay(given, orientation)).toEqual(upright);
  });

  it.each<[string, Orientation, number[]]>([
    ['rows to posterior, columns to the left', [0, 1, 0, 1, 0, 0], [1, 4, 2, 5, 3, 6]],
    ['rows to anterior, columns to the left', [0, -1, 0, 1, 0, 0], [4, 1, 5, 2, 6, 3]],
    ['rows to posterior, columns to the right', [0, 1, 0, -1, 0, 0], [3, 6, 2, 5, 1, 4]],
  ])('comes out of an image with %s', (_name, orientation, values) => {
    const given = { ...image(3, values), pixelSpacing: [0.5, 0.4] as const };
    expect(orientToDisplay(given, orientation)).toEqual(upright);
  });

  it('is what reading a slice gives', async () => {
    const part10 = part10Of({ rows: 1, columns: 2, pixels: samples16([1024, 1064]) });
    const image = await readHuImage(part10, {
      rescaleIntercept: -1024,
      imageOrientationPatient: [-1, 0, 0, 0, 1, 0],
      pixelSpacing: [0.4, 0.5],
    });
    expect(image).toEqual({
      rows: 1,
      columns: 2,
      hu: Float32Array.from([40, 0]),
      pixelSpacing: [0.4, 0.5],
    });
  });
});
