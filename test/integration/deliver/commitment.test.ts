import { describe, expect, it } from 'vitest';
import { reportCommitment } from '../../../src/deliver/commitment-report-scu.js';
import type { CommitmentReport } from '../../../src/domain/commitment.js';
import { heldTimers } from '../held-timers.js';
import { ReceiveRig } from '../receive/receive-rig.js';
import { StoreRig } from '../store/rig.js';
import { queueReport } from './queued-reports.js';
import { Stage, startPacs, uidsAt } from './stage.js';

const PUSH_MODEL = '1.2.840.10008.1.20.1';
const verify = { afterMs: 10_000, attempts: 3, commitment: { reportMs: 600_000 } };
/** As long as an association waits for a report on it. */
const HOLD_MS = 5000;
const retry = { baseMs: 1000, capMs: 60_000, attempts: 1000 };

const outcomeOf = (stage: Stage) =>
  stage.rig.rows(
    'SELECT state, attempts, looks, failure_code AS code FROM delivery ORDER BY delivery_id',
  );

/** Reports on an association that the PACS opens, as SCP of the service; resolves to the status of the answer. */
async function reportTo(port: number, report: CommitmentReport): Promise<unknown> {
  const vigil = { aeTitle: 'VIGIL', callingAeTitle: 'PACS', host: '127.0.0.1', port };
  return reportCommitment(vigil, report);
}

describe('delivery with proof by storage commitment', () => {
  it('counts an object as delivered when the PACS commits to it, on the association of the request', async () => {
    await using rig = await StoreRig.open();
    await using pacs = await startPacs(rig.folder);
    await using stage = await Stage.open(pacs.port, { verify, retry });
    await queueReport(stage.rig, 1, 'positive');
    await stage.run(9_000);
    expect(stage.states()).toEqual({ stored: 2 });
    await stage.run();
    expect(outcomeOf(stage)).toEqual([
      { state: 'delivered', attempts: 1, looks: 0, code: null },
      { state: 'delivered', attempts: 1, looks: 0, code: null },
    ]);
  });

  it('takes the report on an association that the PACS opens, and the same report again', async () => {
    await using rig = await StoreRig.open();
    const timers = heldTimers();
    const reports: CommitmentReport[] = [];
    await using pacs = await startPacs(rig.folder, {
      onCommitment: (report) => {
        reports.push(report);
        timers.runOut(HOLD_MS);
      },
    });
    await using stage = await Stage.open(pacs.port, { verify, retry });
    await using scp = await ReceiveRig.start({
      commitmentReports: { take: (report) => stage.verifier.take(report) },
    });
    await queueReport(stage.rig, 1, 'positive');
    await stage.run(60_000);
    expect(stage.states()).toEqual({ stored: 2 });
    const [report] = reports as [CommitmentReport];
    expect(await reportTo(scp.port, report)).toEqual({ status: 0 });
    expect(stage.states()).toEqual({ delivered: 2 });
    expect(await reportTo(scp.port, report)).toEqual({ status: 0 });
    const unknown = { ...report, transactionUid: '1.2.3' };
    expect(await reportTo(scp.port, unknown)).toEqual({ status: 0x0115 });
  });

  it('sends again what the PACS says it has not, and has that committed to', async () => {
    await using rig = await StoreRig.open();
    let losses = 0;
    await using pacs = await startPacs(rig.folder, { loses: () => ++losses === 1 });
    await using stage = await Stage.open(pacs.port, { verify, retry });
    const uids = await queueReport(stage.rig, 1, 'positive', { kinds: ['sr'] });
    await stage.run();
    expect(uidsAt(pacs)).toEqual(uids);
    expect(outcomeOf(stage)).toEqual([{ state: 'delivered', attempts: 2, looks: 1, code: null }]);
  });

  it('makes a dead letter of what the PACS does not commit to time after time, with its reason', async () => {
    await using rig = await StoreRig.open();
    await using pacs = await startPacs(rig.folder, {
      loses: ({ sopInstanceUid }) => sopInstanceUid.endsWith('.10'),
    });
    await using stage = await Stage.open(pacs.port, { verify, retry });
    await queueReport(stage.rig, 1, 'positive');
    await stage.run();
    expect(outcomeOf(stage)).toEqual([
      { state: 'dead', attempts: 3, looks: 3, code: 'not-committed-0112' },
      { state: 'delivered', attempts: 1, looks: 0, code: null },
    ]);
  });

  it('asks a PACS that never reports anew, sends nothing again for that, and gives up', async () => {
    await using rig = await StoreRig.open();
    const timers = heldTimers();
    const asked: string[] = [];
    await using pacs = await startPacs(rig.folder, {
      onCommitment: ({ transactionUid }) => {
        asked.push(transactionUid);
        timers.runOut(HOLD_MS);
      },
    });
    await using stage = await Stage.open(pacs.port, { verify, retry });
    await queueReport(stage.rig, 1, 'positive', { kinds: ['sr'] });
    await stage.run();
    expect(new Set(asked).size).toBe(3);
    expect(outcomeOf(stage)).toEqual([
      { state: 'dead', attempts: 1, looks: 3, code: 'commitment-not-reported' },
    ]);
  });

  it('takes a report that comes late, of an earlier request', async () => {
    await using rig = await StoreRig.open();
    const timers = heldTimers();
    const reports: CommitmentReport[] = [];
    await using pacs = await startPacs(rig.folder, {
      onCommitment: (report) => {
        reports.push(report);
        timers.runOut(HOLD_MS);
      },
    });
    await using stage = await Stage.open(pacs.port, { verify, retry });
    await queueReport(stage.rig, 1, 'positive', { kinds: ['sr'] });
    await stage.run(900_000);
    expect(reports).toHaveLength(2);
    const [first] = reports as [CommitmentReport];
    const failed = first.instances.map((one) => ({ ...one, failureReason: 0x0112 }));
    expect(stage.verifier.take({ ...first, instances: failed })).toBe(true);
    expect(stage.states()).toEqual({ stored: 1 });
    expect(stage.verifier.take(first)).toBe(true);
    expect(stage.states()).toEqual({ delivered: 1 });
  });

  it('knows after a restart what it had asked for', async () => {
    await using rig = await StoreRig.open();
    const timers = heldTimers();
    const reports: CommitmentReport[] = [];
    await using pacs = await startPacs(rig.folder, {
      onCommitment: (report) => {
        reports.push(report);
        timers.runOut(HOLD_MS);
      },
    });
    await using stage = await Stage.open(pacs.port, { verify, retry });
    await queueReport(stage.rig, 1, 'positive');
    await stage.run(60_000);
    const restarted = stage.restart();
    expect(restarted.verifier.take(reports[0] as CommitmentReport)).toBe(true);
    expect(restarted.states()).toEqual({ delivered: 2 });
  });

  it('says at once that a PACS takes no storage commitment', async () => {
    await using rig = await StoreRig.open();
    await using pacs = await startPacs(rig.folder, { refusedSopClasses: [PUSH_MODEL] });
    await using stage = await Stage.open(pacs.port, { verify, retry });
    await queueReport(stage.rig, 1, 'positive', { kinds: ['sr'] });
    await stage.run();
    expect(outcomeOf(stage)).toMatchObject([
      { state: 'dead', attempts: 1, code: 'commitment-not-accepted' },
    ]);
  });

  it.each([
    ['no-answer', 'response-timeout'],
    ['abort', 'association-aborted'],
    ['drop-connection', 'connection-lost'],
    [{ status: 0x0213 }, 'commitment-refused'],
  ] as const)('asks later where the answer is %o', async (fault, code) => {
    await using rig = await StoreRig.open();
    const timers = heldTimers();
    let failing = true;
    await using pacs = await startPacs(rig.folder, {
      commitAnswer: () => {
        if (failing && fault === 'no-answer') timers.runOut();
        return failing ? fault : undefined;
      },
    });
    await using stage = await Stage.open(pacs.port, { verify, retry });
    await queueReport(stage.rig, 1, 'positive');
    await stage.run(60_000);
    expect(outcomeOf(stage)).toMatchObject([
      { state: 'stored', attempts: 1, looks: 0, code },
      { state: 'stored', attempts: 1, looks: 0, code },
    ]);
    failing = false;
    await stage.run();
    expect(stage.states()).toEqual({ delivered: 2 });
  });
});
