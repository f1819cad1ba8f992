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
  type AccessFailure,
  type AccessRule,
  AccessRules,
  AddressList,
  type Admission,
  type Caller,
} from './access.js';
import {
  type AssociateAccept,
  type AssociateAnswer,
  type AssociateRequest,
  ContextResult,
  DICOM_APPLICATION_CONTEXT,
  type NegotiatedContext,
  type ProposedContext,
  type ProposedRole,
  type Rejection,
} from './pdu.js';
import { UserFileError } from './user-file.js';

export interface AssociationPolicySettings {
  /** The titles that we answer to. */
  readonly calledAeTitles: 'any' | readonly string[];
  /** Who may call. */
  readonly callingAeTitles: 'any' | readonly string[];
  /** IP addresses and CIDR blocks that may call. */
  readonly allowFrom: 'any' | readonly string[];
  /** What must hold for each calling AE title; others are rejected. */
  readonly access: 'any' | readonly AccessRule[];
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

/** Rejections of association requests (PS3.8 Table 9-21), with the condition that failed. */
export const Rejections = {
  SourceNotAllowed: {
    result: 1,
    source: 1,
    reason: 1,
    because: 'address not in receive.allowFrom',
  },
  ApplicationContextNotSupported: {
    result: 1,
    source: 1,
    reason: 2,
    because: 'application context not supported',
  },
  CallingAeTitleNotRecognized: {
    result: 1,
    source: 1,
    reason: 3,
    because: 'AE title not in receive.callingAeTitles',
  },
  CalledAeTitleNotRecognized: {
    result: 1,
    source: 1,
    reason: 7,
    because: 'AE title not in receive.calledAeTitles',
  },
  ProtocolVersionNotSupported: {
    result: 1,
    source: 2,
    reason: 2,
    because: 'protocol version not supported',
  },
  LocalLimitExceeded: { result: 2, source: 3, reason: 2, because: 'too many associations' },
} as const satisfies Record<string, Rejection>;

/** What the standard asks for where a user's identity is not accepted (PS3.7 D.3.3.7). */
const NOT_AUTHENTICATED = { result: 1, source: 2, reason: 1 } as const;

/** Temporary congestion: the sender may try again. */
const USERS_UNKNOWN = { result: 2, source: 3, reason: 1 } as const;

const AccessRejections = {
  callingAeTitle: {
    result: 1,
    source: 1,
    reason: 3,
    because: 'no rule of receive.access for this AE title',
  },
  from: {
    result: 1,
    source: 1,
    reason: 1,
    because: 'address fits no rule of receive.access for this AE title',
  },
  certificate: {
    result: 1,
    source: 1,
    reason: 1,
    because:
      'certificate fits no rule of receive.access for this AE title and address, or none was shown',
  },
  'user-missing': {
    ...NOT_AUTHENTICATED,
    because: 'the rule of receive.access for this AE title asks for a user, and none was stated',
  },
  'user-type': {
    ...NOT_AUTHENTICATED,
    because:
      'the user is stated by another type of identity than user name and passcode, which the rule of receive.access asks for',
  },
  user: {
    ...NOT_AUTHENTICATED,
    because: 'user or passcode fits no rule of receive.access for this AE title',
  },
} as const satisfies Record<AccessFailure, Rejection>;

/** Decides on association requests; holds no state but its settings. */
export class AssociationPolicy {
  readonly #settings: AssociationPolicySettings;
  readonly #sources: AddressList;
  readonly #access: AccessRules | undefined;

  /** @throws RangeError where a source address is neither an IP address nor a CIDR block */
  constructor(settings: AssociationPolicySettings) {
    this.#settings = settings;
    this.#sources = new AddressList(settings.allowFrom);
    this.#access = settings.access === 'any' ? undefined : new AccessRules(settings.access);
  }

  /** Without a promise where no user has to be looked up; `open` is asked when that is done. */
  decide(
    request: AssociateRequest,
    caller: Caller,
    open: () => OpenAssociations,
  ): AssociateAnswer | Promise<AssociateAnswer> {
    const rejection = this.#rejection(request, caller);
    if (rejection !== undefined) return rejection;
    const admission = this.#access?.judge(request.callingAeTitle, caller) ?? 'admitted';
    if (!(admission instanceof Promise)) return this.#answer(request, admission, open);
    return admission.then(
      (judged) => this.#answer(request, judged, open),
      (error: unknown) => {
        if (!(error instanceof UserFileError)) throw error;
        return { ...USERS_UNKNOWN, because: `users of receive.access: ${error.message}` };
      },
    );
  }

  keeps(sopClassUid: string): boolean {
    const { storageClasses } = this.#settings;
    return storageClasses === 'any'
      ? isStorageSopClass(sopClassUid)
      : storageClasses.includes(sopClassUid);
  }

  #rejection(request: AssociateRequest, caller: Caller): Rejection | undefined {
    const { calledAeTitles, callingAeTitles } = this.#settings;
    if ((request.protocolVersion & 1) === 0) return Rejections.ProtocolVersionNotSupported;
    if (!this.#sources.has(caller.address)) return Rejections.SourceNotAllowed;
    if (request.applicationContext !== DICOM_APPLICATION_CONTEXT) {
      return Rejections.ApplicationContextNotSupported;
    }
    if (!allows(calledAeTitles, request.calledAeTitle)) {
      return Rejections.CalledAeTitleNotRecognized;
    }
    if (!allows(callingAeTitles, request.callingAeTitle)) {
      return Rejections.CallingAeTitleNotRecognized;
    }
    return undefined;
  }

  #answer(
    request: AssociateRequest,
    admission: Admission,
    open: () => OpenAssociations,
  ): AssociateAnswer {
    if (admission !== 'admitted' && admission !== 'identified') return AccessRejections[admission];
    const { maximumAssociations, maximumAssociationsPerAddress } = this.#settings;
    const { all, fromAddress } = open();
    if (all >= maximumAssociations || fromAddress >= maximumAssociationsPerAddress) {
      return Rejections.LocalLimitExceeded;
    }
    return this.#accept(request, admission === 'identified');
  }

  #accept(request: AssociateRequest, isIdentified: boolean): AssociateAccept {
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
      answersUserIdentity: isIdentified && request.userIdentity?.positiveResponseRequested === true,
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
