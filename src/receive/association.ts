import type { Socket } from 'node:net';
import type { AssociationEnd } from '../domain/received-instance.js';
import type { Log } from '../log.js';
import { TLS_ON_PLAIN_PORT } from '../tls/problem.js';
import { ByteCollector } from './byte-collector.js';
import {
  type Command,
  CommandElement,
  CommandError,
  CommandField,
  type Outcome,
  RESPONSE,
  readCommand,
  responseCommand,
} from './dimse.js';
import type { ReceiveObserver } from './needs.js';
import { type Operation, type RequestContext, type Service, unrecognized } from './operation.js';
import {
  AbortReason,
  type AssociateAccept,
  type AssociateRequest,
  ContextResult,
  PduError,
  type Rejection,
  TlsInsteadError,
} from './pdu.js';
import { UpperLayer, type UpperLayerLimits, type UpperLayerUser } from './upper-layer.js';

/** No request of any service has a command set nearly as long. */
const MAX_COMMAND_BYTES = 16 * 1024;

export interface AssociationOptions {
  readonly socket: Socket;
  readonly limits: UpperLayerLimits;
  /** By command field. */
  readonly services: ReadonlyMap<number, Service>;
  readonly decide: (request: AssociateRequest) => AssociateAccept | Rejection;
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

  associateIndication(request: AssociateRequest): AssociateAccept | Rejection {
    const { decide, nextAssociationId, observer, now } = this.#options;
    const answer = decide(request);
    if ('reason' in answer) {
      observer.associationRejected?.(answer, this.#remoteAddress);
      return answer;
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
    return answer;
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
      if ((field & RESPONSE) !== 0) throw new CommandError('a response to no request');
      request.required(CommandElement.MessageId);
      const service = this.#options.services.get(field) ?? unrecognized;
      const operation = service(request, context);
      this.#request = request;
      this.#operation = operation;
      if (!request.hasDataset) this.#end(operation, undefined);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      throw unexpected(error.message);
    }
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
      this.#upperLayer.sendCommand(this.#commandContextId, responseCommand(request, outcome));
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
