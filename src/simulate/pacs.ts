import { EventEmitter, once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { encodeFileMeta } from '../dicom/file-meta.js';
import { Status } from '../dicom/status.js';
import { isUid } from '../dicom/uid.js';
import type { EncodedInstance } from '../dicom/verbatim-dataset.js';
import type { CommitmentReport } from '../domain/commitment.js';
import {
  type CommitmentAsked,
  type FiledPatient,
  type IncomingObject,
  type PacsAnswer,
  PacsAssociation,
} from './pacs-association.js';

/** An object that the PACS keeps. */
export interface ReceivedObject extends EncodedInstance {
  readonly callingAeTitle: string;
  /** Path of the Part 10 file; its dataset is as it came over the wire. */
  readonly file: string;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
}

export interface PacsOptions {
  /** Where received objects are kept; made where it is missing. */
  readonly folder: string;
  readonly host?: string;
  /** 0, the default, takes a free one. */
  readonly port?: number;
  /** Rejects associations that call another AE title; absent, it answers to any. */
  readonly aeTitle?: string;
  /** Rejects associations of other callers; absent, anyone may call. */
  readonly callingAeTitles?: readonly string[];
  readonly refusedSopClasses?: readonly string[];
  /** Accepted transfer syntaxes, the preferred first; absent, the first that each context offers. */
  readonly transferSyntaxes?: readonly string[];
  /** Decides on an object before it is kept; only those that it passes (undefined) or gives a warning are. */
  readonly answer?: (object: IncomingObject) => PacsAnswer | undefined;
  /** Objects that it answers with success and loses. */
  readonly loses?: (object: IncomingObject) => boolean;
  /** Decides on a C-FIND in place of the search. */
  readonly findAnswer?: (sopInstanceUid: string) => PacsAnswer | undefined;
  /** The patient under whom it files a study, for a C-FIND at STUDY level; absent, it finds no studies. */
  readonly patientOf?: (studyInstanceUid: string) => FiledPatient | undefined;
  /** Decides on a request for storage commitment before it is taken. */
  readonly commitAnswer?: () => PacsAnswer | undefined;
  /** Is given what there is to report, and how to on the association of the request; absent, that is done at once. */
  readonly onCommitment?: (
    report: CommitmentReport,
    onAssociation: (report: CommitmentReport) => void,
  ) => void;
}

/**
 * A simulated PACS for demonstration and tests: a Verification, Storage and Study Root Find SCP (PS3.4 A, B and C) that
 * keeps what it is sent as Part 10 files, finds it by its SOP Instance UID at IMAGE level and the patient of its study at
 * STUDY level, commits to what it has
 * (PS3.4 J), and can fail in the ways of real ones. Not for patient data: it has no limits of its own.
 */
export class SimulatedPacs
  extends EventEmitter<{ received: [ReceivedObject]; association: [] }>
  implements AsyncDisposable
{
  readonly #options: PacsOptions;
  readonly #sockets = new Set<Socket>();
  readonly #received: ReceivedObject[] = [];
  #server: Server | undefined;

  constructor(options: PacsOptions) {
    super();
    this.#options = options;
  }

  /** The objects that are kept, in the order in which they came. */
  get received(): readonly ReceivedObject[] {
    return this.#received;
  }

  /** The port it listens on; 0 while it does not. */
  get port(): number {
    const address = this.#server?.address() as AddressInfo | null | undefined;
    return address?.port ?? 0;
  }

  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    await mkdir(this.#options.folder, { recursive: true });
    const server = createServer((socket) => this.#connected(socket));
    this.#server = server;
    server.listen(this.#options.port ?? 0, this.#options.host ?? '127.0.0.1');
    await once(server, 'listening');
  }

  /** Closes every connection, whatever it carries. */
  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = once(server, 'close');
    server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #connected(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    const association = new PacsAssociation(socket, {
      aeTitle: this.#options.aeTitle,
      callingAeTitles: this.#options.callingAeTitles,
      refusedSopClasses: new Set(this.#options.refusedSopClasses),
      transferSyntaxes: this.#options.transferSyntaxes,
      store: (object) => this.#store(object),
      find: (sopInstanceUid) =>
        this.#options.findAnswer?.(sopInstanceUid) ?? this.#has(sopInstanceUid),
      patientOf: (studyInstanceUid) => this.#options.patientOf?.(studyInstanceUid),
      commit: (asked, report) => this.#commit(asked, report),
    });
    association.on('associationRequested', () => this.emit('association'));
  }

  #commit(asked: CommitmentAsked, onAssociation: (report: CommitmentReport) => void): PacsAnswer {
    const answer = this.#options.commitAnswer?.() ?? { status: Status.Success };
    if (typeof answer === 'string' || answer.status !== Status.Success) return answer;
    const instances = asked.instances.map(({ sopClassUid, sopInstanceUid }) => ({
      sopClassUid,
      sopInstanceUid,
      ...(!this.#has(sopInstanceUid) && { failureReason: Status.NoSuchObjectInstance }),
    }));
    const report = { transactionUid: asked.transactionUid, instances };
    // After the response.
    setImmediate(() => {
      if (this.#options.onCommitment === undefined) onAssociation(report);
      else this.#options.onCommitment(report, onAssociation);
    });
    return answer;
  }

  #has(sopInstanceUid: string): boolean {
    return this.#received.some((object) => object.sopInstanceUid === sopInstanceUid);
  }

  async #store(object: IncomingObject): Promise<PacsAnswer> {
    const answer = this.#options.answer?.(object) ?? { status: Status.Success };
    if (typeof answer === 'string' || !isStored(answer.status)) return answer;
    if (this.#options.loses?.(object)) return answer;
    const { bytes, ...rest } = object;
    // The UID becomes a file's name.
    if (!isUid(object.sopInstanceUid)) return { status: Status.CannotUnderstand };
    const file = join(this.#options.folder, `${object.sopInstanceUid}.dcm`);
    await writeFile(file, Buffer.concat([encodeFileMeta(object), bytes]));
    const received = { ...rest, file, receivedAt: Date.now() };
    this.#received.push(received);
    this.emit('received', received);
    return answer;
  }
}

/** Success and warnings (PS3.4 Table B.2-1). */
function isStored(status: number): boolean {
  return status === Status.Success || status >> 12 === 0xb;
}
