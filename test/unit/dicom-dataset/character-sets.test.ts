import { describe, expect, it } from 'vitest';
import { decodeText } from '../../../src/dicom/character-sets.js';

/** Examples of PS3.5 Annex H to K, and what devices write; `hex` with ESC as 1b. */
const CASES = [
  ['plain', [], '4a6f686e', 'John'],
  ['Latin 1', ['ISO_IR 100'], '4de46e6e', 'Männ'],
  ['Latin 1 without a declaration', [], '4de46e6e', 'Männ'],
  ['Latin 2', ['ISO_IR 101'], 'a3f364bc', 'Łódź'],
  ['Cyrillic', ['ISO_IR 144'], 'bbeedada', 'Люкк'],
  ['Arabic', ['ISO_IR 127'], 'e2c8c7e6ea', 'قباني'],
  ['Greek', ['ISO_IR 126'], 'c4e9efed', 'Διον'],
  ['Thai', ['ISO_IR 166'], 'cac1', 'สม'],
  ['UTF-8', ['ISO_IR 192'], 'e5b1b1e794b0', '山田'],
  ['GB18030', ['GB18030'], 'cdf55ed0a1b6ab', '王^小东'],
  ['kanji', ['', 'ISO 2022 IR 87'], '1b24423b3345441b28425e1b244242404f3a1b2842', '山田^太郎'],
  [
    'half-width katakana first, H.3.2',
    ['ISO 2022 IR 13', 'ISO 2022 IR 87'],
    'd4cfc0de5ec0dbb33d1b24423b3345441b284a5e1b244242404f3a1b284a',
    'ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎',
  ],
  ['JIS X 0212', ['', 'ISO 2022 IR 159'], '1b24284430211b2842', '丂'],
  [
    'Korean, I.2',
    ['', 'ISO 2022 IR 149'],
    '486f6e675e47696c646f6e673d1b242943fbf35e1b242943d1ced4d73d1b242943c8ab5e1b242943b1e6b5bf',
    'Hong^Gildong=洪^吉洞=홍^길동',
  ],
  [
    'simplified Chinese, K.2',
    ['', 'ISO 2022 IR 58'],
    '5a68616e675e5869616f446f6e673d1b242941d5c55e1b242941d0a1b6ab3d',
    'Zhang^XiaoDong=张^小东=',
  ],
  ['switching to Greek', ['ISO 2022 IR 6', 'ISO 2022 IR 126'], '411b2d46c4e9', 'AΔι'],
] as const;

describe('decodeText', () => {
  it.each(CASES)('%s', (_what, sets, hex, text) => {
    expect(decodeText(Buffer.from(hex, 'hex'), sets, true)).toBe(text);
  });

  it('takes a backslash within a two-byte character for what it is', () => {
    const bytes = Buffer.from('1b2442305c1b2842', 'hex');
    expect(decodeText(bytes, ['', 'ISO 2022 IR 87'])).toHaveLength(1);
  });

  it('falls back to the initial sets after a component of a name', () => {
    const bytes = Buffer.from('1b2942c4', 'hex');
    expect(decodeText(bytes, ['ISO 2022 IR 100'])).toContain('Ä');
    const reset = Buffer.from('1b2d46c45ec4', 'hex');
    expect(decodeText(reset, ['ISO 2022 IR 100', 'ISO 2022 IR 126'], true)).toBe('Δ^Ä');
    expect(decodeText(reset, ['ISO 2022 IR 100', 'ISO 2022 IR 126'], false)).toBe('Δ^Δ');
  });

  it('never throws', () => {
    const bytes = Uint8Array.from({ length: 512 }, (_, i) => i % 256);
    for (const set of ['', 'ISO_IR 13', 'ISO_IR 192', 'GB18030', 'ISO 2022 IR 87', 'NO SUCH SET']) {
      expect(decodeText(bytes, [set, 'ISO 2022 IR 149'])).toBeTypeOf('string');
    }
  });
});
