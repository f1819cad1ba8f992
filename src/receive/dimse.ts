import { withoutPadding } from '../dicom/padding.js';

/** Command elements of group 0000 (PS3.7 Table E.1-1), by element number. */
export const CommandElement = {
  AffectedSopClassUid: 0x0002,
  RequestedSopClassUid: 0x0003,
  CommandField: 0x0100,
  MessageId: 0x0110,
  MessageIdBeingRespondedTo: 0x0120,
  CommandDataSetType: 0x0800,
  Status: 0x0900,
  ErrorComment: 0x0902,
  ErrorId: 0x0903,
  AffectedSopInstanceUid: 0x1000,
  RequestedSopInstanceUid: 0x1001,
  EventTypeId: 0x1002,
  ActionTypeId: 0x1008,
} as const;

/** Command fields (PS3.7 Table E.1-1); a response has its request's with the highest bit set. */
export const CommandField = {
  CStoreRq: 0x0001,
  CEchoRq: 0x0030,
  NEventReportRq: 0x0100,
  NSetRq: 0x0120,
  NActionRq: 0x0130,
  NCreateRq: 0x0140,
  CCancelRq: 0x0fff,
} as const;
export const RESPONSE = 0x8000;

/** Command Data Set Type of a message without a dataset (PS3.7 E.1). */
export const NO_DATASET = 0x0101;

/** A command set that breaks PS3.7 6.3. */
export class CommandError extends Error {
  readonly code = 'invalid-command';

  constructor(message: string) {
    super(`Invalid command set: ${message}`);
    this.name = 'CommandError';
  }
}

/** A command set as read; what the service needs it asks for by element number. */
export class Command {
  readonly #elements: ReadonlyMap<number, Buffer>;

  constructor(elements: ReadonlyMap<number, Buffer>) {
    this.#elements = elements;
  }

  /** A US element, or undefined where there is none. */
  number(element: number): number | undefined {
    const value = this.#elements.get(element);
    return value?.length === 2 ? value.readUInt16LE(0) : undefined;
  }

  /** A UI element without its padding; empty where there is none. */
  uid(element: number): string {
    return withoutPadding(this.#elements.get(element)?.toString('latin1') ?? '');
  }

  /** @throws CommandError */
  required(element: number): number {
    const value = this.number(element);
    if (value === undefined) throw new CommandError(`(0000,${hex(element)}) is missing`);
    return value;
  }

  get hasDataset(): boolean {
    return this.required(CommandElement.CommandDataSetType) !== NO_DATASET;
  }
}

/** Reads a command set: Implicit VR Little Endian, group 0000 only (PS3.7 6.3.1). @throws CommandError */
export function readCommand(bytes: Buffer): Command {
  const elements = new Map<number, Buffer>();
  let offset = 0;
  while (offset < bytes.length) {
    if (offset + 8 > bytes.length) throw new CommandError('it ends within an element');
    if (bytes.readUInt16LE(offset) !== 0x0000) throw new CommandError('a group other than 0000');
    const end = offset + 8 + bytes.readUInt32LE(offset + 4);
    if (end > bytes.length) throw new CommandError('it ends within an element');
    elements.set(bytes.readUInt16LE(offset + 2), bytes.subarray(offset + 8, end));
    offset = end;
  }
  return new Command(elements);
}

/** What a response says besides repeating the request (PS3.7 9.3.1.2, 9.3.5.2). */
export interface Outcome {
  readonly status: number;
  /** At most 64 characters of the default repertoire, without patient data. */
  readonly errorComment?: string;
  /** A number that the service class gives to an error (PS3.7 C.4). */
  readonly errorId?: number;
  /** Where the request leaves it to us to name a new SOP Instance (PS3.7 10.1.5.1.4). */
  readonly affectedSopInstanceUid?: string;
}

/** Encodes the response to a request, without a dataset. */
export function responseCommand(request: Command, outcome: Outcome): Buffer {
  const affectedSopClass =
    request.uid(CommandElement.AffectedSopClassUid) ||
    request.uid(CommandElement.RequestedSopClassUid);
  const affectedSopInstance =
    outcome.affectedSopInstanceUid ||
    request.uid(CommandElement.AffectedSopInstanceUid) ||
    request.uid(CommandElement.RequestedSopInstanceUid);
  return commandSet([
    uidElement(CommandElement.AffectedSopClassUid, affectedSopClass),
    numberElement(
      CommandElement.CommandField,
      request.required(CommandElement.CommandField) | RESPONSE,
    ),
    numberElement(
      CommandElement.MessageIdBeingRespondedTo,
      request.required(CommandElement.MessageId),
    ),
    numberElement(CommandElement.CommandDataSetType, NO_DATASET),
    numberElement(CommandElement.Status, outcome.status),
    textElement(CommandElement.ErrorComment, outcome.errorComment?.slice(0, 64) ?? ''),
    numberElement(CommandElement.ErrorId, outcome.errorId),
    uidElement(CommandElement.AffectedSopInstanceUid, affectedSopInstance),
    numberElement(CommandElement.EventTypeId, request.number(CommandElement.EventTypeId)),
    numberElement(CommandElement.ActionTypeId, request.number(CommandElement.ActionTypeId)),
  ]);
}

/** An N-EVENT-REPORT request (PS3.7 10.1.1) with its Event Information in Explicit VR Little Endian. */
export interface EventReport {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly eventTypeId: number;
  readonly information: Buffer;
}

/** Encodes the command set of an N-EVENT-REPORT request (PS3.7 10.3.1.1); its dataset follows apart. */
export function eventReportCommand(report: EventReport, messageId: number): Buffer {
  return commandSet([
    uidElement(CommandElement.AffectedSopClassUid, report.sopClassUid),
    numberElement(CommandElement.CommandField, CommandField.NEventReportRq),
    numberElement(CommandElement.MessageId, messageId),
    numberElement(CommandElement.CommandDataSetType, 0x0001),
    uidElement(CommandElement.AffectedSopInstanceUid, report.sopInstanceUid),
    numberElement(CommandElement.EventTypeId, report.eventTypeId),
  ]);
}

function commandSet(elements: readonly Buffer[]): Buffer {
  const body = Buffer.concat(elements);
  const groupLength = Buffer.alloc(4);
  groupLength.writeUInt32LE(body.length);
  return Buffer.concat([element(0x0000, groupLength), body]);
}

function element(number: number, value: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16LE(number, 2);
  header.writeUInt32LE(value.length, 4);
  return Buffer.concat([header, value]);
}

/** Left out where there is no value. */
function numberElement(number: number, value: number | undefined): Buffer {
  if (value === undefined) return Buffer.alloc(0);
  const bytes = Buffer.alloc(2);
  bytes.writeUInt16LE(value);
  return element(number, bytes);
}

/** Left out where it is empty; padded to an even length otherwise. */
function uidElement(number: number, uid: string): Buffer {
  if (uid === '') return Buffer.alloc(0);
  return element(number, Buffer.from(uid.length % 2 === 0 ? uid : `${uid}\0`, 'latin1'));
}

function textElement(number: number, text: string): Buffer {
  if (text === '') return Buffer.alloc(0);
  return element(number, Buffer.from(text.length % 2 === 0 ? text : `${text} `, 'latin1'));
}

function hex(element: number): string {
  return element.toString(16).padStart(4, '0');
}
