import dimse, { type association, type responses } from 'dcmjs-dimse';
import { readFileMeta } from '../dicom/file-meta.js';
import { VerbatimDataset } from '../dicom/verbatim-dataset.js';

export interface ScannerOptions {
  readonly host: string;
  readonly port: number;
  /** Of the node that it sends to. */
  readonly calledAeTitle: string;
  readonly callingAeTitle?: string;
  /** Over all associations together; absent, each image follows the last one's response at once. */
  readonly imagesPerSecond?: number;
  /** How many associations share the images, each taking the next ones in turn; one by default. */
  readonly associations?: number;
}

export interface Acknowledgement {
  readonly sopInstanceUid: string;
  /** C-STORE status (PS3.4 Table B.2-1). */
  readonly status: number;
  /** When the response was there, in ms since the epoch. */
  readonly at: number;
}

/** The scanner could not send all: `acknowledged` tells what the node took before. */
export class ScannerError extends Error {
  readonly code: string;
  readonly acknowledged: readonly Acknowledgement[];

  constructor(code: string, acknowledged: readonly Acknowledgement[], cause?: Error) {
    super(`The simulated scanner could not send (${code})`, { cause });
    this.name = 'ScannerError';
    this.code = code;
    this.acknowledged = acknowledged;
  }
}

/**
 * Sends Part 10 files as a scanner does: by C-STORE (PS3.4 B), in the given order, at a pace, over one or more
 * associations. Resolves to the acknowledgements in the order in which they came.
 *
 * @throws ScannerError where an association fails or an image gets no response.
 */
export async function scan(
  options: ScannerOptions,
  part10Files: readonly Uint8Array[],
): Promise<readonly Acknowledgement[]> {
  const acknowledged: Acknowledgement[] = [];
  const associations = Math.max(1, Math.min(options.associations ?? 1, part10Files.length));
  const interval = options.imagesPerSecond === undefined ? 0 : 1000 / options.imagesPerSecond;
  const begin = Date.now();
  const requests = part10Files.map((file, i) => {
    const next = i + associations;
    // After the last image of an association comes the release, which waits for nothing.
    const nextAt = next < part10Files.length ? begin + next * interval : 0;
    return new PacedRequest(file, nextAt, acknowledged);
  });
  const shares = Array.from({ length: associations }, (_, share) =>
    requests.filter((_request, i) => i % associations === share),
  );
  const failures = await Promise.all(shares.map((share) => sendShare(options, share)));
  const failure = failures.find((one) => one !== undefined);
  if (failure !== undefined || acknowledged.length < requests.length) {
    throw new ScannerError(failure?.code ?? 'not-accepted', acknowledged, failure?.error);
  }
  return acknowledged;
}

interface AssociationFailure {
  readonly code: string;
  readonly error?: Error;
}

/** Resolves when the association is over: to what was wrong where it failed. */
function sendShare(
  options: ScannerOptions,
  requests: readonly PacedRequest[],
): Promise<AssociationFailure | undefined> {
  if (requests.length === 0) return Promise.resolve(undefined);
  return new Promise((resolve) => {
    const client = new dimse.Client();
    let failure: AssociationFailure | undefined;
    for (const request of requests) client.addRequest(request);
    const offers = new Map(requests.map((r) => [`${r.sopClassUid} ${r.transferSyntaxUid}`, r]));
    for (const { sopClassUid, transferSyntaxUid } of offers.values()) {
      const context = new dimse.association.PresentationContext(0, sopClassUid, transferSyntaxUid);
      client.addAdditionalPresentationContext(context, true);
    }
    client.on('associationAccepted', (accepted: association.Association) => {
      client.clearRequests();
      for (const request of requests) if (request.fits(accepted)) client.addRequest(request);
    });
    client.on('associationRejected', () => {
      failure = { code: 'association-rejected' };
    });
    client.on('networkError', (error: Error) => {
      failure ??= { code: 'network-error', error };
    });
    client.on('closed', () => resolve(failure));
    const { host, port, callingAeTitle = 'SCANNER', calledAeTitle } = options;
    client.send(host, port, callingAeTitle, calledAeTitle);
    const { network } = client as unknown as { network: ScannerNetwork };
    network.socket.setNoDelay(true);
    for (const request of requests) {
      // The library keeps all responses of an association in one stream and reads it anew for each.
      request.on('response', () => {
        network.dimseStream = undefined;
      });
    }
  });
}

/** The parts of the library's connection that its typings leave out. */
interface ScannerNetwork {
  readonly socket: { setNoDelay(on: boolean): void };
  dimseStream: unknown;
}

/** A C-STORE request after which the next image waits for its time. */
class PacedRequest extends dimse.requests.CStoreRequest {
  readonly sopClassUid: string;
  readonly transferSyntaxUid: string;
  readonly #nextAt: number;

  constructor(part10: Uint8Array, nextAt: number, acknowledged: Acknowledgement[]) {
    const meta = readFileMeta(part10);
    if (meta === undefined) throw new ScannerError('not-part-10', acknowledged);
    super(new VerbatimDataset(meta, part10.subarray(meta.datasetOffset)));
    this.sopClassUid = meta.sopClassUid;
    this.transferSyntaxUid = meta.transferSyntaxUid;
    this.#nextAt = nextAt;
    const { sopInstanceUid } = meta;
    this.on('response', (response: responses.CStoreResponse) => {
      acknowledged.push({ sopInstanceUid, status: response.getStatus(), at: Date.now() });
    });
  }

  /** Whether the image can go as it is. */
  fits(accepted: association.Association): boolean {
    const context = accepted.getAcceptedPresentationContextFromRequest(this);
    return context?.getAcceptedTransferSyntaxUid() === this.transferSyntaxUid;
  }

  override raiseDoneEvent(): void {
    const wait = this.#nextAt - Date.now();
    if (wait > 0) setTimeout(() => super.raiseDoneEvent(), wait);
    else super.raiseDoneEvent();
  }
}
