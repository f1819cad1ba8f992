import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Finding, Outcome } from '../../../src/domain/finding.js';
import type { SelectionWork } from '../../../src/domain/selection.js';
import { AnalysisStore } from '../../../src/store/analysis-store.js';
import { CommitmentStore } from '../../../src/store/commitment-store.js';
import { DeliveryStore } from '../../../src/store/delivery-store.js';
import { PerformedStepStore } from '../../../src/store/performed-step-store.js';
import { Retention } from '../../../src/store/retention.js';
import { StatusStore } from '../../../src/store/status-store.js';
import { sendTo } from '../../routing-decision.js';
import { requireMounts, SmallDisk } from '../faults/small-disk.js';
import { StoreRig, silent } from './rig.js';

const STUDY = '1.1';
const trigger = { code: 'released', text: 'test' };

function finding(outcome: Outcome): Finding {
  return {
    outcome,
    model: { name: 'm', version: '1', maker: 'x', family: 'y', hash: 'z' },
    classes: [],
    slices: [],
    keySlices: [],
    series: [],
  };
}

function object(sopInstanceUid: string, kind: 'sr' | 'heatmap', fallbackFor?: string) {
  return {
    object: {
      kind,
      sopClassUid: '1.2.840.10008.5.1.4.1.1.88.34',
      sopInstanceUid,
      seriesInstanceUid: `2.25.${kind === 'sr' ? 1 : 2}`,
      transferSyntaxUid: '1.2.840.10008.1.2.1',
      ...(fallbackFor === undefined ? {} : { fallbackFor }),
    },
    file: `results/${STUDY}/${sopInstanceUid}.dcm`,
    sha256: 'x',
    bytes: 1,
  };
}

/** A study with one slice, brought to the point where its series is to be chosen. */
async function chosen(rig: StoreRig): Promise<SelectionWork> {
  rig.ingest.accept(rig.received({ sop: '1.1.1.1' }));
  rig.ingest.flush();
  rig.receiving.completeSeries('1.1.1', { confidence: 'likely', reason: trigger });
  const work = rig.selections.nextSelection(Date.now());
  if (!('studyInstanceUid' in work)) throw new Error('no study to choose from');
  return work;
}

/** The same study with its report committed; returns the claimed work. */
async function reported(rig: StoreRig, analyses: AnalysisStore, outcome: Outcome = 'positive') {
  const report = await composing(rig, analyses, outcome);
  const objects = [
    object('2.25.10', 'sr'),
    object('2.25.11', 'sr', '2.25.10'),
    object('2.25.12', 'heatmap'),
  ];
  analyses.finishReport(report, objects, TO_PACS);
  return report;
}

/** The same study with its report claimed. */
async function composing(rig: StoreRig, analyses: AnalysisStore, outcome: Outcome) {
  const work = await chosen(rig);
  rig.selections.settleSelection(work, {
    type: 'analyse',
    seriesInstanceUid: '1.1.1',
    inputHash: 'h1',
    trigger,
    verdicts: [],
  });
  const analysis = analyses.claimAnalysis(Date.now());
  if (analysis === undefined) throw new Error('no analysis');
  analyses.finishAnalysis(analysis, finding(outcome), 'h1');
  const report = analyses.claimReport(Date.now());
  if (report === undefined) throw new Error('no report');
  return report;
}

/** The study's next report, claimed, of a new analysis. */
function claimRevision(rig: StoreRig, analyses: AnalysisStore, inputHash: string) {
  expect(new StatusStore(rig.catalog).requestReanalysis(STUDY)).toBe(true);
  const work = rig.selections.nextSelection(Date.now());
  if (!('studyInstanceUid' in work)) throw new Error('no study to choose from');
  expect(work.latestAnalysis).toMatchObject({ inputHash: '' });
  const seriesInstanceUid = '1.1.1';
  const chosen = { type: 'analyse', seriesInstanceUid, inputHash, trigger, verdicts: [] } as const;
  rig.selections.settleSelection(work, chosen);
  const analysis = analyses.claimAnalysis(Date.now());
  if (analysis === undefined) throw new Error('no further analysis');
  analyses.finishAnalysis(analysis, finding('negative'), inputHash);
  const report = analyses.claimReport(Date.now());
  if (report === undefined) throw new Error('no further report');
  return report;
}

function notification(uid: string) {
  return {
    object: {
      kind: 'notification',
      sopClassUid: '',
      sopInstanceUid: uid,
      seriesInstanceUid: uid,
      transferSyntaxUid: '',
    },
    file: `results/${STUDY}/${uid}.json`,
    sha256: 'x',
    bytes: 1,
  } as const;
}

const TO_PACS = sendTo(['pacs'], ['sr', 'heatmap']);

describe('the rows that join the stages', () => {
  it('lead from a complete series to one delivery for each object and destination', async () => {
    await using rig = await StoreRig.open();
    const analyses = new AnalysisStore(rig.catalog);
    const deliveries = new DeliveryStore(rig.catalog, rig.folder);
    await reported(rig, analyses);
    const claimed = deliveries.claim('pacs', 10, Date.now());
    expect(claimed.map((delivery) => [delivery.sopInstanceUid, delivery.hasFallback])).toEqual([
      ['2.25.10', true],
      ['2.25.12', false],
    ]);
    expect(deliveries.claim('pacs', 10, Date.now())).toEqual([]);
    for (const delivery of claimed) deliveries.settle(delivery, { type: 'delivered', status: 0 });
    expect(rig.rows('SELECT state, status FROM delivery')).toEqual([
      { state: 'delivered', status: 0 },
      { state: 'delivered', status: 0 },
    ]);
    expect(deliveries.reportLatency('2.25.10')).toBeGreaterThanOrEqual(0);
  });

  it('let an answer go before the pictures of its report are there, once', async () => {
    await using rig = await StoreRig.open();
    const analyses = new AnalysisStore(rig.catalog);
    const deliveries = new DeliveryStore(rig.catalog, rig.folder);
    const report = await composing(rig, analyses, 'positive');
    expect(analyses.isAdvanced(report)).toBe(false);
    analyses.advanceReport(report, [object('2.25.10', 'sr')], TO_PACS);
    expect(analyses.isAdvanced(report)).toBe(true);
    const claimed = deliveries.claim('pacs', 10, Date.now());
    expect(claimed.map(({ sopInstanceUid }) => sopInstanceUid)).toEqual(['2.25.10']);
    // As after a crash in between.
    const again = analyses.claimReport(Date.now());
    expect(again).toMatchObject({ analysisId: report.analysisId, attempts: 2 });
    if (again === undefined) throw new Error('no report');
    analyses.finishReport(again, [object('2.25.12', 'heatmap')], TO_PACS);
    expect(rig.rows('SELECT sop_instance_uid AS uid FROM delivery ORDER BY 1')).toEqual([
      { uid: '2.25.10' },
      { uid: '2.25.12' },
    ]);
    expect(rig.rows("SELECT detail->>'objects' AS n FROM event WHERE kind = 'reported'")).toEqual([
      { n: 2 },
    ]);
  });

  it('have an answer whose pictures cannot be made superseded by one that names none', async () => {
    await using rig = await StoreRig.open();
    const analyses = new AnalysisStore(rig.catalog);
    const report = await composing(rig, analyses, 'positive');
    analyses.advanceReport(report, [object('2.25.10', 'sr')], TO_PACS);
    const bare = { ...report.finding, classes: [] };
    analyses.finishUnillustrated(report, TO_PACS, bare);
    const next = analyses.claimReport(Date.now());
    expect(next).toMatchObject({ revision: 2, triggerCode: 'pictures-failed', finding: bare });
    expect(next && analyses.objects.predecessor(next)).toMatchObject({ sopInstanceUid: '2.25.10' });
    const kinds = new StatusStore(rig.catalog).study(STUDY)?.events.map(({ kind }) => kind);
    expect(kinds).toContain('pictures-failed');
  });

  it('forward late slices of a study that no series was read of, with no new report', async () => {
    await using rig = await StoreRig.open();
    const analyses = new AnalysisStore(rig.catalog);
    const unread = { seriesInstanceUid: null, inputHash: 'none', trigger, verdicts: [] };
    rig.selections.settleSelection(await chosen(rig), { type: 'analyse', ...unread });
    const analysis = analyses.claimAnalysis(Date.now());
    if (analysis === undefined) throw new Error('no analysis');
    analyses.finishAnalysis(analysis, finding('not-eligible'), 'none');
    const report = analyses.claimReport(Date.now());
    if (report === undefined) throw new Error('no report');
    analyses.finishReport(report, [], sendTo(['pacs', 'archive'], ['original']));

    rig.ingest.accept(rig.received({ sop: '1.1.1.2' }));
    rig.ingest.flush();
    rig.receiving.completeSeries('1.1.1', { confidence: 'likely', reason: trigger });
    const again = rig.selections.nextSelection(Date.now());
    if (!('studyInstanceUid' in again)) throw new Error('no study to choose from');
    rig.selections.settleSelection(again, { type: 'keep', verdicts: [] });
    const query = 'SELECT sop_instance_uid AS uid, destination FROM delivery ORDER BY 1, 2';
    expect(rig.rows(query)).toEqual([
      { uid: '1.1.1.1', destination: 'archive' },
      { uid: '1.1.1.1', destination: 'pacs' },
      { uid: '1.1.1.2', destination: 'archive' },
      { uid: '1.1.1.2', destination: 'pacs' },
    ]);
    expect(rig.rows('SELECT revision FROM analysis')).toHaveLength(1);
  });

  it('send the fallback in place of a refused object', async () => {
    await using rig = await StoreRig.open();
    const deliveries = new DeliveryStore(rig.catalog, rig.folder);
    await reported(rig, new AnalysisStore(rig.catalog));
    const [sr] = deliveries.claim('pacs', 1, Date.now());
    if (sr === undefined) throw new Error('nothing claimed');
    deliveries.settle(sr, { type: 'refused-with-fallback', code: 'sop-class-not-accepted' });
    const next = deliveries.claim('pacs', 10, Date.now());
    expect(next.map(({ sopInstanceUid }) => sopInstanceUid)).toEqual(['2.25.11', '2.25.12']);
  });

  it('bring back what a dead process had claimed', async () => {
    await using rig = await StoreRig.open();
    const analyses = new AnalysisStore(rig.catalog);
    const deliveries = new DeliveryStore(rig.catalog, rig.folder);
    await reported(rig, analyses);
    expect(deliveries.claim('pacs', 10, Date.now())).toHaveLength(2);
    deliveries.releaseClaims();
    expect(deliveries.claim('pacs', 10, Date.now())).toHaveLength(2);
  });

  it('take up again what a pass claimed and could not settle', async () => {
    await using rig = await StoreRig.open();
    const analyses = new AnalysisStore(rig.catalog);
    const work = await chosen(rig);
    rig.selections.settleSelection(work, {
      type: 'analyse',
      seriesInstanceUid: '1.1.1',
      inputHash: 'h1',
      trigger,
      verdicts: [],
    });
    expect(analyses.claimAnalysis(Date.now())?.attempts).toBe(1);
    const again = analyses.claimAnalysis(Date.now());
    expect(again?.attempts).toBe(2);
    if (again === undefined) throw new Error('no analysis');
    analyses.finishAnalysis(again, finding('positive'), 'h1');
    expect(analyses.claimReport(Date.now())).toBeDefined();
    expect(analyses.claimReport(Date.now())).toBeDefined();
  });

  it('wait for another try, then end as dead letters that a resend revives', async () => {
    await using rig = await StoreRig.open();
    const deliveries = new DeliveryStore(rig.catalog, rig.folder);
    await reported(rig, new AnalysisStore(rig.catalog));
    const [sr, map] = deliveries.claim('pacs', 2, Date.now());
    if (sr === undefined || map === undefined) throw new Error('nothing claimed');
    const retryAt = Date.now() + 60_000;
    deliveries.settle(sr, { type: 'failed', failureClass: 'transient', code: 'refused', retryAt });
    deliveries.settle(map, {
      type: 'failed',
      failureClass: 'permanent',
      code: 'rejected',
      status: 0xc000,
    });
    expect(deliveries.nextDueAt('pacs')).toBe(retryAt);
    expect(
      rig.rows('SELECT state, failure_code AS code FROM delivery ORDER BY delivery_id'),
    ).toEqual([
      { state: 'due', code: 'refused' },
      { state: 'dead', code: 'rejected' },
    ]);
    expect(deliveries.resend(STUDY, ['pacs'])).toBe(1);
    expect(deliveries.claim('pacs', 10, Date.now())).toHaveLength(1);
  });

  it('supersede: a new revision names the report before it', async () => {
    await using rig = await StoreRig.open();
    const analyses = new AnalysisStore(rig.catalog);
    const first = await reported(rig, analyses);
    expect(analyses.objects.predecessor(first)).toBeUndefined();
    const report = claimRevision(rig, analyses, 'h2');
    expect(analyses.objects.predecessor(report)).toMatchObject({
      sopInstanceUid: '2.25.10',
      fallback: { sopInstanceUid: '2.25.11' },
    });
  });

  it('tell a channel nothing that a later revision has overtaken there, also after a resend', async () => {
    await using rig = await StoreRig.open();
    const analyses = new AnalysisStore(rig.catalog);
    const outbox = new DeliveryStore(rig.catalog, rig.folder);
    await reported(rig, analyses);
    const tell = (uid: string, channels: readonly string[], hash: string) => {
      const work = claimRevision(rig, analyses, hash);
      analyses.finishReport(work, [notification(uid)], sendTo(channels, ['notification']));
    };
    const claim = (channel: string) => {
      outbox.replaceOutdatedNotifications(channel);
      return outbox.claim(channel, 9, Date.now());
    };
    const uids = (channel: string) => claim(channel).map(({ sopInstanceUid }) => sopInstanceUid);
    tell('2.25.21', ['ris', 'on-call'], 'h2');
    const [first] = claim('ris');
    if (first === undefined) throw new Error('nothing is due');
    outbox.settle(first, { type: 'failed', failureClass: 'permanent', code: 'hl7-ar' });
    tell('2.25.22', ['ris'], 'h3');
    expect(uids('ris')).toEqual(['2.25.22']);
    expect(outbox.resendDead({ destinations: ['ris'] })).toBe(1);
    expect(uids('ris')).toEqual([]);
    expect(
      rig.rows("SELECT state FROM delivery WHERE destination = 'ris' ORDER BY delivery_id"),
    ).toEqual([{ state: 'replaced' }, { state: 'sending' }]);
    expect(rig.rows("SELECT kind FROM event WHERE kind = 'delivery-replaced'")).toHaveLength(1);
    // The later one did not go there: what it was told of last still counts.
    expect(uids('on-call')).toEqual(['2.25.21']);
    // Archives keep every report, each by its own UID.
    outbox.replaceOutdatedNotifications('pacs');
    expect(outbox.claim('pacs', 9, Date.now())).toHaveLength(2);
  });

  it('put a study off until a time', async () => {
    await using rig = await StoreRig.open();
    const work = await chosen(rig);
    const until = Date.now() + 5_000;
    rig.selections.settleSelection(work, { type: 'wait', until });
    expect(rig.selections.nextSelection(Date.now())).toEqual({ dueAt: until });
  });
});

describe('Retention', () => {
  const limits = { maxAgeMs: 1_000, minFreeBytes: 0 };
  const later = () => Date.now() + 10_000;

  function retention(rig: StoreRig) {
    return new Retention({
      catalog: rig.catalog,
      folder: rig.folder,
      freeBytes: async () => 1,
      log: silent,
    });
  }

  it('removes old studies with files and rows, and never one that is not delivered', async () => {
    await using rig = await StoreRig.open();
    const deliveries = new DeliveryStore(rig.catalog, rig.folder);
    const keeper = retention(rig);
    await keeper.recover();
    await reported(rig, new AnalysisStore(rig.catalog));
    mkdirSync(join(rig.folder, 'results', STUDY), { recursive: true });
    writeFileSync(join(rig.folder, 'results', STUDY, '2.25.10.dcm'), 'sr');
    expect(await keeper.run(limits, later())).toBe(0);
    for (const delivery of deliveries.claim('pacs', 10, Date.now())) {
      deliveries.settle(delivery, { type: 'delivered', status: 0 });
    }
    expect(await keeper.run(limits, later())).toBe(1);
    expect(rig.rows('SELECT count(*) AS n FROM instance')).toEqual([{ n: 0 }]);
  });

  it('forgets procedure steps whose study is gone, or never came', async () => {
    await using rig = await StoreRig.open();
    const keeper = retention(rig);
    await keeper.recover();
    rig.ingest.accept(rig.received({ sop: '1.1.1.1' }));
    rig.ingest.flush();
    const steps = new PerformedStepStore(rig.catalog);
    const series = [{ seriesInstanceUid: '1.9.1', instances: [] }];
    for (const studyInstanceUid of [STUDY, '1.9']) {
      const step = { sopInstanceUid: `${studyInstanceUid}.8`, studyInstanceUid, series };
      expect(steps.create({ ...step, callingAeTitle: 'CT1' })).toBe('taken');
    }
    await keeper.run(limits, Date.now());
    expect(rig.rows('SELECT count(*) AS n FROM performed_step')).toEqual([{ n: 2 }]);
    await keeper.run(limits, later());
    expect(rig.rows('SELECT study_instance_uid AS uid FROM performed_step')).toEqual([
      { uid: STUDY },
    ]);
    expect(rig.rows('SELECT count(*) AS n FROM performed_series')).toEqual([{ n: 1 }]);
  });

  it('forgets requests for commitment whose instances are gone, once they are answered', async () => {
    await using rig = await StoreRig.open();
    const keeper = retention(rig);
    await keeper.recover();
    rig.ingest.accept(rig.received({ sop: '1.1.1.1' }));
    rig.ingest.flush();
    const commitments = new CommitmentStore({ catalog: rig.catalog, folder: rig.folder });
    const names = { here: '1.1.1.1', gone: '1.1.1.2', unanswered: '1.1.1.3' };
    for (const [transactionUid, sopInstanceUid] of Object.entries(names)) {
      const request = {
        transactionUid,
        associationId: 1,
        callingAeTitle: transactionUid,
        calledAeTitle: 'VIGIL',
        instances: [{ sopClassUid: '1.2.840.10008.5.1.4.1.1.2', sopInstanceUid }],
        requestedAt: Date.now(),
      };
      expect(commitments.accept(request)).toBe('accepted');
    }
    for (const due of commitments.due()) {
      if (due.transactionUid !== 'unanswered') commitments.settle(due, [], { type: 'reported' });
    }
    await keeper.run(limits, Date.now());
    expect(rig.rows('SELECT count(*) AS n FROM commitment')).toEqual([{ n: 3 }]);
    await keeper.run(limits, later());
    const left = rig.rows('SELECT transaction_uid AS uid FROM commitment ORDER BY uid');
    expect(left).toEqual([{ uid: 'here' }, { uid: 'unanswered' }]);
    expect(rig.rows('SELECT count(*) AS n FROM commitment_instance')).toEqual([{ n: 2 }]);
  });

  it('removes the oldest studies while space is short', async () => {
    await using rig = await StoreRig.open();
    const deliveries = new DeliveryStore(rig.catalog, rig.folder);
    const keeper = retention(rig);
    await keeper.recover();
    await reported(rig, new AnalysisStore(rig.catalog));
    for (const delivery of deliveries.claim('pacs', 10, Date.now())) {
      deliveries.settle(delivery, { type: 'delivered', status: 0 });
    }
    expect(await keeper.run({ maxAgeMs: 1e9, minFreeBytes: 2 }, later())).toBe(1);
  });

  it('finishes at start what a crash cut off', async () => {
    await using rig = await StoreRig.open();
    await reported(rig, new AnalysisStore(rig.catalog));
    rig.catalog.exec('UPDATE study SET removing = 1');
    await retention(rig).recover();
    expect(rig.rows('SELECT count(*) AS n FROM study')).toEqual([{ n: 0 }]);
  });

  it.runIf(requireMounts())(
    'leaves a study whose files cannot be moved as it was, and removes the next one',
    async () => {
      await using rig = await StoreRig.open();
      await using disk = await SmallDisk.mount(1);
      await reported(rig, new AnalysisStore(rig.catalog));
      rig.catalog.exec("UPDATE delivery SET state = 'abandoned'");
      // Younger, so that the one that is stuck comes first.
      rig.ingest.accept(rig.received({ study: '9.9', series: '9.9.1', sop: '9.9.1.1' }));
      rig.ingest.flush();
      rig.catalog.exec(
        "UPDATE series SET state = 'complete'; UPDATE study SET selection_due_at = NULL",
      );
      const stuck = join(rig.folder, 'results', STUDY);
      mkdirSync(stuck, { recursive: true });
      execFileSync('mount', ['--bind', disk.path, stuck]);
      try {
        expect(await retention(rig).run({ maxAgeMs: 1e9, minFreeBytes: 2 }, later())).toBe(1);
        const left = 'SELECT study_instance_uid AS uid, removing FROM study';
        expect(rig.rows(left)).toEqual([{ uid: STUDY, removing: 0 }]);
        expect(existsSync(join(rig.folder, 'instances', STUDY))).toBe(true);
      } finally {
        execFileSync('umount', [stuck]);
      }
      expect(await retention(rig).run(limits, later())).toBe(1);
      expect(rig.rows('SELECT count(*) AS n FROM study')).toEqual([{ n: 0 }]);
    },
  );

  it('does not remove as interrupted what an image has come for since', async () => {
    await using rig = await StoreRig.open();
    await reported(rig, new AnalysisStore(rig.catalog));
    rig.catalog.exec('UPDATE study SET removing = 1');
    rig.ingest.accept(rig.received({ study: STUDY, series: '1.1.1', sop: '1.1.1.77' }));
    rig.ingest.flush();
    expect(await retention(rig).run({ maxAgeMs: 1e9, minFreeBytes: 0 }, later())).toBe(0);
    expect(rig.rows('SELECT count(*) AS n FROM study')).toEqual([{ n: 1 }]);
  });
});
