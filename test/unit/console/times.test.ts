import { describe, expect, it } from 'vitest';
import { ago, dicomDate, span } from '../../../src/console/times.js';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

describe('times as the console gives them', () => {
  it.each([
    [840, '0.8 s'],
    [42 * SECOND, '42 s'],
    [59.7 * SECOND, '60 s'],
    [3 * MINUTE + 5 * SECOND, '3 min 5 s'],
    [2 * HOUR, '2 h'],
    [2 * HOUR + 4 * MINUTE, '2 h 4 min'],
    [74 * HOUR, '3 d 2 h'],
  ])('gives %d ms as %s', (ms, text) => {
    expect(span(ms)).toBe(text);
  });

  it.each([
    [20 * SECOND, 'just now'],
    [5 * MINUTE, '5 min ago'],
    [HOUR, '1 h ago'],
    [50 * HOUR, '2 d ago'],
  ])('says of %d ms that they are %s', (ms, text) => {
    const now = Date.UTC(2026, 0, 1);
    expect(ago(now - ms, now)).toBe(text);
  });

  it('leaves alone what is no DICOM date', () => {
    expect(dicomDate('19480312')).toBe('1948-03-12');
    expect(dicomDate('unknown')).toBe('unknown');
  });
});
