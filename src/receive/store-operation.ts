import { HeaderError } from '../dicom/header.js';
import { Status } from '../dicom/status.js';
import { isUid } from '../dicom/uid.js';
import type { ReceivedInstance } from '../domain/received-instance.js';
import type { Log } from '../log.js';
import { type Command, CommandElement, type Outcome } from './dimse.js';
import { HeaderCollector } from './header-collector.js';
import type { Catalog, IncomingFile, IncomingFiles, ReceiveObserver } from './needs.js';
import { answerWith, type Operation, type RequestContext, type Service } from './operation.js';

export interface StoreServiceOptions {
  readonly files: IncomingFiles;
  readonly catalog: Catalog;
  readonly observer: ReceiveObserver;
  readonly log: Log;
  /** How much of a dataset may be kept in memory to find its header. */
  readonly maximumHeaderBytes: number;
  /** How long a dataset may be; a longer one is refused as soon as that shows. */
  readonly maximumDatasetBytes: number;
  /** Whether instances of the SOP Class are kept. */
  readonly keeps: (sopClassUid: string) => boolean;
}

/** C-STORE as SCP (PS3.7 9.1.1, PS3.4 Annex B). */
export function storeService(options: StoreServiceOptions): Service {
  return (request, context) => {
    const refusal = refuseCommand(request, context, options.keeps);
    if (!refusal) return new StoreOperation(request, context, options);
    const { status, errorComment = '' } = refusal;
    options.observer.instanceRefused?.(context.associationId, { status, reason: errorComment });
    return answerWith(refusal);
  };
}

function refuseCommand(
  request: Command,
  { abstractSyntax }: RequestContext,
  keeps: (sopClassUid: string) => boolean,
): Outcome | undefined {
  const sopClassUid = request.uid(CommandElement.AffectedSopClassUid);
  if (sopClassUid !== abstractSyntax || !keeps(sopClassUid)) {
    return {
      status: Status.SopClassNotSupported,
      errorComment: 'SOP Class does not fit the presentation context',
    };
  }
  if (!isUid(request.uid(CommandElement.AffectedSopInstanceUid))) {
    return {
      status: Status.InvalidObjectInstance,
      errorComment: 'Affected SOP Instance UID is not a UID',
    };
  }
  if (!request.hasDataset) {
    return { status: Status.CannotUnderstand, errorComment: 'The request has no dataset' };
  }
  return undefined;
}

/** Streams one dataset into its file, reads its header on the way, and answers when the instance is safe. */
class StoreOperation implements Operation {
  readonly #request: Command;
  readonly #context: RequestContext;
  readonly #options: StoreServiceOptions;
  readonly #header: HeaderCollector;
  #file: IncomingFile | undefined;
  #bytes = 0;
  #refusal: Outcome | undefined;
  readonly #begunAt = performance.now();

  constructor(request: Command, context: RequestContext, options: StoreServiceOptions) {
    this.#request = request;
    this.#context = context;
    this.#options = options;
    this.#header = new HeaderCollector(context.transferSyntax, options.maximumHeaderBytes);
    try {
      this.#file = options.files.create({
        sopClassUid: request.uid(CommandElement.AffectedSopClassUid),
        sopInstanceUid: request.uid(CommandElement.AffectedSopInstanceUid),
        transferSyntaxUid: context.transferSyntax,
        associationId: context.associationId,
        callingAeTitle: context.callingAeTitle,
        calledAeTitle: context.calledAeTitle,
      });
    } catch (error) {
      this.#refuseFor(error);
    }
  }

  data(bytes: Buffer): Promise<void> | undefined {
    if (this.#refusal) return undefined;
    this.#bytes += bytes.length;
    if (this.#bytes > this.#options.maximumDatasetBytes) {
      this.#refuse({
        status: Status.OutOfResources,
        errorComment: 'The dataset is longer than the limit here',
      });
      return undefined;
    }
    try {
      this.#header.push(bytes);
    } catch (error) {
      this.#refuseFor(error);
      return undefined;
    }
    return this.#file?.write(bytes);
  }

  async end(): Promise<Outcome> {
    try {
      if (!this.#refusal) await this.#store();
    } catch (error) {
      this.#refuseFor(error);
    }
    return this.#refusal ?? { status: Status.Success };
  }

  abandon(): void {
    this.#discard();
  }

  async #store(): Promise<void> {
    const { header, minimumLength = 0 } = this.#header.end();
    const mismatch = this.#mismatch(header.sopClassUid, header.sopInstanceUid);
    if (mismatch) return this.#refuse(mismatch);
    if (this.#bytes < minimumLength) {
      throw new HeaderError('truncated', 'The dataset ends within Pixel Data');
    }
    if (!this.#file) return;
    const { associationId, callingAeTitle, calledAeTitle } = this.#context;
    const stored = await this.#file.finish();
    const received: ReceivedInstance = {
      header,
      ...stored,
      associationId,
      callingAeTitle,
      calledAeTitle,
    };
    const verdict = this.#options.catalog.accept(received);
    // From here on the file is the catalog's, whatever else fails.
    this.#file = undefined;
    this.#options.observer.instanceReceived?.(
      received,
      verdict,
      (performance.now() - this.#begunAt) / 1000,
    );
  }

  #mismatch(sopClassUid: string, sopInstanceUid: string): Outcome | undefined {
    const status = Status.DataSetDoesNotMatchSopClass;
    if (sopClassUid !== this.#request.uid(CommandElement.AffectedSopClassUid)) {
      return { status, errorComment: 'SOP Class UID differs from the command' };
    }
    if (sopInstanceUid !== this.#request.uid(CommandElement.AffectedSopInstanceUid)) {
      return { status, errorComment: 'SOP Instance UID differs from the command' };
    }
    return undefined;
  }

  #refuseFor(error: unknown): void {
    if (error instanceof HeaderError) {
      this.#refuse({ status: Status.CannotUnderstand, errorComment: error.message });
      return;
    }
    const { associationId } = this.#context;
    this.#options.log.error({ err: error, associationId }, 'an instance could not be stored');
    this.#refuse({ status: Status.OutOfResources, errorComment: 'The instance cannot be stored' });
  }

  #refuse(refusal: Outcome): void {
    this.#refusal = refusal;
    this.#discard();
    const { status, errorComment = '' } = refusal;
    const { observer } = this.#options;
    observer.instanceRefused?.(this.#context.associationId, { status, reason: errorComment });
  }

  #discard(): void {
    const file = this.#file;
    this.#file = undefined;
    file?.discard();
  }
}
