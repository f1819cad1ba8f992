import type { Socket } from 'node:net';
import { explicitToImplicit } from '../dicom/implicit-vr.js';
import { IMPLICIT_VR_LITTLE_ENDIAN } from '../dicom/transfer-syntaxes.js';
import type { AssociationEnd } from '../domain/received-instance.js';
import type { Log } from '../log.js';
import { TLS_ON_PLAIN_PORT } from '../tls/problem.js';
import { ByteCollector } from './byte-collector.js';
import {
  type Command,
  CommandElement,
  CommandError,
  CommandField,
  type EventReport,
  eventReportCommand,
  type Outcome,
  RESPONSE,
  readCommand,
  responseCommand,
} from './dimse.js';
import type { ReceiveObserver } from './needs.js';
import {
  type Operation,
  type RequestContext,
  type ServiceBinding,
  serviceFor,
} from './operation.js';
import {
  AbortReason,
  type AssociateAnswer,
  type AssociateRequest,
  ContextResult,
  PduError,
  TlsInsteadError,
} from './pdu.js';
import { UpperLayer, type UpperLayerLimits, type UpperLayerUser } from './upper-layer.js';

/** No request of any service has a command set nearly as long. */
const MAX_COMMAND_BYTES = 16 * 1024;

export interface AssociationOptions {
  readonly socket: Socket;
  readonly limits: UpperLayerLimits;
  readonly services: readonly ServiceBinding[];
  /** `isWaiting` says whether the requestor is still there to be answered. */
  readonly decide: (
    request: AssociateRequest,
    isWaiting: () => boolean,
  ) => AssociateAnswer | Promise<AssociateAnswer>;
  readonly nextAssociationId: () => number;
  readonly observer: ReceiveObserver;
  readonly log: Log;
  readonly now: () => number;
}

/**
 * One connection and its association: puts command fragments together, passes datasets through to their operation, and
 * answers each request before the next one is read (an operations window of 1, PS3.7 D.3.3.3).
 */
export class Association implements UpperLayerUser {
  readonly #options: AssociationOptions;
  readonly #remoteAddress: string;
  readonly #upperLayer: UpperLayer;
  readonly #contexts = new Map<number, RequestContext>();
  #associationId = 0;
  readonly #command = new ByteCollector();
  #commandContextId = 0;
  #request: Command | undefined;
  #operation: Operation | undefined;
  #isAnswering = false;
  #isStopping = false;
  /** The event report that waits for its response; its promise is settled once. */
  #reporting:
    | { readonly messageId: number; readonly settle: (status?: number) => void }
    | undefined;
  #lastMessageId = 0;

  constructor(options: AssociationOptions) {
    this.#options = options;
    this.#remoteAddress = options.socket.remoteAddress ?? '';
    this.#upperLayer = new UpperLayer(options.socket, options.limits, this);
  }

  start(): void {
    this.#upperLayer.start();
  }

  get isAssociated(): boolean {
    return this.#upperLayer.isAssociated;
  }

  get associationId(): number {
    return this.#associationId;
  }

  /**
   * Sends an event report in between the requestor's own operations. Resolves to the status of its response, or to
   * undefined where the association ends, or idles away, before one. Undefined at once while an operation is under way,
   * or where no presentation context of the SOP class was accepted.
   */
  reportEvent(report: EventReport): Promise<number | undefined> | undefined {
    const found = [...this.#contexts].find(
      ([, { abstractSyntax }]) => abstractSyntax === report.sopClassUid,
    );
    if (!found || !this.isAssociated || this.#isBusy || this.#reporting) return undefined;
    const [contextId, { transferSyntax }] = found;
    this.#lastMessageId = (this.#lastMessageId % 0xffff) + 1;
    const messageId = this.#lastMessageId;
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#options.limits.idleMs, undefined);
      const settle = (status?: number): void => {
        clearTimeout(timer);
        resolve(status);
      };
      this.#reporting = { messageId, settle };
      const implicit = transferSyntax === IMPLICIT_VR_LITTLE_ENDIAN;
      this.#upperLayer.send({
        contextId,
        command: eventReportCommand(report, messageId),
        dataset: implicit ? explicitToImplicit(report.information) : report.information,
      });
    });
  }

  /** Lets a request that has begun come to its response, then aborts. */
  stop(): void {
    this.#isStopping = true;
    if (!this.#isBusy) this.abort();
  }

  abort(): void {
    this.#upperLayer.abort();
    this.#upperLayer.close();
  }

  destroy(): void {
    this.#upperLayer.destroy();
  }

  associateIndication(request: AssociateRequest): void {
    const answer = this.#options.decide(request, () => this.#upperLayer.isRequested);
    if (answer instanceof Promise) {
      answer.then(
        (decided) => this.#answerRequest(request, decided),
        (error: unknown) => {
          this.failed(error);
          this.#upperLayer.abort();
        },
      );
    } else {
      this.#answerRequest(request, answer);
    }
  }

  #answerRequest(request: AssociateRequest, answer: AssociateAnswer): void {
    // The requestor may have gone, or the node stopped, while its user was looked up.
    if (!this.#upperLayer.isRequested) return;
    const { nextAssociationId, observer, now } = this.#options;
    if ('reason' in answer) {
      observer.associationRejected?.(answer, request, this.#remoteAddress);
      this.#upperLayer.answer(answer);
      return;
    }
    this.#associationId = nextAssociationId();
    const { callingAeTitle, calledAeTitle } = request;
    const identity = { associationId: this.#associationId, callingAeTitle, calledAeTitle };
    for (const { id, result, abstractSyntax, transferSyntax } of answer.contexts) {
      if (result !== ContextResult.Acceptance) continue;
      this.#contexts.set(id, { ...identity, abstractSyntax, transferSyntax });
    }
    const remoteAddress = this.#remoteAddress;
    observer.associationOpened?.({ ...identity, remoteAddress, openedAt: now() });
    this.#upperLayer.answer(answer);
  }

  dataIndication(contextId: number, isCommand: boolean, isLast: boolean, bytes: Buffer): void {
    if (this.#operation === undefined) {
      if (!isCommand) throw unexpected('a dataset without its command');
      this.#commandFragment(contextId, isLast, bytes);
    } else {
      if (isCommand || contextId !== this.#commandContextId) {
        throw unexpected('another message within a dataset');
      }
      const wait = bytes.length > 0 ? this.#operation.data(bytes) : undefined;
      if (isLast) this.#end(this.#operation, wait);
      else if (wait) this.#pauseFor(wait);
    }
  }

  get isWithinMessage(): boolean {
    return this.#isBusy && !this.#isAnswering;
  }

  releaseIndication(): void {
    this.#upperLayer.release();
  }

  associationEnded(end: AssociationEnd): void {
    const { observer, now } = this.#options;
    if (!this.#isAnswering) this.#operation?.abandon();
    this.#operation = undefined;
    this.#reporting?.settle();
    this.#reporting = undefined;
    observer.associationClosed?.(this.#associationId, end, now());
  }

  violated(error: PduError): void {
    const { observer, log } = this.#options;
    const remoteAddress = this.#remoteAddress;
    if (error instanceof TlsInsteadError) {
      observer.connectionRefused?.(TLS_ON_PLAIN_PORT, remoteAddress);
    } else {
      log.warn({ associationId: this.#associationId, remoteAddress }, error.message);
    }
  }

  waitedInVain(forWhat: string): void {
    const { log } = this.#options;
    const fields = { associationId: this.#associationId, remoteAddress: this.#remoteAddress };
    log.warn(fields, `an association is aborted: waited too long for ${forWhat}`);
  }

  failed(error: unknown): void {
    const { log } = this.#options;
    log.error({ err: error, associationId: this.#associationId }, 'an association failed');
  }

  get #isBusy(): boolean {
    return this.#operation !== undefined || this.#command.length > 0;
  }

  #commandFragment(contextId: number, isLast: boolean, bytes: Buffer): void {
    if (this.#command.length === 0) this.#commandContextId = contextId;
    const context = this.#contexts.get(contextId);
    if (!context) throw unexpected('a presentation context that was not accepted');
    if (contextId !== this.#commandContextId) throw unexpected('another message within a command');
    if (this.#command.length + bytes.length > MAX_COMMAND_BYTES) {
      throw unexpected('a command of excessive length');
    }
    this.#command.push(bytes);
    if (isLast) this.#begin(this.#command.take(), context);
  }

  #begin(bytes: Buffer, context: RequestContext): void {
    try {
      const request = readCommand(bytes);
      const field = request.required(CommandElement.CommandField);
      // There is never more than one operation, and its response is on its way.
      if (field === CommandField.CCancelRq) return;
      let operation: Operation;
      if ((field & RESPONSE) !== 0) {
        operation = this.#responseTo(field, request);
      } else {
        request.required(CommandElement.MessageId);
        const service = serviceFor(this.#options.services, field, context.abstractSyntax);
        operation = service(request, context);
        this.#request = request;
      }
      this.#operation = operation;
      if (!request.hasDataset) this.#end(operation, undefined);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      throw unexpected(error.message);
    }
  }

  /** The response to our event report; an Event Reply (PS3.7 10.1.1.1.8) is read and dropped. */
  #responseTo(field: number, response: Command): Operation {
    const reporting = this.#reporting;
    const messageId = response.number(CommandElement.MessageIdBeingRespondedTo);
    if (
      field !== (CommandField.NEventReportRq | RESPONSE) ||
      reporting === undefined ||
      reporting.messageId !== messageId
    ) {
      throw new CommandError('a response to no request');
    }
    const status = response.required(CommandElement.Status);
    return {
      data: () => undefined,
      end: () => {
        this.#reporting = undefined;
        reporting.settle(status);
        return { status };
      },
      abandon: () => {},
    };
  }

  #end(operation: Operation, wait: Promise<void> | undefined): void {
    const outcome = wait ? wait.then(() => operation.end()) : operation.end();
    if (!(outcome instanceof Promise)) {
      this.#respond(outcome);
      return;
    }
    this.#isAnswering = true;
    this.#upperLayer.hold();
    outcome.then(
      (result) => {
        this.#isAnswering = false;
        this.#respond(result);
        this.#upperLayer.resume();
      },
      (error: unknown) => {
        this.failed(error);
        this.#upperLayer.abort();
      },
    );
  }

  #respond(outcome: Outcome): void {
    const request = this.#request;
    this.#request = undefined;
    this.#operation = undefined;
    if (request) {
      const command = responseCommand(request, outcome);
      this.#upperLayer.send({ contextId: this.#commandContextId, command });
    }
    if (this.#isStopping) this.abort();
  }

  #pauseFor(wait: Promise<void>): void {
    this.#upperLayer.hold();
    wait.then(() => this.#upperLayer.resume());
  }
}

/** A message that breaks PS3.7 or PS3.8 in a way that leaves nothing to answer. */
function unexpected(what: string): PduError {
  return new PduError(AbortReason.InvalidPduParameterValue, `Invalid message: ${what}`);
}
