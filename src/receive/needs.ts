import type { CommitmentReport, CommitmentRequest } from '../domain/commitment.js';
import type { NewStep, StepChange, StepRefusal } from '../domain/performed-step.js';
import type {
  AssociationEnd,
  IncomingInstance,
  OpenedAssociation,
  ReceivedInstance,
  Verdict,
} from '../domain/received-instance.js';
import type { TlsProblem } from '../tls/problem.js';
import type { AssociateRequest, Rejection } from './pdu.js';

export interface IncomingFile {
  /**
   * Takes a part of the dataset. A promise says that enough is waiting for the disk: it resolves when more may come,
   * and never rejects; an error of the disk comes from `finish`.
   */
  write(bytes: Uint8Array): Promise<void> | undefined;
  /** Resolves when no crash can lose the bytes any more; rejects where the disk cannot take them. */
  finish(): Promise<{
    readonly file: string;
    readonly sha256: string;
    readonly bytes: number;
    readonly receivedAt: number;
  }>;
  /** Removes the file, finished or not; never rejects. */
  discard(): Promise<void>;
}

export interface IncomingFiles {
  /** Returns at once; an error of the disk, such as no space, comes from `finish` or is thrown here. */
  create(instance: IncomingInstance): IncomingFile;
}

export interface Catalog {
  /** Takes the instance and the care for its file; throws, with the file untouched, where it cannot. */
  accept(received: ReceivedInstance): Verdict;
}

/** Whether a request for storage commitment was written down, or why not. */
export type CommitmentVerdict = 'accepted' | 'duplicate-transaction' | 'too-many-pending';

export interface CommitmentRequests {
  /**
   * Writes a request down so that no crash loses it. The same request again counts as accepted; another one under a
   * known Transaction UID does not. Throws where the catalog takes no rows.
   */
  accept(request: CommitmentRequest): CommitmentVerdict;
}

export interface CommitmentReports {
  /**
   * Writes down what a peer reports of a request of Vigil's own; false where there is no such request. Throws where the
   * catalog takes no rows.
   */
  take(report: CommitmentReport): boolean;
}

/** Whether a message about a procedure step was written down, or why not. */
export type StepVerdict = 'taken' | 'duplicate' | 'unknown' | 'too-many' | StepRefusal;

export interface PerformedSteps {
  /** Writes a new step down so that no crash loses it. Throws where the catalog takes no rows; so does `change`. */
  create(step: NewStep): StepVerdict;
  change(sopInstanceUid: string, change: StepChange): StepVerdict;
}

/** Why an instance was not taken, as told to its sender. */
export interface Refusal {
  readonly status: number;
  readonly reason: string;
}

/** Who is told what happens: the catalog for its rows, the metrics for their counts. */
export interface ReceiveObserver {
  associationOpened?(association: OpenedAssociation): void;
  associationRejected?(
    rejection: Rejection,
    request: AssociateRequest,
    remoteAddress: string,
  ): void;
  associationClosed?(associationId: number, end: AssociationEnd, closedAt: number): void;
  /** A connection beyond the limit was closed unheard. */
  connectionDropped?(): void;
  /** A connection was closed because the peer's TLS, or its lack, does not fit the port. */
  connectionRefused?(problem: TlsProblem, remoteAddress: string): void;
  /** `seconds` from the C-STORE request until the instance was safe. */
  instanceReceived?(received: ReceivedInstance, verdict: Verdict, seconds: number): void;
  instanceRefused?(associationId: number, refusal: Refusal): void;
}
