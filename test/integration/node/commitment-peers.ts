import { EventEmitter, once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import dimse, { type association, type requests, type responses } from 'dcmjs-dimse';
import {
  STORAGE_COMMITMENT_INSTANCE,
  STORAGE_COMMITMENT_PUSH_MODEL,
} from '../../../src/dicom/sop-classes.js';
import { dataset, type TestElement } from '../../unit/dicom-header/dataset-bytes.js';
import { pdu, pdv } from '../../unit/receive/pdu-bytes.js';
import { CT_CONTEXT, commandPdu, EXPLICIT, RawScu } from '../receive/raw-scu.js';

/** A reference as the wire has it: SOP class, SOP instance, Failure Reason. */
export type Reference = readonly [sopClassUid: string, sopInstanceUid: string];

/** What an event report says. */
export interface HeardReport {
  readonly eventTypeId: number;
  readonly transactionUid: string;
  readonly committed: readonly string[];
  /** SOP Instance UID to Failure Reason. */
  readonly failed: Readonly<Record<string, number>>;
}

export const COMMITMENT_CONTEXT = {
  id: 3,
  abstractSyntax: STORAGE_COMMITMENT_PUSH_MODEL,
  transferSyntaxes: [EXPLICIT],
};

/** Associates as a scanner that sends images and asks for commitment. */
export function associated(port: number, callingAeTitle = 'CT1'): Promise<RawScu> {
  return RawScu.associated(port, { callingAeTitle, contexts: [CT_CONTEXT, COMMITMENT_CONTEXT] });
}

/** Sends N-ACTION and resolves to the status of its response. */
export async function requestCommitment(
  scu: RawScu,
  transactionUid: string,
  references: readonly Reference[],
): Promise<number | undefined> {
  scu.send(actionCommand(), datasetPdus(requestDataset(transactionUid, references)));
  return (await scu.response()).status;
}

export function requestDataset(
  transactionUid: string,
  references: readonly Reference[],
): readonly TestElement[] {
  return [
    [0x00081195, 'UI', transactionUid],
    [
      0x00081199,
      'SQ',
      references.map(([sopClassUid, sopInstanceUid]) => [
        [0x00081150, 'UI', sopClassUid] as const,
        [0x00081155, 'UI', sopInstanceUid] as const,
      ]),
    ],
  ];
}

export function actionCommand(changes: readonly TestElement[] = []): Buffer {
  return nCommand(
    [
      [0x00000003, 'UI', STORAGE_COMMITMENT_PUSH_MODEL],
      [0x00000100, 'US', 0x0130],
      [0x00000110, 'US', 7],
      [0x00000800, 'US', 1],
      [0x00001001, 'UI', STORAGE_COMMITMENT_INSTANCE],
      [0x00001008, 'US', 1],
    ],
    changes,
  );
}

/** A command on the second context; `changes` take the place of elements with their tags. */
export function nCommand(
  elements: readonly TestElement[],
  changes: readonly TestElement[] = [],
  contextId = COMMITMENT_CONTEXT.id,
): Buffer {
  const changed = new Map(changes.map((element) => [element[0], element]));
  return commandPdu(
    contextId,
    elements.map((element) => changed.get(element[0]) ?? element),
  );
}

export function datasetPdus(
  elements: readonly TestElement[],
  contextId = COMMITMENT_CONTEXT.id,
): Buffer {
  const bytes = dataset(elements);
  const parts: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += 16_000) {
    const last = start + 16_000 >= bytes.length;
    const part = bytes.subarray(start, start + 16_000);
    parts.push(pdu(4, pdv(contextId, { command: false, last }, part)));
  }
  return Buffer.concat(parts);
}

type NEventReport = requests.NEventReportRequest;

/** A scanner's own listener, to which commitment is reported; made of dcmjs-dimse. */
export class ScannerListener
  extends EventEmitter<{ report: [HeardReport]; roles: [boolean] }>
  implements AsyncDisposable
{
  /** The status of its responses. */
  status = 0;
  readonly heard: HeardReport[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    super();
    this.#server = server;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      new ListenerAssociation(socket, (request) => this.#hear(request));
    });
  }

  static async start(port = 0): Promise<ScannerListener> {
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    return new ScannerListener(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  #hear(request: NEventReport): number {
    const report = readReport(request);
    this.heard.push(report);
    this.emit('report', report);
    return this.status;
  }
}

class ListenerAssociation extends dimse.Scp {
  readonly #hear: (request: NEventReport) => number;

  constructor(socket: Socket, hear: (request: NEventReport) => number) {
    super(socket);
    this.#hear = hear;
    this.on('networkError', () => socket.destroy());
  }

  override associationRequested(requested: association.Association): void {
    for (const { id } of requested.getPresentationContexts()) {
      const context = requested.getPresentationContext(id);
      context.setResult(0, context.getTransferSyntaxUids()[0] ?? '');
    }
    this.sendAssociationAccept();
  }

  override associationReleaseRequested(): void {
    this.sendAssociationReleaseResponse();
  }

  override nEventReportRequest(
    request: NEventReport,
    respond: (response: responses.NEventReportResponse) => void,
  ): void {
    const response = dimse.responses.NEventReportResponse.fromRequest(request);
    response.setStatus(this.#hear(request));
    respond(response);
  }
}

function readReport(request: NEventReport): HeardReport {
  const elements = request.getDataset()?.getElements() as {
    TransactionUID: string;
    ReferencedSOPSequence?: readonly { ReferencedSOPInstanceUID: string }[];
    FailedSOPSequence?: readonly { ReferencedSOPInstanceUID: string; FailureReason: number }[];
  };
  return {
    eventTypeId: request.getEventTypeId(),
    transactionUid: elements.TransactionUID,
    committed: (elements.ReferencedSOPSequence ?? []).map((one) => one.ReferencedSOPInstanceUID),
    failed: Object.fromEntries(
      (elements.FailedSOPSequence ?? []).map((one) => [
        one.ReferencedSOPInstanceUID,
        one.FailureReason,
      ]),
    ),
  };
}
