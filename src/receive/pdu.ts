/** PDU types (PS3.8 9.3). */
export const PduType = {
  AssociateRq: 0x01,
  AssociateAc: 0x02,
  AssociateRj: 0x03,
  PDataTf: 0x04,
  ReleaseRq: 0x05,
  ReleaseRp: 0x06,
  Abort: 0x07,
} as const;

/** Item types of A-ASSOCIATE-RQ and -AC (PS3.8 9.3.2, 9.3.3, Annex D; PS3.7 D.3.3). */
export const ItemType = {
  ApplicationContext: 0x10,
  PresentationContextRq: 0x20,
  PresentationContextAc: 0x21,
  AbstractSyntax: 0x30,
  TransferSyntax: 0x40,
  UserInformation: 0x50,
  MaximumLength: 0x51,
  ImplementationClassUid: 0x52,
  AsynchronousOperationsWindow: 0x53,
  RoleSelection: 0x54,
  ImplementationVersionName: 0x55,
  UserIdentityRq: 0x58,
  UserIdentityAc: 0x59,
} as const;

export const DICOM_APPLICATION_CONTEXT = '1.2.840.10008.3.1.1.1';

export interface ProposedContext {
  /** Odd, 1 to 255 (PS3.8 9.3.2.2). */
  readonly id: number;
  readonly abstractSyntax: string;
  readonly transferSyntaxes: readonly string[];
}

/** SCP/SCU roles that the requestor proposes for itself (PS3.7 D.3.3.4). */
export interface ProposedRole {
  readonly sopClassUid: string;
  readonly scu: boolean;
  readonly scp: boolean;
}

/** Types of user identity (PS3.7 Table D.3-14); Kerberos, SAML and JSON Web Token are 3 to 5. */
export const UserIdentityType = { Username: 1, UsernameAndPasscode: 2 } as const;

/** Who the requestor says that its user is (PS3.7 D.3.3.7.1). */
export interface UserIdentity {
  readonly type: number;
  readonly positiveResponseRequested: boolean;
  /** The user name in UTF-8, or what another type has. */
  readonly primaryField: Buffer;
  /** The passcode; empty for other types. */
  readonly secondaryField: Buffer;
}

/** An A-ASSOCIATE-RQ PDU as read. AE titles are without padding. */
export interface AssociateRequest {
  readonly protocolVersion: number;
  readonly calledAeTitle: string;
  readonly callingAeTitle: string;
  readonly applicationContext: string;
  readonly contexts: readonly ProposedContext[];
  /** Of the P-DATA-TF PDUs that the requestor takes, in bytes; 0 means no limit. */
  readonly maximumLength: number;
  readonly implementationClassUid: string;
  readonly implementationVersionName: string;
  readonly roles: readonly ProposedRole[];
  readonly proposesAsynchronousOperations: boolean;
  readonly userIdentity?: UserIdentity | undefined;
}

/** Result of a presentation context (PS3.8 Table 9-18). */
export const ContextResult = {
  Acceptance: 0,
  UserRejection: 1,
  AbstractSyntaxNotSupported: 3,
  TransferSyntaxesNotSupported: 4,
} as const;
export type ContextResult = (typeof ContextResult)[keyof typeof ContextResult];

export interface NegotiatedContext {
  readonly id: number;
  readonly result: ContextResult;
  readonly abstractSyntax: string;
  /** Not significant unless accepted, but always on the wire. */
  readonly transferSyntax: string;
}

/** What an A-ASSOCIATE-AC PDU says; the AE titles are echoed as the standard asks (PS3.8 Table 9-17). */
export interface AssociateAccept {
  readonly calledAeTitle: string;
  readonly callingAeTitle: string;
  readonly contexts: readonly NegotiatedContext[];
  readonly maximumLength: number;
  readonly implementationClassUid: string;
  readonly implementationVersionName: string;
  readonly roles: readonly ProposedRole[];
  readonly answersAsynchronousOperations: boolean;
  /** Whether it tells the requestor that its user was checked (PS3.7 D.3.3.7.2). */
  readonly answersUserIdentity: boolean;
}

/** Result, source and reason of an A-ASSOCIATE-RJ PDU (PS3.8 Table 9-21). */
export interface Rejection {
  readonly result: number;
  readonly source: number;
  readonly reason: number;
  /** For our own log, not for the peer. */
  readonly because: string;
}

/** A-ASSOCIATE response. */
export type AssociateAnswer = AssociateAccept | Rejection;

/** Source and reason of an A-ABORT PDU (PS3.8 Table 9-26). */
export interface Abort {
  readonly source: number;
  readonly reason: number;
}

export const AbortSource = { ServiceUser: 0, ServiceProvider: 2 } as const;

/** Reasons of the service provider (PS3.8 Table 9-26); of the service user there is only 0. */
export const AbortReason = {
  NotSpecified: 0,
  UnrecognizedPdu: 1,
  UnexpectedPdu: 2,
  UnrecognizedPduParameter: 4,
  UnexpectedPduParameter: 5,
  InvalidPduParameterValue: 6,
} as const;

/** First bytes of a TLS connection: a handshake record of protocol version 3.x (RFC 8446 5.1). */
export const TLS_HANDSHAKE = { type: 0x16, version: 0x03 } as const;

/** A PDU that breaks PS3.8 9.3; `reason` is the one to abort with. */
export class PduError extends Error {
  readonly code = 'invalid-pdu';
  readonly reason: number;

  constructor(reason: number, message: string) {
    super(message);
    this.name = 'PduError';
    this.reason = reason;
  }
}

/** What came is no PDU but the beginning of TLS. */
export class TlsInsteadError extends PduError {
  constructor() {
    super(AbortReason.UnrecognizedPdu, 'The peer speaks TLS');
    this.name = 'TlsInsteadError';
  }
}
