import { describe, expect, it } from 'vitest';
import { whySpent } from '../../../src/domain/lost-tries.js';
import { AnalysisStore } from '../../../src/store/analysis-store.js';
import { Retention } from '../../../src/store/retention.js';
import { StatusStore } from '../../../src/store/status-store.js';
import { StoreRig, silent } from './rig.js';

const STUDY = '1.1';
const SERIES = '1.1.1';
const reason = { code: 'inference-crashed', text: 'It crashed (SIGSEGV)' };

/** A study whose series is to be analysed. */
async function due(): Promise<{ rig: StoreRig; analyses: AnalysisStore }> {
  const rig = await StoreRig.open();
  rig.ingest.accept(rig.received({ sop: '1.1.1.1' }));
  rig.ingest.flush();
  const trigger = { code: 'released', text: 'test' };
  rig.receiving.completeSeries(SERIES, { confidence: 'likely', reason: trigger });
  const work = rig.selections.nextSelection(Date.now());
  if (!('studyInstanceUid' in work)) throw new Error('no study to choose from');
  rig.selections.settleSelection(work, {
    type: 'analyse',
    seriesInstanceUid: SERIES,
    inputHash: 'x',
    trigger,
    verdicts: [],
  });
  return { rig, analyses: new AnalysisStore(rig.catalog) };
}

describe('the tries of a series', () => {
  it('are counted, with what the process died of the last time', async () => {
    const { rig, analyses } = await due();
    await using _ = rig;
    expect(analyses.lostTries(SERIES)).toEqual({ losses: 0, cutOffs: 0 });
    analyses.loseTry(SERIES, { code: 'inference-hung', text: 'It hung' });
    expect(whySpent(analyses.lostTries(SERIES))).toBeUndefined();
    analyses.loseTry(SERIES, reason);
    const again = new AnalysisStore(rig.catalog).lostTries(SERIES);
    expect(again).toEqual({ losses: 2, cutOffs: 0, reason });
    expect(whySpent(again)).toEqual({ ...reason, text: `${reason.text}: 2 times on this series` });
    const events = new StatusStore(rig.catalog).study(STUDY)?.events ?? [];
    expect(events.filter(({ kind }) => kind === 'inference-lost')).toHaveLength(2);
  });

  it('count the ends of the node in the middle of the analysis, and no other', async () => {
    const { rig, analyses } = await due();
    await using _ = rig;
    analyses.recover();
    expect(analyses.lostTries(SERIES).cutOffs).toBe(0);
    let now = Date.now();
    const waits: number[] = [];
    for (let end = 1; end <= 8; end += 1) {
      expect(whySpent(analyses.lostTries(SERIES))).toBeUndefined();
      expect(analyses.claimAnalysis(now)).toBeDefined();
      analyses.recover(now);
      expect(analyses.lostTries(SERIES).cutOffs).toBe(end);
      const dueAt = analyses.nextAnalysisAt() as number;
      waits.push(Math.max(0, dueAt - now) / 1000);
      now = Math.max(now, dueAt);
    }
    expect(waits).toEqual([0, 2, 4, 8, 16, 32, 60, 60]);
    expect(whySpent(analyses.lostTries(SERIES))?.code).toBe('analysis-cut-off');
  });

  it('are all there again when somebody asks for another analysis, and after an answer', async () => {
    const { rig, analyses } = await due();
    await using _ = rig;
    analyses.loseTry(SERIES, reason);
    new StatusStore(rig.catalog).requestReanalysis(STUDY);
    expect(analyses.lostTries(SERIES).losses).toBe(0);
    analyses.loseTry(SERIES, reason);
    const work = analyses.claimAnalysis(Date.now());
    if (work === undefined) throw new Error('nothing to analyse');
    const model = { name: 'm', version: '1', maker: 'x', family: 'y', hash: 'z' };
    const nothing = { classes: [], slices: [], keySlices: [], series: [] };
    const finding = { ...nothing, outcome: 'negative', model, seriesInstanceUid: SERIES } as const;
    analyses.finishAnalysis(work, finding, 'x');
    expect(analyses.lostTries(SERIES).losses).toBe(0);
  });

  it('go with the study', async () => {
    const { rig, analyses } = await due();
    await using _ = rig;
    analyses.loseTry(SERIES, reason);
    rig.catalog.prepare("UPDATE analysis SET state = 'reported'").run();
    const retention = new Retention({
      catalog: rig.catalog,
      folder: rig.folder,
      freeBytes: () => Promise.resolve(Number.MAX_SAFE_INTEGER),
      log: silent,
    });
    const later = Date.now() + 1e9;
    expect(await retention.run({ maxAgeMs: 1, minFreeBytes: 0 }, later)).toBe(1);
    expect(rig.catalog.prepare('SELECT * FROM lost_try').all()).toEqual([]);
  });
});
