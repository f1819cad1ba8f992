import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import type { Selection, SelectionWork } from '../../../src/domain/selection.js';
import { selectionPass } from '../../../src/infer/selection-stage.js';

const waits = { studyQuietMs: 0, lateFirstMs: 5_000, lateLongestMs: 60_000, capMs: 600_000 };

describe('selectionPass', () => {
  it('settles a study that cannot be chosen from, so that it holds up no other', () => {
    const settled: Selection[] = [];
    // A header that an older version stored without its frames.
    const header = { modality: 'CT', sopClassUid: '1.2.840.10008.5.1.4.1.1.2', imageType: [] };
    const work = {
      studyInstanceUid: '1.1',
      lastInstanceAt: 0,
      claimedAt: 0,
      conflicts: { kinds: [], receivedAt: [], series: [] },
      series: [{ seriesInstanceUid: '1.1.1', complete: true, instances: [{ header }] }],
    } as unknown as SelectionWork;
    const queue = {
      nextSelection: () => work,
      settleSelection: (_: SelectionWork, selection: Selection) => settled.push(selection),
    };
    selectionPass(queue, waits, pino({ level: 'silent' }));
    expect(settled).toMatchObject([
      { type: 'analyse', seriesInstanceUid: null, trigger: { code: 'selection-failed' } },
    ]);
  });
});
