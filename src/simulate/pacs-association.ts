import type { Socket } from 'node:net';
import { Writable } from 'node:stream';
import dimse, { type association, type Dataset, type requests } from 'dcmjs-dimse';
import { commitmentEvent } from '../dicom/commitment-dataset.js';
import {
  STORAGE_COMMITMENT_INSTANCE,
  STORAGE_COMMITMENT_PUSH_MODEL,
} from '../dicom/sop-classes.js';
import { Status } from '../dicom/status.js';
import { EXPLICIT_VR_LITTLE_ENDIAN } from '../dicom/transfer-syntaxes.js';
import { type EncodedInstance, VerbatimDataset } from '../dicom/verbatim-dataset.js';
import type { CommitmentReport } from '../domain/commitment.js';

/** How the PACS treats one C-STORE: a status, or the ways in which a peer fails without giving one. */
export type PacsAnswer =
  | { readonly status: number; readonly comment?: string }
  | 'drop-connection'
  | 'abort'
  | 'no-answer';

/** An object as it came over the wire; `bytes` are its dataset in that transfer syntax. */
export interface IncomingObject extends EncodedInstance {
  readonly callingAeTitle: string;
  readonly bytes: Uint8Array;
}

/** What a PACS says of a study's patient, by DICOM keyword. */
export type FiledPatient = Readonly<
  Partial<Record<'PatientID' | 'IssuerOfPatientID' | 'PatientBirthDate' | 'PatientSex', string>>
>;

/** What the PACS decides; an association only speaks for it. */
export interface PacsPolicy {
  readonly aeTitle: string | undefined;
  readonly callingAeTitles: readonly string[] | undefined;
  readonly refusedSopClasses: ReadonlySet<string>;
  readonly transferSyntaxes: readonly string[] | undefined;
  store(object: IncomingObject): Promise<PacsAnswer>;
  /** Whether it has the instance, or how else it answers. */
  find(sopInstanceUid: string): boolean | PacsAnswer;
  patientOf(studyInstanceUid: string): FiledPatient | undefined;
  /** Takes a request for storage commitment, or how else it answers; the report goes on this association. */
  commit(asked: CommitmentAsked, report: (report: CommitmentReport) => void): PacsAnswer;
}

/** What the PACS is asked to commit to (PS3.4 Table J.3-1). */
export type CommitmentAsked = Pick<CommitmentReport, 'transactionUid' | 'instances'>;

type Association = association.Association;
type CStoreRequest = requests.CStoreRequest;

const { PresentationContextResult, RejectReason, RejectResult, RejectSource } = dimse.constants;

/** One association of the simulated PACS. */
export class PacsAssociation extends dimse.Scp {
  readonly #socket: Socket;
  readonly #policy: PacsPolicy;
  #callingAeTitle = '';

  constructor(socket: Socket, policy: PacsPolicy) {
    super(socket);
    this.#socket = socket;
    this.#policy = policy;
    socket.setNoDelay(true);
    this.on('networkError', () => socket.destroy());
  }

  override associationRequested(requested: Association): void {
    this.#callingAeTitle = requested.getCallingAeTitle();
    const { aeTitle, callingAeTitles } = this.#policy;
    if (aeTitle !== undefined && requested.getCalledAeTitle() !== aeTitle) {
      this.#reject(RejectReason.CalledAeNotRecognized);
    } else if (callingAeTitles?.includes(this.#callingAeTitle) === false) {
      this.#reject(RejectReason.CallingAeNotRecognized);
    } else {
      for (const { id } of requested.getPresentationContexts()) {
        this.#negotiate(requested.getPresentationContext(id));
      }
      this.sendAssociationAccept();
    }
  }

  override associationReleaseRequested(): void {
    this.sendAssociationReleaseResponse();
  }

  override cEchoRequest(
    request: requests.CEchoRequest,
    respond: (response: InstanceType<typeof dimse.responses.CEchoResponse>) => void,
  ): void {
    const response = dimse.responses.CEchoResponse.fromRequest(request);
    response.setStatus(Status.Success);
    respond(response);
  }

  override createStoreWritableStream(): Writable {
    return new DatasetCollector();
  }

  override createDatasetFromStoreWritableStream(
    collector: Writable,
    context: association.PresentationContext,
    callback: (dataset: Dataset) => void,
  ): void {
    const instance = {
      sopClassUid: context.getAbstractSyntaxUid(),
      sopInstanceUid: '',
      transferSyntaxUid: context.getAcceptedTransferSyntaxUid() ?? '',
    };
    callback(new VerbatimDataset(instance, (collector as DatasetCollector).bytes));
  }

  override cStoreRequest(
    request: CStoreRequest,
    respond: (response: InstanceType<typeof dimse.responses.CStoreResponse>) => void,
  ): void {
    const dataset = request.getDataset() as VerbatimDataset;
    const incoming = {
      sopClassUid: request.getAffectedSopClassUid(),
      sopInstanceUid: request.getAffectedSopInstanceUid(),
      transferSyntaxUid: dataset.getTransferSyntaxUid(),
      callingAeTitle: this.#callingAeTitle,
      bytes: dataset.getDenaturalizedDataset(),
    };
    this.#policy
      .store(incoming)
      .catch((): PacsAnswer => ({ status: Status.OutOfResources }))
      .then((answer) => {
        if (this.#fails(answer)) return;
        const response = dimse.responses.CStoreResponse.fromRequest(request);
        response.setStatus(answer.status);
        if (answer.comment !== undefined) response.setErrorComment(answer.comment);
        respond(response);
      });
  }

  override cFindRequest(
    request: requests.CFindRequest,
    respond: (responses: InstanceType<typeof dimse.responses.CFindResponse>[]) => void,
  ): void {
    const keys = request.getDataset()?.getElements() ?? {};
    const { QueryRetrieveLevel, SOPInstanceUID, StudyInstanceUID } = keys;
    const isStudy = QueryRetrieveLevel === 'STUDY';
    const patient = isStudy ? this.#policy.patientOf(String(StudyInstanceUID)) : undefined;
    const answer = isStudy ? patient !== undefined : this.#policy.find(String(SOPInstanceUID));
    if (typeof answer !== 'boolean' && this.#fails(answer)) return;
    const responseOf = (status: number) => {
      const response = dimse.responses.CFindResponse.fromRequest(request);
      response.setStatus(status);
      return response;
    };
    const status = typeof answer === 'boolean' ? Status.Success : answer.status;
    if (answer !== true) {
      respond([responseOf(status)]);
      return;
    }
    const match = responseOf(PENDING);
    const found = isStudy ? { StudyInstanceUID, ...patient } : { SOPInstanceUID };
    match.setDataset(new dimse.Dataset({ QueryRetrieveLevel, ...found }));
    respond([match, responseOf(status)]);
  }

  override nActionRequest(
    request: requests.NActionRequest,
    respond: (response: InstanceType<typeof dimse.responses.NActionResponse>) => void,
  ): void {
    const { TransactionUID, ReferencedSOPSequence } = request.getDataset()?.getElements() ?? {};
    const instances = (ReferencedSOPSequence as readonly ReferencedSop[] | undefined)?.map(
      ({ ReferencedSOPClassUID, ReferencedSOPInstanceUID }) => ({
        sopClassUid: ReferencedSOPClassUID,
        sopInstanceUid: ReferencedSOPInstanceUID,
      }),
    );
    const asked = { transactionUid: String(TransactionUID), instances: instances ?? [] };
    const answer = this.#policy.commit(asked, (report) => this.sendRequests(eventReport(report)));
    if (this.#fails(answer)) return;
    const response = dimse.responses.NActionResponse.fromRequest(request);
    response.setStatus(answer.status);
    respond(response);
  }

  /** Fails in the given way, where it is one. */
  #fails(answer: PacsAnswer): answer is Exclude<PacsAnswer, { readonly status: number }> {
    if (typeof answer !== 'string') return false;
    if (answer === 'drop-connection') {
      this.#socket.destroy();
    } else if (answer === 'abort') {
      this.sendAbort();
      this.#socket.end();
    }
    return true;
  }

  override abort(): void {
    this.#socket.destroy();
  }

  /** The library goes on to accept requests after a rejection, so the connection ends with it. */
  #reject(reason: number): void {
    this.sendAssociationReject(RejectResult.Permanent, RejectSource.ServiceUser, reason);
    this.#socket.end();
  }

  #negotiate(context: association.PresentationContext): void {
    if (this.#policy.refusedSopClasses.has(context.getAbstractSyntaxUid())) {
      context.setResult(PresentationContextResult.RejectAbstractSyntaxNotSupported);
      return;
    }
    const offered = context.getTransferSyntaxUids();
    const wanted = this.#policy.transferSyntaxes;
    const chosen = wanted === undefined ? offered[0] : wanted.find((uid) => offered.includes(uid));
    if (chosen === undefined) {
      context.setResult(PresentationContextResult.RejectTransferSyntaxesNotSupported);
    } else {
      context.setResult(PresentationContextResult.Accept, chosen);
    }
  }
}

interface ReferencedSop {
  readonly ReferencedSOPClassUID: string;
  readonly ReferencedSOPInstanceUID: string;
}

function eventReport(report: CommitmentReport): requests.NEventReportRequest {
  const { eventTypeId, information } = commitmentEvent(report);
  const request = new dimse.requests.NEventReportRequest(
    STORAGE_COMMITMENT_PUSH_MODEL,
    STORAGE_COMMITMENT_INSTANCE,
    eventTypeId,
  );
  request.setDataset(new dimse.Dataset({ ...information }, EXPLICIT_VR_LITTLE_ENDIAN));
  return request;
}

/** A match of a C-FIND (PS3.4 Table C.4-1). */
const PENDING = 0xff00;

/** Keeps the fragments of one dataset. The library waits for a full stream in a way that loses data, so it never is. */
class DatasetCollector extends Writable {
  readonly #fragments: Buffer[] = [];

  constructor() {
    super({ highWaterMark: Number.MAX_SAFE_INTEGER });
  }

  get bytes(): Buffer {
    return Buffer.concat(this.#fragments);
  }

  override _write(fragment: Buffer, _encoding: string, done: () => void): void {
    this.#fragments.push(fragment);
    done();
  }
}
