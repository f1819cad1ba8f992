import dimse, { type responses } from 'dcmjs-dimse';
import { describe, expect, it } from 'vitest';
import { MODALITY_PERFORMED_PROCEDURE_STEP } from '../../../src/dicom/sop-classes.js';
// Also silences the library.
import '../../../src/dicom/verbatim-dataset.js';
import { isUid } from '../../../src/dicom/uid.js';
import { CommandElement } from '../../../src/receive/dimse.js';
import { ReceiveRig } from './receive-rig.js';
import { create, ended, newStep, scanner, set } from './step-scu.js';

const STEP = '1.2.3.9';
const IMAGES = ['1.2.3.4.11', '1.2.3.4.12'];

const statusOf = async (answer: ReturnType<typeof create>) =>
  (await answer).number(CommandElement.Status);

describe('modality performed procedure step', () => {
  it.each(['COMPLETED', 'DISCONTINUED'])(
    'goes from IN PROGRESS to %s, and no further',
    async (end) => {
      await using rig = await ReceiveRig.start();
      await using scu = await scanner(rig.port);
      const created = await create(scu, STEP);
      expect(created.number(CommandElement.CommandField)).toBe(0x8140);
      expect(created.number(CommandElement.Status)).toBe(0);
      expect(created.uid(CommandElement.AffectedSopInstanceUid)).toBe(STEP);
      expect(await statusOf(set(scu, STEP, [[0x00400252, 'CS', 'IN PROGRESS']]))).toBe(0);
      expect(await statusOf(set(scu, STEP, ended(end, IMAGES)))).toBe(0);
      const refused = await set(scu, STEP, ended('COMPLETED', IMAGES));
      expect(refused.number(CommandElement.Status)).toBe(0x0110);
      expect(refused.number(CommandElement.ErrorId)).toBe(0xa710);
    },
  );

  it('takes the end in one message and the series in another, in either order of time', async () => {
    await using rig = await ReceiveRig.start();
    await using scu = await scanner(rig.port);
    await create(scu, STEP);
    const [date, time, status, series] = ended('COMPLETED', IMAGES) as [never, never, never, never];
    expect(await statusOf(set(scu, STEP, [series]))).toBe(0);
    expect(await statusOf(set(scu, STEP, [status]))).toBe(0x0120);
    expect(await statusOf(set(scu, STEP, [date, time]))).toBe(0);
    expect(await statusOf(set(scu, STEP, [status]))).toBe(0);
  });

  it('names a step that its scanner does not name', async () => {
    await using rig = await ReceiveRig.start();
    await using scu = await scanner(rig.port);
    const uid = (await create(scu, '')).uid(CommandElement.AffectedSopInstanceUid);
    expect(isUid(uid)).toBe(true);
    expect(await statusOf(set(scu, uid, ended('COMPLETED', IMAGES)))).toBe(0);
  });

  it.each([
    ['a step that exists', STEP, newStep(), 0x0111],
    ['no status', '1.2.3.10', newStep().filter(([tag]) => tag !== 0x00400252), 0x0120],
    ['no study', '1.2.3.10', newStep([[0x00400270, 'SQ', [[]]]]), 0x0120],
    ['an empty step ID', '1.2.3.10', newStep([[0x00400253, 'SH', '']]), 0x0121],
    ['no scheduled step', '1.2.3.10', newStep([[0x00400270, 'SQ', []]]), 0x0121],
    ['a final status', '1.2.3.10', newStep([[0x00400252, 'CS', 'COMPLETED']]), 0x0106],
    ['a status of no table', '1.2.3.10', newStep([[0x00400252, 'CS', 'DONE']]), 0x0106],
    ['a UID that is none', '../etc/passwd', newStep(), 0x0117],
  ])('answers N-CREATE of %s with its status', async (_, uid, elements, status) => {
    await using rig = await ReceiveRig.start();
    await using scu = await scanner(rig.port);
    expect(await statusOf(create(scu, STEP))).toBe(0);
    expect(await statusOf(create(scu, uid, elements))).toBe(status);
  });

  it.each([
    ['a step that was never created', '1.2.3.10', ended('COMPLETED', IMAGES), 0x0112],
    ['COMPLETED without an end', STEP, ended('COMPLETED', IMAGES).slice(2), 0x0120],
    ['COMPLETED without series', STEP, ended('COMPLETED', IMAGES).slice(0, 3), 0x0120],
    ['a status of no table', STEP, [[0x00400252, 'CS', 'DONE'] as const], 0x0106],
    ['a series that is no UID', STEP, ended('COMPLETED', IMAGES, 'x'), 0x0106],
    ['an image that is no UID', STEP, ended('COMPLETED', ['x']), 0x0106],
  ])(
    'answers N-SET of %s with its status, and changes nothing',
    async (_, uid, elements, status) => {
      await using rig = await ReceiveRig.start();
      await using scu = await scanner(rig.port);
      expect(await statusOf(create(scu, STEP))).toBe(0);
      expect(await statusOf(set(scu, uid, elements))).toBe(status);
      expect(await statusOf(set(scu, STEP, ended('COMPLETED', IMAGES)))).toBe(0);
    },
  );

  it('speaks with an SCU that is not of our making', async () => {
    await using rig = await ReceiveRig.start();
    const { NCreateRequest, NSetRequest } = dimse.requests;
    const begin = new NCreateRequest(MODALITY_PERFORMED_PROCEDURE_STEP, STEP);
    begin.setDataset(
      new dimse.Dataset({
        ScheduledStepAttributesSequence: [{ StudyInstanceUID: '1.2.3' }],
        PerformedProcedureStepID: 'STEP1',
        PerformedStationAETitle: 'CT1',
        PerformedProcedureStepStartDate: '20260102',
        PerformedProcedureStepStartTime: '101500',
        PerformedProcedureStepStatus: 'IN PROGRESS',
        Modality: 'CT',
      }),
    );
    const end = new NSetRequest(MODALITY_PERFORMED_PROCEDURE_STEP, STEP);
    end.setDataset(
      new dimse.Dataset({
        PerformedProcedureStepEndDate: '20260102',
        PerformedProcedureStepEndTime: '102500',
        PerformedProcedureStepStatus: 'COMPLETED',
        PerformedSeriesSequence: [
          {
            SeriesInstanceUID: '1.2.3.4',
            ReferencedImageSequence: IMAGES.map((uid) => ({
              ReferencedSOPClassUID: '1.2.840.10008.5.1.4.1.1.2',
              ReferencedSOPInstanceUID: uid,
            })),
          },
        ],
      }),
    );
    const statuses: number[] = [];
    const client = new dimse.Client();
    for (const request of [begin, end]) {
      request.on('response', (response: responses.NCreateResponse) => {
        statuses.push(response.getStatus());
      });
      client.addRequest(request);
    }
    const closed = new Promise((resolve) => client.on('closed', resolve));
    client.send('127.0.0.1', rig.port, 'CT1', 'VIGIL');
    await closed;
    expect(statuses).toEqual([0, 0]);
    expect(rig.errors).toEqual([]);
  });
});
