import { describe, expect, it } from 'vitest';
import { patientIdentity } from '../../../src/dicom/patient-identity.js';
import { heldTimers } from '../held-timers.js';
import { StoreRig } from '../store/rig.js';
import { queueReport } from './queued-reports.js';
import { Stage, startPacs, uidsAt } from './stage.js';

const STUDY_ROOT_FIND = '1.2.840.10008.5.1.4.1.2.2.1';
const verify = { afterMs: 10_000, attempts: 3 };
const retry = { baseMs: 1000, capMs: 60_000, attempts: 1000 };

const outcomeOf = (stage: Stage) =>
  stage.rig.rows(
    'SELECT state, attempts, looks, status, failure_code AS code FROM delivery ORDER BY delivery_id',
  );

describe('delivery with proof by C-FIND', () => {
  it('counts an object as delivered when the PACS finds it, not before', async () => {
    await using rig = await StoreRig.open();
    const asked: string[] = [];
    await using pacs = await startPacs(rig.folder, {
      findAnswer: (uid) => {
        asked.push(uid);
        return undefined;
      },
    });
    await using stage = await Stage.open(pacs.port, { verify, retry });
    const uids = await queueReport(stage.rig, 1, 'positive');
    await stage.run(9_000);
    expect(uidsAt(pacs)).toHaveLength(2);
    expect(asked).toEqual([]);
    expect(stage.states()).toEqual({ stored: 2 });
    await stage.run();
    expect(asked.toSorted()).toEqual(uids.toSorted());
    expect(outcomeOf(stage)).toEqual(
      uids.map(() => ({ state: 'delivered', attempts: 1, looks: 0, status: 0, code: null })),
    );
  });

  it('sends again what the PACS has lost, and proves it then', async () => {
    await using rig = await StoreRig.open();
    let losses = 0;
    await using pacs = await startPacs(rig.folder, { loses: () => ++losses === 1 });
    await using stage = await Stage.open(pacs.port, { verify, retry });
    const uids = await queueReport(stage.rig, 1, 'positive', { kinds: ['sr'] });
    await stage.run();
    expect(uidsAt(pacs)).toEqual(uids);
    expect(outcomeOf(stage)).toEqual([
      { state: 'delivered', attempts: 2, looks: 1, status: 0, code: null },
    ]);
  });

  it('makes a dead letter of what a PACS answers with success and drops, time after time', async () => {
    await using rig = await StoreRig.open();
    await using pacs = await startPacs(rig.folder, {
      loses: ({ sopInstanceUid }) => sopInstanceUid.endsWith('.10'),
    });
    await using stage = await Stage.open(pacs.port, { verify, retry });
    await queueReport(stage.rig, 1, 'positive');
    await stage.run();
    expect(outcomeOf(stage)).toEqual([
      { state: 'dead', attempts: 3, looks: 3, status: 0, code: 'not-found' },
      { state: 'delivered', attempts: 1, looks: 0, status: 0, code: null },
    ]);
    const kinds = stage.rig.rows("SELECT kind FROM event WHERE kind = 'delivery-dead'");
    expect(kinds).toHaveLength(1);
  });

  it.each([
    ['another Patient ID', { PatientID: 'P-2 ' }, true],
    ['another issuer', { PatientID: 'P-1', IssuerOfPatientID: 'CLINIC' }, true],
    ['another birth date', { PatientID: 'P-1', PatientBirthDate: '19700102' }, true],
    ['the same', { PatientID: 'P-1 ', IssuerOfPatientID: 'HOSPITAL', PatientSex: 'M' }, false],
    ['less', { PatientID: 'P-1' }, false],
    ['nothing', undefined, false],
  ])('shows where the PACS says %s of the study', async (_, filed, refiled) => {
    await using rig = await StoreRig.open();
    await using pacs = await startPacs(rig.folder, { patientOf: () => filed });
    await using stage = await Stage.open(pacs.port, { verify, retry });
    await queueReport(stage.rig, 1, 'negative');
    const patient = patientIdentity({
      patientId: 'P-1',
      issuerOfPatientId: 'HOSPITAL',
      patientBirthDate: '19700101',
    });
    stage.rig.catalog
      .prepare(
        'UPDATE study SET patient_key = :id, issuer_key = :issuer, birth_date_key = :birthDate',
      )
      .run(patient);
    await stage.run();
    expect(stage.states()).toEqual({ delivered: 2 });
    const conflicts = stage.rig.rows('SELECT kind, study_instance_uid AS uid FROM conflict');
    expect(conflicts).toEqual(refiled ? [{ kind: 'report-refiled', uid: '1.2.1' }] : []);
    const events = stage.rig.rows("SELECT detail FROM event WHERE kind = 'conflict'");
    expect(events).toHaveLength(conflicts.length);
    expect(stage.rig.series.conflicts('1.2.1').kinds).toEqual([]);
  });

  it('says at once that a PACS takes no C-FIND, and sends nothing again for that', async () => {
    await using rig = await StoreRig.open();
    await using pacs = await startPacs(rig.folder, { refusedSopClasses: [STUDY_ROOT_FIND] });
    await using stage = await Stage.open(pacs.port, { verify, retry });
    await queueReport(stage.rig, 1, 'positive', { kinds: ['sr'] });
    await stage.run();
    expect(outcomeOf(stage)).toMatchObject([
      { state: 'dead', attempts: 1, code: 'find-not-accepted' },
    ]);
  });

  it.each([
    ['no-answer', 'response-timeout'],
    ['abort', 'association-aborted'],
  ] as const)(
    'makes a dead letter of what it can never ask for, where the answer is %s for good',
    async (fault, code) => {
      await using rig = await StoreRig.open();
      const timers = heldTimers();
      await using pacs = await startPacs(rig.folder, {
        findAnswer: () => {
          if (fault === 'no-answer') timers.runOut();
          return fault;
        },
      });
      await using stage = await Stage.open(pacs.port, {
        verify,
        retry: { ...retry, attempts: 3 },
      });
      await queueReport(stage.rig, 1, 'positive');
      await stage.run();
      expect(outcomeOf(stage)).toMatchObject([
        { state: 'dead', attempts: 1, looks: 1, code },
        { state: 'dead', attempts: 1, looks: 1, code },
      ]);
    },
  );

  it.each([
    ['no-answer', 'response-timeout'],
    ['abort', 'association-aborted'],
    ['drop-connection', 'connection-lost'],
    [{ status: 0xa700 }, 'find-failed'],
  ] as const)(
    'asks later where the answer is %o, and asks for the others meanwhile',
    async (fault, code) => {
      await using rig = await StoreRig.open();
      const timers = heldTimers();
      let failing = true;
      await using pacs = await startPacs(rig.folder, {
        findAnswer: (uid) => {
          if (!failing || !uid.endsWith('.10')) return undefined;
          if (fault === 'no-answer') timers.runOut();
          return fault;
        },
      });
      await using stage = await Stage.open(pacs.port, { verify, retry });
      await queueReport(stage.rig, 1, 'positive', { kinds: ['sr', 'heatmap', 'summary'] });
      await stage.run(60_000);
      expect(outcomeOf(stage)).toMatchObject([
        { state: 'stored', attempts: 1, looks: 0, code },
        { state: 'delivered' },
        { state: 'delivered' },
      ]);
      failing = false;
      await stage.run();
      expect(stage.states()).toEqual({ delivered: 3 });
    },
  );

  it('waits for a PACS that is gone before it is asked', async () => {
    await using rig = await StoreRig.open();
    const pacs = await startPacs(rig.folder);
    const { port } = pacs;
    await using stage = await Stage.open(port, { verify, retry });
    await queueReport(stage.rig, 1, 'positive', { kinds: ['sr'] });
    await stage.run(5_000);
    await pacs.stop();
    await stage.run(3_600_000);
    expect(outcomeOf(stage)).toMatchObject([
      { state: 'stored', looks: 0, code: 'connection-refused' },
    ]);
    // It has lost everything meanwhile.
    await using empty = await startPacs(rig.folder, { port });
    await stage.run();
    expect(uidsAt(empty)).toHaveLength(1);
    expect(stage.states()).toEqual({ delivered: 1 });
  });

  it('takes success for proof again where the configuration asks for no more', async () => {
    await using rig = await StoreRig.open();
    await using pacs = await startPacs(rig.folder);
    await using stage = await Stage.open(pacs.port, { verify, retry });
    await queueReport(stage.rig, 1, 'positive');
    await stage.run(5_000);
    expect(stage.states()).toEqual({ stored: 2 });
    stage.reconfigure({ verify: undefined });
    await stage.run();
    expect(stage.states()).toEqual({ delivered: 2 });
  });
});
