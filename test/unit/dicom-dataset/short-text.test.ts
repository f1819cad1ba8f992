import { describe, expect, it } from 'vitest';
import { shortText } from '../../../src/dicom/short-text.js';

describe('shortText', () => {
  it.each([
    ['abcdefgh', 'abcdefgh'],
    ['abcdefghi', 'abcde...'],
    ['äöüäö', 'äö...'],
    ['山田太郎', '山...'],
    ['🧠🧠🧠', '🧠...'],
  ])('%s', (text, short) => {
    expect(shortText(text, 8)).toBe(short);
  });
});
