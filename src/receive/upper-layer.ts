import type { Socket } from 'node:net';
import type { AssociationEnd } from '../domain/received-instance.js';
import { readAssociateRequest } from './associate-request.js';
import { Pace } from './pace.js';
import {
  type Abort,
  AbortReason,
  AbortSource,
  type AssociateAnswer,
  type AssociateRequest,
  PduError,
  PduType,
} from './pdu.js';
import { PduParser } from './pdu-parser.js';
import {
  abortPdu,
  associateAcPdu,
  associateRjPdu,
  type Message,
  messagePdus,
  releaseRpPdu,
} from './pdu-writer.js';
import { type Action, type Event, next, type State } from './upper-layer-states.js';

/** Who takes the indications of the upper layer service (PS3.8 7). */
export interface UpperLayerUser {
  /** To be answered by `answer()`. */
  associateIndication(request: AssociateRequest): void;
  /** A part of a command or dataset, as it came from the network. */
  dataIndication(contextId: number, isCommand: boolean, isLast: boolean, bytes: Buffer): void;
  /** Whether a message has begun of which more is to come. */
  readonly isWithinMessage: boolean;
  /** To be answered by `release()`. */
  releaseIndication(): void;
  /** Once for each association that was accepted. */
  associationEnded(end: AssociationEnd): void;
  /** The peer broke the protocol; the association is aborted. */
  violated(error: PduError): void;
  /** The peer took too long; the association is aborted. */
  waitedInVain(forWhat: string): void;
  /** An error that is no fault of the peer; the association is aborted. */
  failed(error: unknown): void;
}

export interface UpperLayerLimits {
  /** Bytes of a P-DATA-TF PDU that we take, as told to the peer (PS3.8 D.1). */
  readonly maximumLength: number;
  readonly maximumAssociateLength: number;
  /** ARTIM: how long an association request, or the peer's closing of the connection, may take. */
  readonly artimMs: number;
  /**
   * An association on which nothing happens for so long is aborted. A message may take as long in all, and a second
   * more for each KiB of it.
   */
  readonly idleMs: number;
}

const CLOSE_MS = 1000;

const PDU_EVENTS: ReadonlyMap<number, Event> = new Map([
  [PduType.AssociateAc, 'associate-ac-pdu'],
  [PduType.AssociateRj, 'associate-rj-pdu'],
  [PduType.ReleaseRq, 'release-rq-pdu'],
  [PduType.ReleaseRp, 'release-rp-pdu'],
  [PduType.Abort, 'abort-pdu'],
]);

/** The acceptor's side of the DICOM upper layer protocol for one connection (PS3.8 9). */
export class UpperLayer {
  readonly #socket: Socket;
  readonly #limits: UpperLayerLimits;
  readonly #user: UpperLayerUser;
  readonly #parser: PduParser;
  readonly #pace: Pace;
  #state: State = 'Sta1';
  #artim: NodeJS.Timeout | undefined;
  #idle: NodeJS.Timeout | undefined;
  #isHeldByUser = false;
  /** After an invalid PDU the place of the next one is unknown. */
  #isDeaf = false;
  #isAssociated = false;
  #peerMaximumLength = 0;

  constructor(socket: Socket, limits: UpperLayerLimits, user: UpperLayerUser) {
    this.#socket = socket;
    this.#limits = limits;
    this.#user = user;
    this.#pace = new Pace(limits.idleMs, () => this.#giveUp('a message that comes too slowly'));
    this.#parser = new PduParser(limits, {
      dataStarted: () => this.#pduEvent('p-data-tf-pdu'),
      pdu: (type, body) => this.#pdu(type, body),
      data: (contextId, isCommand, isLast, bytes) => {
        if (this.#state === 'Sta6') user.dataIndication(contextId, isCommand, isLast, bytes);
      },
    });
  }

  start(): void {
    const socket = this.#socket;
    // The answer to a C-STORE is one small packet that must not wait for the peer's delayed acknowledgement.
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 60_000);
    // What matters about an error is the close that follows it.
    socket.on('error', () => {});
    socket.on('close', () => this.#closed());
    socket.on('drain', () => this.#resumeIfFree());
    socket.on('data', (chunk) => this.#received(chunk));
    this.#event('connection-indication');
  }

  get isAssociated(): boolean {
    return this.#isAssociated;
  }

  /** Whether an association is requested and not answered. */
  get isRequested(): boolean {
    return this.#state === 'Sta3';
  }

  /** A-ASSOCIATE response to a request that waits for it. */
  answer(answer: AssociateAnswer): void {
    if ('reason' in answer) {
      this.#event('associate-reject', () => this.#write(associateRjPdu(answer)));
    } else {
      this.#event('associate-accept', () => this.#write(associateAcPdu(answer)));
    }
  }

  /** Stops the flow of data indications, and with that the peer, until `resume()`. */
  hold(): void {
    this.#isHeldByUser = true;
    this.#pace.hold();
    this.#parser.hold();
  }

  resume(): void {
    this.#isHeldByUser = false;
    this.#idle?.refresh();
    this.#pace.resume();
    this.#resumeIfFree();
  }

  /** P-DATA request with a whole message; nothing happens if the association is over. */
  send(message: Message): void {
    if (next(this.#state, 'p-data-request') === undefined) return;
    this.#event('p-data-request', () => {
      this.#write(messagePdus(message, this.#peerMaximumLength));
    });
  }

  /** A-RELEASE response; nothing happens if the association is over. */
  release(): void {
    if (next(this.#state, 'release-response')) this.#event('release-response');
  }

  /** A-ABORT request; nothing happens if there is no association. */
  abort(): void {
    if (next(this.#state, 'abort-request')) this.#event('abort-request');
  }

  /** Ends the connection; the peer has a moment to read what was written, which a reset would take from it. */
  close(): void {
    this.#socket.end();
    clearTimeout(this.#artim);
    this.#artim = setTimeout(() => this.#socket.destroy(), CLOSE_MS);
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #received(chunk: Buffer): void {
    if (this.#isDeaf) return;
    this.#idle?.refresh();
    this.#guarded(() => this.#parser.push(chunk));
    this.#pace.moved(chunk.length);
    this.#followMessage();
    if (this.#parser.held) this.#socket.pause();
  }

  #resumeIfFree(): void {
    if (this.#isHeldByUser || this.#socket.writableNeedDrain || !this.#parser.held) return;
    this.#guarded(() => this.#parser.resume());
    this.#followMessage();
    if (!this.#parser.held) this.#socket.resume();
  }

  #followMessage(): void {
    const isUnderWay = this.#user.isWithinMessage || this.#parser.isWithinPdu;
    if (isUnderWay && this.#isAssociated) this.#pace.begin();
    else this.#pace.end();
    if (this.#isHeldByUser) this.#pace.hold();
  }

  #giveUp(waitingFor: string): void {
    this.#user.waitedInVain(waitingFor);
    this.abort();
  }

  #guarded(read: () => void): void {
    try {
      read();
    } catch (error) {
      this.#isDeaf = true;
      if (error instanceof PduError) {
        this.#user.violated(error);
        this.#pduEvent('invalid-pdu', undefined, error.reason);
      } else {
        this.#user.failed(error);
        this.abort();
      }
    }
  }

  #pdu(type: number, body: Buffer): void {
    if (type === PduType.AssociateRq) {
      const request = readAssociateRequest(body);
      this.#pduEvent('associate-rq-pdu', () => this.#associateRequested(request));
    } else {
      this.#pduEvent(PDU_EVENTS.get(type) ?? 'invalid-pdu');
    }
  }

  /** What stands behind an A-ABORT in the same chunk is read no more. */
  #pduEvent(event: Event, effect?: () => void, reason?: number): void {
    if (this.#state !== 'Sta1') this.#event(event, effect, reason);
  }

  #associateRequested(request: AssociateRequest): void {
    this.#peerMaximumLength = request.maximumLength;
    this.#user.associateIndication(request);
  }

  #closed(): void {
    if (next(this.#state, 'connection-closed')) this.#event('connection-closed');
    this.#stopTimers();
  }

  /** Moves on by PS3.8 Table 9-10. `effect` is the part of the action that depends on what came with the event. */
  #event(event: Event, effect?: () => void, reason: number = AbortReason.UnexpectedPdu): void {
    const transition = next(this.#state, event);
    if (!transition) throw new Error(`${event} cannot happen in ${this.#state}`);
    this.#state = transition.next;
    this.#act(transition.action, effect ?? (() => {}), reason);
  }

  /** The actions of PS3.8 Tables 9-6 to 9-9. */
  #act(action: Action, effect: () => void, reason: number): void {
    switch (action) {
      case 'AE-5':
        this.#startArtim();
        return;
      case 'AE-6':
        this.#stopTimers();
        effect();
        return;
      case 'AE-7':
        this.#isAssociated = true;
        effect();
        this.#startIdle();
        return;
      case 'AE-8':
        effect();
        this.#startArtim();
        return;
      case 'DT-1':
      case 'AR-7':
        effect();
        this.#idle?.refresh();
        return;
      case 'DT-2':
      case 'AA-6':
        return;
      case 'AR-2':
        this.#user.releaseIndication();
        return;
      case 'AR-4':
        this.#write(releaseRpPdu());
        this.#ended('released');
        this.#startArtim();
        return;
      case 'AR-5':
      case 'AA-5':
        this.#stopTimers();
        return;
      case 'AA-1':
        this.#sendAbort({ source: AbortSource.ServiceUser, reason: AbortReason.NotSpecified });
        return;
      case 'AA-2':
        this.#stopTimers();
        this.#socket.destroy();
        return;
      case 'AA-3':
        this.#ended('aborted');
        this.#socket.destroy();
        return;
      case 'AA-4':
        this.#ended('lost');
        return;
      case 'AA-7':
        this.#write(abortPdu({ source: AbortSource.ServiceProvider, reason }));
        return;
      case 'AA-8':
        this.#sendAbort({ source: AbortSource.ServiceProvider, reason });
        return;
    }
  }

  #sendAbort(abort: Abort): void {
    this.#write(abortPdu(abort));
    this.#ended('aborted');
    this.#startArtim();
    // What the peer still sends is read and dropped, so that it comes to read the A-ABORT.
    this.#isHeldByUser = false;
    this.#isDeaf = true;
    this.#socket.resume();
  }

  #ended(end: AssociationEnd): void {
    clearTimeout(this.#idle);
    this.#pace.end();
    if (!this.#isAssociated) return;
    this.#isAssociated = false;
    this.#user.associationEnded(end);
  }

  /** A peer that does not read its answers is not read from either. */
  #write(pdu: Buffer): void {
    if (!this.#socket.write(pdu)) this.#parser.hold();
  }

  #startArtim(): void {
    clearTimeout(this.#artim);
    this.#artim = setTimeout(() => this.#event('artim-expired'), this.#limits.artimMs);
  }

  #startIdle(): void {
    this.#idle = setTimeout(() => {
      if (this.#isHeldByUser) this.#idle?.refresh();
      else this.#giveUp('anything to happen');
    }, this.#limits.idleMs);
  }

  #stopTimers(): void {
    clearTimeout(this.#artim);
    clearTimeout(this.#idle);
  }
}
