import { describe, expect, it } from 'vitest';
import { eventText } from '../../../src/console/study/event-words.js';

const entry = (kind: string, detail: Record<string, unknown>) =>
  eventText({ at: 0, kind, seriesInstanceUid: null, detail });

describe('what happened to a study, in sentences', () => {
  it('says when a series was taken for whole, and how sure that is', () => {
    const detail = {
      confidence: 'likely',
      code: 'released',
      text: 'The association was released.',
    };
    expect(entry('series-complete', detail)).toEqual({
      text: 'Taken for whole: The association was released (likely).',
      grave: '',
    });
  });

  it.each(['failed', 'not-eligible'])('does not pass over an analysis that is %s', (outcome) => {
    const { text, grave } = entry('analysis-finished', { revision: 2, outcome, code: 'gaps' });
    expect(text).toMatch(/^Analysis 2 finished: Not analysed: .* \(gaps\)[.]$/);
    expect(grave).toBe('warned');
  });

  it('alarms where a result was given up', () => {
    const detail = { destination: 'pacs', object: 'sr', code: 'refused' };
    expect(entry('delivery-dead', detail)).toEqual({
      text: 'Structured Report (3D) is given up at pacs (refused).',
      grave: 'alarm',
    });
  });

  it('shows an event of a newer node as it came', () => {
    expect(entry('moon-rose', { phase: 'full' }).text).toBe('moon-rose {"phase":"full"}');
  });
});
