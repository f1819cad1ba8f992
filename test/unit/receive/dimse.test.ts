import { describe, expect, it } from 'vitest';
import {
  CommandElement,
  CommandError,
  readCommand,
  responseCommand,
} from '../../../src/receive/dimse.js';
import { dataset } from '../dicom-header/dataset-bytes.js';

const implicit = { explicitVr: false };
const request = dataset(
  [
    [0x00000002, 'UI', '1.2.840.10008.5.1.4.1.1.2'],
    [0x00000100, 'US', 0x0001],
    [0x00000110, 'US', 17],
    [0x00000700, 'US', 0],
    [0x00000800, 'US', 0x0000],
    [0x00001000, 'UI', '1.2.3.4.5'],
  ],
  implicit,
);

describe('command sets', () => {
  it('are read by element', () => {
    const command = readCommand(request);
    expect(command.uid(CommandElement.AffectedSopInstanceUid)).toBe('1.2.3.4.5');
    expect(command.number(CommandElement.MessageId)).toBe(17);
    expect(command.number(CommandElement.Status)).toBeUndefined();
    expect(command.hasDataset).toBe(true);
  });

  it.each([
    ['is cut off in a header', request.subarray(0, request.length - 14)],
    ['is cut off in a value', request.subarray(0, request.length - 1)],
    ['holds another group', dataset([[0x00080018, 'UI', '1.2']], implicit)],
    ['claims 4 GiB', Buffer.from('00000200ffffffff', 'hex')],
  ])('are refused where one %s', (_, bytes) => {
    expect(() => readCommand(bytes)).toThrow(CommandError);
  });

  it('are refused where a required element is missing', () => {
    const command = readCommand(dataset([[0x00000100, 'US', 1]], implicit));
    expect(() => command.required(CommandElement.MessageId)).toThrow(CommandError);
  });

  it('answer a request with its IDs', () => {
    const bytes = responseCommand(readCommand(request), {
      status: 0xa900,
      errorComment: 'x'.repeat(99),
    });
    const response = readCommand(bytes);
    expect(response.number(CommandElement.CommandField)).toBe(0x8001);
    expect(response.number(CommandElement.MessageIdBeingRespondedTo)).toBe(17);
    expect(response.number(CommandElement.Status)).toBe(0xa900);
    expect(response.uid(CommandElement.ErrorComment)).toBe('x'.repeat(64));
    expect(response.uid(CommandElement.AffectedSopClassUid)).toBe('1.2.840.10008.5.1.4.1.1.2');
    expect(response.uid(CommandElement.AffectedSopInstanceUid)).toBe('1.2.3.4.5');
    expect(response.hasDataset).toBe(false);
    expect(bytes.readUInt32LE(8)).toBe(bytes.length - 12);
    expect(bytes.length % 2).toBe(0);
  });

  it('answer N-services by the SOP Class that was requested', () => {
    const nAction = dataset(
      [
        [0x00000003, 'UI', '1.2.840.10008.1.20.1'],
        [0x00000100, 'US', 0x0130],
        [0x00000110, 'US', 3],
        [0x00000800, 'US', 0],
        [0x00001001, 'UI', '1.2.840.10008.1.20.1.1'],
      ],
      implicit,
    );
    const response = readCommand(responseCommand(readCommand(nAction), { status: 0x0211 }));
    expect(response.number(CommandElement.CommandField)).toBe(0x8130);
    expect(response.uid(CommandElement.AffectedSopClassUid)).toBe('1.2.840.10008.1.20.1');
  });
});
