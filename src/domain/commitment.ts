/** A SOP Instance by its class and UID, as Referenced SOP Sequence (0008,1199) names it. */
export interface InstanceReference {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
}

/** What a scanner asks Vigil to commit to (PS3.4 J.3.2), and on which association. */
export interface CommitmentRequest {
  readonly transactionUid: string;
  readonly associationId: number;
  readonly callingAeTitle: string;
  readonly calledAeTitle: string;
  /** Each SOP Instance UID once. */
  readonly instances: readonly InstanceReference[];
  /** Milliseconds since the epoch. */
  readonly requestedAt: number;
}

/** A transaction that is to be reported; `attempts` are those before. Times are milliseconds since the epoch. */
export interface DueCommitment {
  readonly transactionUid: string;
  readonly associationId: number;
  readonly callingAeTitle: string;
  readonly calledAeTitle: string;
  readonly attempts: number;
  readonly dueAt: number;
}

/** What became of the request for one instance: no reason means committed. */
export interface CheckedReference extends InstanceReference {
  /** Failure Reason (0008,1197). */
  readonly failureReason?: number;
}

/** What is reported of a transaction (PS3.4 J.3.3). */
export interface CommitmentReport {
  readonly transactionUid: string;
  readonly instances: readonly CheckedReference[];
}

/** How the attempt to report a transaction ended. */
export type ReportSettlement =
  | { readonly type: 'reported' }
  /** For another try at `retryAt`, or for none. */
  | { readonly type: 'failed'; readonly code: string; readonly retryAt?: number };
