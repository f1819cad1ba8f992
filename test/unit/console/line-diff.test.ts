import { describe, expect, it } from 'vitest';
import { lineDiff } from '../../../src/console/routing/line-diff.js';

const text = (lines: ReturnType<typeof lineDiff>) =>
  lines.map(({ sign, text: line }) => sign + line);

describe('the difference of two texts by lines', () => {
  it('is nothing where they are the same', () => {
    expect(lineDiff('a\nb', 'a\nb')).toEqual([]);
  });

  it('keeps two lines around a change', () => {
    expect(text(lineDiff('1\n2\n3\n4\n5\n6\n7', '1\n2\n3\nfour\n5\n6\n7'))).toEqual([
      ' 2',
      ' 3',
      '-4',
      '+four',
      ' 5',
      ' 6',
    ]);
  });

  it('finds lines that were added and taken away at the ends', () => {
    expect(text(lineDiff('a\nb', 'b\nc'))).toEqual(['-a', ' b', '+c']);
  });
});
