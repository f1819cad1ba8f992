import type { InstanceHeader } from './instance.js';

/** What the File Meta Information of a new file has to say, and who sends the instance. */
export interface IncomingInstance {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
  readonly associationId: number;
  readonly callingAeTitle: string;
  readonly calledAeTitle: string;
}

/** An instance whose bytes are durable in the incoming folder, on its way into the catalog. */
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

/** What an instance is to the catalog: new, the same bytes again, or other bytes under a known SOP Instance UID. */
export type Verdict = 'stored' | 'duplicate' | 'conflict';

export interface OpenedAssociation {
  readonly associationId: number;
  readonly callingAeTitle: string;
  readonly calledAeTitle: string;
  readonly remoteAddress: string;
  /** Milliseconds since the epoch. */
  readonly openedAt: number;
}

/** By A-RELEASE, by A-ABORT of either side, or because the connection was gone. */
export type AssociationEnd = 'released' | 'aborted' | 'lost';
