import { describe, expect, it } from 'vitest';
import * as console from '../../../src/console/words.js';
import { percent } from '../../../src/domain/percent.js';
import { OUTCOMES } from '../../../src/domain/urgency.js';
import * as report from '../../../src/report/wording.js';

describe("the console's words", () => {
  it('are those of the reports', () => {
    expect(console.HEADLINES).toEqual(report.HEADLINES);
    expect(console.CAVEATS).toEqual(report.CAVEATS);
  });

  it('rank the outcomes as the node does', () => {
    expect(console.OUTCOMES).toEqual(OUTCOMES);
  });

  it('say first of what was not analysed that it was not', () => {
    expect(console.OUTCOME_WORDS.failed).toMatch(/^Not analysed/);
    expect(console.OUTCOME_WORDS['not-eligible']).toMatch(/^Not analysed/);
  });

  it.each([0, 0.004, 0.005, 0.42, 0.994, 0.995, 1])('give %d as the reports do', (probability) => {
    expect(console.percent(probability).replaceAll('\u00a0', ' ')).toBe(percent(probability));
  });

  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1500, '1.5 KB'],
    [526_000, '526 KB'],
    [41e9, '41 GB'],
  ])('give %d bytes as %s', (size, text) => {
    expect(console.bytes(size)).toBe(text);
  });
});
