import { BlockList, isIP } from 'node:net';
import { IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME } from '../dicom/file-meta.js';
import {
  isStorageSopClass,
  MODALITY_PERFORMED_PROCEDURE_STEP,
  STORAGE_COMMITMENT_PUSH_MODEL,
  VERIFICATION,
} from '../dicom/sop-classes.js';
import {
  EXPLICIT_VR_LITTLE_ENDIAN,
  IMPLICIT_VR_LITTLE_ENDIAN,
  TRANSFER_SYNTAXES,
} from '../dicom/transfer-syntaxes.js';
import {
  type AssociateAccept,
  type AssociateRequest,
  ContextResult,
  DICOM_APPLICATION_CONTEXT,
  type NegotiatedContext,
  type ProposedContext,
  type ProposedRole,
  type Rejection,
} from './pdu.js';

export interface AssociationPolicySettings {
  /** The titles that we answer to. */
  readonly calledAeTitles: 'any' | readonly string[];
  /** Who may call. */
  readonly callingAeTitles: 'any' | readonly string[];
  /** IP addresses and CIDR blocks that may call. */
  readonly allowFrom: 'any' | readonly string[];
  /** SOP Classes that are kept: any Storage SOP Class of the standard, or those of a list, private ones too. */
  readonly storageClasses: 'any' | readonly string[];
  readonly maximumAssociations: number;
  /** Of those, how many one address may have. */
  readonly maximumAssociationsPerAddress: number;
  /** Bytes of a P-DATA-TF PDU that we take. */
  readonly maximumLength: number;
}

/** Associations that exist besides the requested one. */
export interface OpenAssociations {
  readonly all: number;
  /** With the same address. */
  readonly fromAddress: number;
}

/** Rejections of association requests (PS3.8 Table 9-21). */
export const Rejections = {
  SourceNotAllowed: { result: 1, source: 1, reason: 1 },
  ApplicationContextNotSupported: { result: 1, source: 1, reason: 2 },
  CallingAeTitleNotRecognized: { result: 1, source: 1, reason: 3 },
  CalledAeTitleNotRecognized: { result: 1, source: 1, reason: 7 },
  ProtocolVersionNotSupported: { result: 1, source: 2, reason: 2 },
  LocalLimitExceeded: { result: 2, source: 3, reason: 2 },
} as const satisfies Record<string, Rejection>;

/** Decides on association requests; holds no state but its settings. */
export class AssociationPolicy {
  readonly #settings: AssociationPolicySettings;
  readonly #sources: BlockList | undefined;

  /** @throws RangeError where a source address is neither an IP address nor a CIDR block */
  constructor(settings: AssociationPolicySettings) {
    this.#settings = settings;
    this.#sources = settings.allowFrom === 'any' ? undefined : blockList(settings.allowFrom);
  }

  decide(
    request: AssociateRequest,
    remoteAddress: string,
    open: OpenAssociations,
  ): AssociateAccept | Rejection {
    return this.#rejection(request, remoteAddress, open) ?? this.#accept(request);
  }

  keeps(sopClassUid: string): boolean {
    const { storageClasses } = this.#settings;
    return storageClasses === 'any'
      ? isStorageSopClass(sopClassUid)
      : storageClasses.includes(sopClassUid);
  }

  #rejection(
    request: AssociateRequest,
    remoteAddress: string,
    open: OpenAssociations,
  ): Rejection | undefined {
    const { calledAeTitles, callingAeTitles } = this.#settings;
    if ((request.protocolVersion & 1) === 0) return Rejections.ProtocolVersionNotSupported;
    if (this.#sources && !isListed(this.#sources, remoteAddress)) {
      return Rejections.SourceNotAllowed;
    }
    if (request.applicationContext !== DICOM_APPLICATION_CONTEXT) {
      return Rejections.ApplicationContextNotSupported;
    }
    if (!allows(calledAeTitles, request.calledAeTitle)) {
      return Rejections.CalledAeTitleNotRecognized;
    }
    if (!allows(callingAeTitles, request.callingAeTitle)) {
      return Rejections.CallingAeTitleNotRecognized;
    }
    const { maximumAssociations, maximumAssociationsPerAddress } = this.#settings;
    if (open.all >= maximumAssociations || open.fromAddress >= maximumAssociationsPerAddress) {
      return Rejections.LocalLimitExceeded;
    }
    return undefined;
  }

  #accept(request: AssociateRequest): AssociateAccept {
    const contexts = request.contexts.map((proposed) => this.#negotiate(proposed, request.roles));
    const accepted = new Set(
      contexts
        .filter(({ result }) => result === ContextResult.Acceptance)
        .map(({ abstractSyntax }) => abstractSyntax),
    );
    return {
      calledAeTitle: request.calledAeTitle,
      callingAeTitle: request.callingAeTitle,
      contexts,
      maximumLength: this.#settings.maximumLength,
      implementationClassUid: IMPLEMENTATION_CLASS_UID,
      implementationVersionName: IMPLEMENTATION_VERSION_NAME,
      // A PACS becomes SCP where it comes to report what it committed to, and nowhere else (PS3.7 D.3.3.4).
      roles: request.roles
        .filter(({ sopClassUid }) => accepted.has(sopClassUid))
        .map(({ sopClassUid, scu, scp }) => ({
          sopClassUid,
          scu,
          scp: scp && sopClassUid === STORAGE_COMMITMENT_PUSH_MODEL,
        })),
      answersAsynchronousOperations: request.proposesAsynchronousOperations,
      answersIdentity: request.asksForIdentityResponse,
    };
  }

  #negotiate(proposed: ProposedContext, roles: readonly ProposedRole[]): NegotiatedContext {
    const { id, abstractSyntax, transferSyntaxes } = proposed;
    const refused = (result: ContextResult): NegotiatedContext => ({
      id,
      result,
      abstractSyntax,
      transferSyntax: transferSyntaxes[0] ?? '',
    });
    const isNService = N_SERVICE_CLASSES.has(abstractSyntax);
    if (abstractSyntax !== VERIFICATION && !isNService && !this.keeps(abstractSyntax)) {
      return refused(ContextResult.AbstractSyntaxNotSupported);
    }
    const role = roles.find(({ sopClassUid }) => sopClassUid === abstractSyntax);
    const mayBeScp = abstractSyntax === STORAGE_COMMITMENT_PUSH_MODEL && role?.scp === true;
    if (role?.scu === false && !mayBeScp) return refused(ContextResult.UserRejection);
    const transferSyntax = isNService
      ? transferSyntaxes.find((uid) => LITTLE_ENDIAN.has(uid))
      : chooseTransferSyntax(transferSyntaxes);
    if (transferSyntax === undefined) return refused(ContextResult.TransferSyntaxesNotSupported);
    return { id, result: ContextResult.Acceptance, abstractSyntax, transferSyntax };
  }
}

function allows(list: 'any' | readonly string[], aeTitle: string): boolean {
  return list === 'any' || list.includes(aeTitle);
}

/** SOP classes of N-services: what their messages hold is read at once. */
const N_SERVICE_CLASSES = new Set([
  STORAGE_COMMITMENT_PUSH_MODEL,
  MODALITY_PERFORMED_PROCEDURE_STEP,
]);
const LITTLE_ENDIAN = new Set([IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN]);

const LOSSLESS = new Map(TRANSFER_SYNTAXES.map(({ uid, lossless }) => [uid, lossless]));

/**
 * The first lossless transfer syntax in the sender's order, so that it sends what it has and compresses nothing away;
 * a lossy one only where the sender offers no other.
 */
function chooseTransferSyntax(proposed: readonly string[]): string | undefined {
  return proposed.find((uid) => LOSSLESS.get(uid)) ?? proposed.find((uid) => LOSSLESS.has(uid));
}

function blockList(addresses: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of addresses) {
    const [address = '', prefix] = text.split('/');
    const version = isIP(address);
    const longest = version === 4 ? 32 : 128;
    const bits = prefix === undefined ? longest : Number(prefix);
    if (version === 0 || prefix === '' || !Number.isInteger(bits) || bits < 0 || bits > longest) {
      throw new RangeError(`${text} is neither an IP address nor a CIDR block`);
    }
    list.addSubnet(address, bits, version === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}

function isListed(list: BlockList, remoteAddress: string): boolean {
  // A socket that listens on :: shows IPv4 peers as mapped addresses.
  const address = remoteAddress.replace(/^::ffff:(?=\d+\.)/i, '');
  const version = isIP(address);
  return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6');
}
