import { describe, expect, it } from 'vitest';
import { parseStudyLabels } from '../../../src/commands/study-labels.js';

describe('study labels', () => {
  it.each([
    ['commas', 'StudyInstanceUID,any,subdural\n1.2,1,0\n1.3,0,\n'],
    [
      'semicolons, quotes, CRLF and a BOM',
      '\uFEFF"StudyInstanceUID";"any";"subdural"\r\n1.2;1;0\r\n1.3;0;\r\n',
    ],
    [
      'tabs, words and other columns',
      'reader\tStudyInstanceUID\tany\tsubdural\nA\t1.2\tYes\tno\nB\t1.3\tno\t\n',
    ],
  ])('are read with %s', (_name, text) => {
    expect(parseStudyLabels(text)).toEqual([
      { studyInstanceUid: '1.2', labels: { any: true, subdural: false } },
      { studyInstanceUid: '1.3', labels: { any: false } },
    ]);
  });

  it('are refused with every fault and its line', () => {
    const text = 'StudyInstanceUID,any\n1.2,maybe\nx,1\n1.2,0\n';
    expect(() => parseStudyLabels(text)).toThrow(
      'line 2: any is neither 0 nor 1\nline 3: StudyInstanceUID is no UID\nline 4: the study stands on an earlier line too',
    );
  });

  it.each(['any\n1\n', 'StudyInstanceUID,bleed\n1.2,1\n', ''])(
    'are refused without their columns',
    (text) => {
      expect(() => parseStudyLabels(text)).toThrow(/line 1: the header needs StudyInstanceUID/);
    },
  );
});
