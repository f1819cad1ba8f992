import type { InstanceHeader } from '../domain/instance.js';
import type { Rejection } from './pdu.js';
import type { AssociationEnd } from './upper-layer.js';

/** What the File Meta Information of a new file has to say, and who sent the instance. */
export interface IncomingInstance {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  readonly associationId: number;
  readonly callingAeTitle: string;
  readonly calledAeTitle: string;
}

/** An instance whose bytes are durable, on its way into the catalog. */
export interface ReceivedInstance {
  readonly header: InstanceHeader;
  /** Absolute path of the Part 10 file. */
  readonly file: string;
  /** Hex SHA-256 of the dataset's bytes. */
  readonly sha256: string;
  /** Length of the dataset. */
  readonly bytes: number;
  readonly associationId: number;
  readonly callingAeTitle: string;
  readonly calledAeTitle: string;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
}

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

export type Verdict = 'stored' | 'duplicate' | 'conflict';

export interface Catalog {
  /** Takes the instance and the care for its file; throws, with the file untouched, where it cannot. */
  accept(received: ReceivedInstance): Verdict;
}

export interface OpenedAssociation {
  readonly associationId: number;
  readonly callingAeTitle: string;
  readonly calledAeTitle: string;
  readonly remoteAddress: string;
  /** Milliseconds since the epoch. */
  readonly openedAt: number;
}

/** Why an instance was not taken, as told to its sender. */
export interface Refusal {
  readonly status: number;
  readonly reason: string;
}

/** Who is told what happens: the catalog for its rows, the metrics for their counts. */
export interface ReceiveObserver {
  associationOpened?(association: OpenedAssociation): void;
  associationRejected?(rejection: Rejection, remoteAddress: string): void;
  associationClosed?(associationId: number, end: AssociationEnd, closedAt: number): void;
  /** A connection beyond the limit was closed unheard. */
  connectionDropped?(): void;
  /** `seconds` from the C-STORE request until the instance was safe. */
  instanceReceived?(received: ReceivedInstance, verdict: Verdict, seconds: number): void;
  instanceRefused?(associationId: number, refusal: Refusal): void;
}
