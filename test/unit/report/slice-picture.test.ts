import { createCanvas } from '@napi-rs/canvas';
import { describe, expect, it } from 'vitest';
import { heatColour, heatOpacity } from '../../../src/report/colour-map.js';
import { drawHeatMap, drawSlice, sample, slicePicture } from '../../../src/report/slice-picture.js';

describe('slicePicture', () => {
  it('maps the brain window to grey by the linear function of PS3.3 C.11.2.1.2.1', () => {
    const hu = Float32Array.of(-1000, 0, 39.5, 80, 2000, 20);
    const picture = slicePicture({ rows: 2, columns: 3, hu });
    const { data } = picture.canvas.getContext('2d').getImageData(0, 0, 3, 2);
    expect([0, 1, 2, 3, 4, 5].map((i) => data[i * 4])).toEqual([0, 0, 128, 255, 255, 65]);
    expect(picture.aspect).toBe(1.5);
  });

  it('keeps the shape of the patient where pixels are not square', () => {
    const hu = new Float32Array(20 * 10);
    const picture = slicePicture({ rows: 10, columns: 20, hu, pixelSpacing: [2, 1] });
    const canvas = createCanvas(100, 60);
    const area = { x: 0, y: 0, width: 100, height: 60 };
    expect(drawSlice(canvas.getContext('2d'), picture, area)).toEqual({
      x: 20,
      y: 0,
      width: 60,
      height: 60,
    });
  });
});

describe('sample', () => {
  const map = { width: 2, height: 2, values: [0, 1, 0.5, 0.5], box: { x: 0, y: 0, side: 1 } };

  it.each([
    [0.25, 0.25, 0],
    [0.75, 0.25, 1],
    [0.5, 0.25, 0.5],
    [0.5, 0.5, 0.5],
    [0.75, 0.5, 0.75],
    [0, 0, 0],
    [0.999, 0, 1],
  ])('(%d, %d) is %d', (u, v, value) => {
    expect(sample(map, u, v)).toBeCloseTo(value, 10);
  });
});

describe('drawHeatMap', () => {
  const box = { x: 4, y: 4, side: 4 };
  it.each([
    ['a value that is no number', { width: 2, height: 1, values: [0, Number.NaN], box }],
    ['a value beyond 1', { width: 2, height: 1, values: [0, 3], box }],
    ['a cell without a value', { width: 2, height: 1, values: [0], box }],
    ['a box that is nowhere', { width: 1, height: 1, values: [1], box: { ...box, x: Number.NaN } }],
  ])('refuses a map with %s', (_, heatMap) => {
    const picture = slicePicture({ rows: 8, columns: 8, hu: new Float32Array(64) });
    const context = createCanvas(80, 80).getContext('2d');
    const place = { x: 0, y: 0, width: 80, height: 80 };
    expect(() => drawHeatMap(context, heatMap, picture, place)).toThrow(
      expect.objectContaining({ code: 'heat-map-invalid' }),
    );
  });

  it('paints the hot half of the box and nothing else', () => {
    const picture = slicePicture({ rows: 8, columns: 8, hu: new Float32Array(64) });
    const canvas = createCanvas(80, 80);
    const context = canvas.getContext('2d');
    const place = drawSlice(context, picture, { x: 0, y: 0, width: 80, height: 80 });
    const heatMap = { width: 2, height: 1, values: [0, 1], box: { x: 4, y: 4, side: 4 } };
    drawHeatMap(context, heatMap, picture, place);
    const redAt = (x: number, y: number) => context.getImageData(x, y, 1, 1).data[0];
    expect(redAt(76, 60)).toBeGreaterThan(100);
    expect(redAt(42, 60)).toBe(0);
    expect(redAt(76, 30)).toBe(0);
    expect(redAt(10, 60)).toBe(0);
  });
});

describe('colour map', () => {
  it('rises in lightness, so that it reads in grey', () => {
    const lightness = [0, 0.2, 0.4, 0.6, 0.8, 1].map((value) => {
      const [red, green, blue] = heatColour(value);
      return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    });
    expect(lightness).toEqual([...lightness].sort((a, b) => a - b));
  });

  it('leaves low values clear and anatomy visible under high ones', () => {
    expect(heatOpacity(0.19)).toBe(0);
    expect(heatOpacity(1)).toBeGreaterThan(0.4);
    expect(heatOpacity(1)).toBeLessThan(0.7);
  });
});
