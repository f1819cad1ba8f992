import {
  type Abort,
  type AssociateAccept,
  DICOM_APPLICATION_CONTEXT,
  ItemType,
  PduType,
  type Rejection,
} from './pdu.js';

/** A-ASSOCIATE-AC (PS3.8 9.3.3). */
export function associateAcPdu(accept: AssociateAccept): Buffer {
  const fixed = Buffer.alloc(68);
  fixed.writeUInt16BE(1, 0);
  fixed.write(accept.calledAeTitle.padEnd(16), 4, 16, 'latin1');
  fixed.write(accept.callingAeTitle.padEnd(16), 20, 16, 'latin1');
  const contexts = accept.contexts.map(({ id, result, transferSyntax }) =>
    item(
      ItemType.PresentationContextAc,
      Buffer.from([id, 0, result, 0]),
      item(ItemType.TransferSyntax, ascii(transferSyntax)),
    ),
  );
  const maximumLength = Buffer.alloc(4);
  maximumLength.writeUInt32BE(accept.maximumLength);
  const userInformation = [
    item(ItemType.MaximumLength, maximumLength),
    item(ItemType.ImplementationClassUid, ascii(accept.implementationClassUid)),
  ];
  if (accept.answersAsynchronousOperations) {
    userInformation.push(item(ItemType.AsynchronousOperationsWindow, Buffer.from([0, 1, 0, 1])));
  }
  for (const { sopClassUid, scu, scp } of accept.roles) {
    const uidLength = Buffer.alloc(2);
    uidLength.writeUInt16BE(sopClassUid.length);
    const roles = Buffer.from([Number(scu), Number(scp)]);
    userInformation.push(item(ItemType.RoleSelection, uidLength, ascii(sopClassUid), roles));
  }
  userInformation.push(
    item(ItemType.ImplementationVersionName, ascii(accept.implementationVersionName)),
  );
  if (accept.answersUserIdentity) {
    // The server response of a user name is empty (PS3.7 Table D.3-15).
    userInformation.push(item(ItemType.UserIdentityAc, Buffer.from([0, 0])));
  }
  return pdu(
    PduType.AssociateAc,
    fixed,
    item(ItemType.ApplicationContext, ascii(DICOM_APPLICATION_CONTEXT)),
    ...contexts,
    item(ItemType.UserInformation, ...userInformation),
  );
}

/** A-ASSOCIATE-RJ (PS3.8 9.3.4). */
export function associateRjPdu({ result, source, reason }: Rejection): Buffer {
  return pdu(PduType.AssociateRj, Buffer.from([0, result, source, reason]));
}

/** A-RELEASE-RP (PS3.8 9.3.7). */
export function releaseRpPdu(): Buffer {
  return pdu(PduType.ReleaseRp, Buffer.alloc(4));
}

/** A-ABORT (PS3.8 9.3.8). */
export function abortPdu({ source, reason }: Abort): Buffer {
  return pdu(PduType.Abort, Buffer.from([0, 0, source, reason]));
}

/** A message: its command set and, where there is one, its dataset (PS3.7 6.3). */
export interface Message {
  readonly contextId: number;
  readonly command: Buffer;
  readonly dataset?: Buffer;
}

/** A whole message, each part in one P-DATA-TF PDU or in as many as the peer's maximum length asks for (PS3.8 9.3.5). */
export function messagePdus(message: Message, maximumLength: number): Buffer {
  const { contextId, command, dataset } = message;
  return Buffer.concat([
    ...fragmentPdus(contextId, COMMAND, command, maximumLength),
    ...(dataset ? fragmentPdus(contextId, 0, dataset, maximumLength) : []),
  ]);
}

/** Bits of the message control header (PS3.8 E.2). */
const COMMAND = 0x01;
const LAST = 0x02;

function fragmentPdus(contextId: number, kind: number, part: Buffer, maximum: number): Buffer[] {
  const fits = maximum === 0 ? part.length : Math.max(1, maximum - PDV_HEADER);
  const pdus: Buffer[] = [];
  for (let start = 0; start < part.length; start += fits) {
    const fragment = part.subarray(start, start + fits);
    const header = Buffer.alloc(PDV_HEADER);
    header.writeUInt32BE(fragment.length + 2);
    header[4] = contextId;
    header[5] = start + fits >= part.length ? kind | LAST : kind;
    pdus.push(pdu(PduType.PDataTf, header, fragment));
  }
  return pdus;
}

/** Length, presentation context ID and message control header (PS3.8 9.3.5.1, Annex E). */
const PDV_HEADER = 6;

function pdu(type: number, ...parts: Buffer[]): Buffer {
  const header = Buffer.alloc(6);
  header[0] = type;
  header.writeUInt32BE(
    parts.reduce((sum, part) => sum + part.length, 0),
    2,
  );
  return Buffer.concat([header, ...parts]);
}

function item(type: number, ...parts: Buffer[]): Buffer {
  const header = Buffer.alloc(4);
  header[0] = type;
  header.writeUInt16BE(
    parts.reduce((sum, part) => sum + part.length, 0),
    2,
  );
  return Buffer.concat([header, ...parts]);
}

function ascii(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}
