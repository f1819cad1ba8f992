import { withoutPadding } from '../dicom/padding.js';
import {
  AbortReason,
  type AssociateRequest,
  ItemType,
  PduError,
  type ProposedContext,
  type ProposedRole,
  type UserIdentity,
} from './pdu.js';

interface Item {
  readonly type: number;
  readonly value: Buffer;
}

/** Bytes before the variable items: version, AE titles and reserved fields (PS3.8 Table 9-11). */
const FIXED_LENGTH = 68;
/** PS3.5 9.1, and some padding. */
const LONGEST_UID = 66;

/**
 * Reads an A-ASSOCIATE-RQ PDU from what follows its length field (PS3.8 9.3.2). Items of unknown types are passed over,
 * as the standard asks (PS3.8 9.3.1).
 *
 * @throws PduError
 */
export function readAssociateRequest(body: Buffer): AssociateRequest {
  if (body.length < FIXED_LENGTH) throw invalid('the A-ASSOCIATE-RQ is too short');
  let applicationContext: string | undefined;
  let userInformation: readonly Item[] = [];
  const contexts: ProposedContext[] = [];
  for (const { type, value } of itemsIn(body.subarray(FIXED_LENGTH))) {
    if (type === ItemType.ApplicationContext) applicationContext = uid(value);
    else if (type === ItemType.PresentationContextRq) contexts.push(proposedContext(value));
    else if (type === ItemType.UserInformation) userInformation = itemsIn(value);
  }
  if (applicationContext === undefined) throw invalid('there is no application context');
  if (new Set(contexts.map(({ id }) => id)).size < contexts.length) {
    throw invalid('two presentation contexts have one ID');
  }
  const user = (type: number) => userInformation.find((item) => item.type === type)?.value;
  return {
    protocolVersion: body.readUInt16BE(0),
    calledAeTitle: body.toString('latin1', 4, 20).trim(),
    callingAeTitle: body.toString('latin1', 20, 36).trim(),
    applicationContext,
    contexts,
    maximumLength: maximumLength(user(ItemType.MaximumLength)),
    implementationClassUid: uid(user(ItemType.ImplementationClassUid)),
    implementationVersionName: text(user(ItemType.ImplementationVersionName)),
    roles: proposedRoles(userInformation),
    proposesAsynchronousOperations: user(ItemType.AsynchronousOperationsWindow) !== undefined,
    userIdentity: userIdentity(user(ItemType.UserIdentityRq)),
  };
}

function itemsIn(bytes: Buffer): Item[] {
  const items: Item[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    if (offset + 4 > bytes.length) throw invalid('an item is cut off');
    const end = offset + 4 + bytes.readUInt16BE(offset + 2);
    if (end > bytes.length) throw invalid('an item is longer than what holds it');
    items.push({ type: bytes.readUInt8(offset), value: bytes.subarray(offset + 4, end) });
    offset = end;
  }
  return items;
}

function proposedContext(value: Buffer): ProposedContext {
  if (value.length < 4) throw invalid('a presentation context is too short');
  const id = value.readUInt8(0);
  if (id % 2 === 0) throw invalid('a presentation context has an even ID');
  const items = itemsIn(value.subarray(4));
  const abstractSyntax = items.find(({ type }) => type === ItemType.AbstractSyntax);
  if (!abstractSyntax) throw invalid('a presentation context has no abstract syntax');
  const transferSyntaxes = items
    .filter(({ type }) => type === ItemType.TransferSyntax)
    .map((item) => uid(item.value));
  if (transferSyntaxes.length === 0) throw invalid('a presentation context has no transfer syntax');
  return { id, abstractSyntax: uid(abstractSyntax.value), transferSyntaxes };
}

/** One for each SOP Class (PS3.7 D.3.3.4), the last where there are more. */
function proposedRoles(userInformation: readonly Item[]): ProposedRole[] {
  const roles = userInformation
    .filter(({ type }) => type === ItemType.RoleSelection)
    .map(proposedRole);
  return [...new Map(roles.map((role) => [role.sopClassUid, role])).values()];
}

function proposedRole({ value }: Item): ProposedRole {
  const length = value.length >= 2 ? value.readUInt16BE(0) : 0;
  if (value.length < 2 + length + 2) throw invalid('a role selection is too short');
  return {
    sopClassUid: uid(value.subarray(2, 2 + length)),
    scu: value[2 + length] === 1,
    scp: value[3 + length] === 1,
  };
}

/** PS3.7 Table D.3-14. */
function userIdentity(value: Buffer | undefined): UserIdentity | undefined {
  if (value === undefined) return undefined;
  const primaryEnd = value.length >= 4 ? 4 + value.readUInt16BE(2) : 0;
  const secondaryStart = primaryEnd + 2;
  if (value.length < 4 || value.length < secondaryStart) {
    throw invalid('a user identity is too short');
  }
  const end = secondaryStart + value.readUInt16BE(primaryEnd);
  if (value.length < end) throw invalid('a user identity is too short');
  return {
    type: value.readUInt8(0),
    positiveResponseRequested: value[1] === 1,
    primaryField: value.subarray(4, primaryEnd),
    secondaryField: value.subarray(secondaryStart, end),
  };
}

function maximumLength(value: Buffer | undefined): number {
  if (value === undefined) return 0;
  if (value.length !== 4) throw invalid('the maximum length has not 4 bytes');
  return value.readUInt32BE(0);
}

/** UIDs are not padded here (PS3.8 Annex F), but some senders do. */
function uid(value: Buffer | undefined): string {
  if (value && value.length > LONGEST_UID) throw invalid('a UID is too long');
  return text(value);
}

function text(value: Buffer | undefined): string {
  return withoutPadding(value?.toString('latin1') ?? '');
}

function invalid(what: string): PduError {
  return new PduError(AbortReason.InvalidPduParameterValue, `Invalid A-ASSOCIATE-RQ: ${what}`);
}
