import { MODALITY_PERFORMED_PROCEDURE_STEP } from '../../../src/dicom/sop-classes.js';
import type { Command } from '../../../src/receive/dimse.js';
import type { TestElement } from '../../unit/dicom-header/dataset-bytes.js';
import { datasetPdus, nCommand } from '../node/commitment-peers.js';
import { CT, CT_CONTEXT, EXPLICIT, RawScu } from './raw-scu.js';

const STEP_CONTEXT = {
  id: 3,
  abstractSyntax: MODALITY_PERFORMED_PROCEDURE_STEP,
  transferSyntaxes: [EXPLICIT],
};

/** Associates as a scanner that sends images and says what it does. */
export function scanner(port: number): Promise<RawScu> {
  return RawScu.associated(port, {
    callingAeTitle: 'CT1',
    contexts: [CT_CONTEXT, STEP_CONTEXT],
  });
}

/** What an N-CREATE must hold (PS3.4 Table F.7.2-1); `changes` take the place of elements with their tags. */
export function newStep(changes: readonly TestElement[] = []): TestElement[] {
  const changed = new Map(changes.map((element) => [element[0], element]));
  const elements: TestElement[] = [
    [0x00080060, 'CS', 'CT'],
    [0x00400241, 'AE', 'CT1'],
    [0x00400244, 'DA', '20260102'],
    [0x00400245, 'TM', '101500'],
    [0x00400252, 'CS', 'IN PROGRESS'],
    [0x00400253, 'SH', 'STEP1'],
    [0x00400270, 'SQ', [[[0x0020000d, 'UI', '1.2.3']]]],
  ];
  return elements.map((element) => changed.get(element[0]) ?? element);
}

/** What an N-SET that ends the step holds. */
export function ended(
  status: string,
  images: readonly string[],
  seriesInstanceUid = '1.2.3.4',
): TestElement[] {
  return [
    [0x00400250, 'DA', '20260102'],
    [0x00400251, 'TM', '102500'],
    [0x00400252, 'CS', status],
    [
      0x00400340,
      'SQ',
      [
        [
          [
            0x00081140,
            'SQ',
            images.map((uid) => [
              [0x00081150, 'UI', CT] as const,
              [0x00081155, 'UI', uid] as const,
            ]),
          ],
          [0x0020000e, 'UI', seriesInstanceUid],
        ],
      ],
    ],
  ];
}

export function create(
  scu: RawScu,
  sopInstanceUid: string,
  elements: readonly TestElement[] = newStep(),
): Promise<Command> {
  const names: TestElement[] = sopInstanceUid === '' ? [] : [[0x00001000, 'UI', sopInstanceUid]];
  return request(scu, 0x0140, 0x00000002, names, elements);
}

export function set(
  scu: RawScu,
  sopInstanceUid: string,
  elements: readonly TestElement[],
): Promise<Command> {
  return request(scu, 0x0120, 0x00000003, [[0x00001001, 'UI', sopInstanceUid]], elements);
}

async function request(
  scu: RawScu,
  field: number,
  classTag: number,
  names: readonly TestElement[],
  elements: readonly TestElement[],
): Promise<Command> {
  const command = nCommand(
    [
      [classTag, 'UI', MODALITY_PERFORMED_PROCEDURE_STEP],
      [0x00000100, 'US', field],
      [0x00000110, 'US', 9],
      [0x00000800, 'US', 1],
      ...names,
    ],
    [],
    STEP_CONTEXT.id,
  );
  scu.send(command, datasetPdus(elements, STEP_CONTEXT.id));
  return (await scu.response()).command;
}
