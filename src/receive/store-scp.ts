import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import {
  MODALITY_PERFORMED_PROCEDURE_STEP,
  STORAGE_COMMITMENT_PUSH_MODEL,
} from '../dicom/sop-classes.js';
import type { Log } from '../log.js';
import type { Credentials } from '../tls/credentials.js';
import type { PeerCertificate } from '../tls/peer-certificate.js';
import { Association } from './association.js';
import { AssociationPolicy, type AssociationPolicySettings } from './association-policy.js';
import { commitmentService } from './commitment-operation.js';
import { Connections } from './connections.js';
import { CommandField, type EventReport } from './dimse.js';
import { eventReportService } from './event-report-operation.js';
import type {
  Catalog,
  CommitmentReports,
  CommitmentRequests,
  IncomingFiles,
  PerformedSteps,
  ReceiveObserver,
} from './needs.js';
import { echo, type ServiceBinding } from './operation.js';
import { createStepService, setStepService } from './performed-step-operation.js';
import { storeService } from './store-operation.js';
import { TlsServer } from './tls-server.js';
import type { UpperLayerLimits } from './upper-layer.js';

export interface StoreScpSettings extends AssociationPolicySettings {
  /** Address to listen on, such as 0.0.0.0 or 127.0.0.1. */
  readonly host: string;
  /** For plain DICOM; 0 takes a free one. */
  readonly port: number | 'off';
  /** Where to listen for DICOM over TLS too. */
  readonly tls?: TlsListenerSettings | undefined;
  /** On all ports. Beyond it one without an association is closed; those that ask for one learn why they get none. */
  readonly maximumConnections: number;
  readonly artimMs: number;
  readonly idleMs: number;
  /** How long a C-STORE that has begun may take to end when the node stops. */
  readonly drainMs: number;
  readonly maximumHeaderBytes: number;
  /** Of the dataset of one C-STORE. */
  readonly maximumDatasetBytes: number;
}

export interface TlsListenerSettings {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly clientCertificate: 'required' | 'optional';
  /** What to listen with, now. @throws CredentialsError */
  readonly credentials: () => Credentials;
}

/** Limits that fit a scanner and a gigabit network. */
export const DEFAULT_LIMITS = {
  maximumAssociations: 32,
  maximumAssociationsPerAddress: 32,
  maximumConnections: 64,
  /** What DCMTK takes and sends at most. */
  maximumLength: 131_072,
  artimMs: 30_000,
  idleMs: 120_000,
  drainMs: 10_000,
  maximumHeaderBytes: 4 * 1024 * 1024,
  maximumDatasetBytes: 1024 * 1024 * 1024,
} as const;

/** 128 presentation contexts with every transfer syntax there is come to less than half of it. */
export const MAXIMUM_ASSOCIATE_LENGTH = 256 * 1024;

/** The SCP of every service that Vigil offers (PS3.4 Annexes A, B, F and J), on a port for plain DICOM, one for TLS, or both. */
export class StoreScp implements AsyncDisposable {
  readonly #settings: StoreScpSettings;
  readonly #policy: AssociationPolicy;
  readonly #services: readonly ServiceBinding[];
  readonly #observer: ReceiveObserver;
  readonly #nextAssociationId: () => number;
  readonly #log: Log;
  readonly #connections: Connections;
  #server: Server | undefined;
  #tlsServer: TlsServer | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: {
    settings: StoreScpSettings;
    files: IncomingFiles;
    catalog: Catalog;
    commitments: CommitmentRequests;
    commitmentReports: CommitmentReports;
    steps: PerformedSteps;
    nextAssociationId: () => number;
    observer?: ReceiveObserver;
    log: Log;
  }) {
    const { settings, files, catalog, commitments, log, observer = {} } = options;
    const policy = new AssociationPolicy(settings);
    this.#settings = settings;
    this.#policy = policy;
    this.#observer = observer;
    this.#connections = new Connections(settings.maximumConnections, () =>
      observer.connectionDropped?.(),
    );
    this.#nextAssociationId = options.nextAssociationId;
    this.#log = log;
    const { maximumHeaderBytes, maximumDatasetBytes } = settings;
    const keeps = (sopClassUid: string) => policy.keeps(sopClassUid);
    this.#services = [
      { commandField: CommandField.CEchoRq, service: echo },
      {
        commandField: CommandField.CStoreRq,
        service: storeService({
          files,
          catalog,
          observer,
          log,
          maximumHeaderBytes,
          maximumDatasetBytes,
          keeps,
        }),
      },
      {
        commandField: CommandField.NActionRq,
        sopClassUid: STORAGE_COMMITMENT_PUSH_MODEL,
        service: commitmentService(commitments, log),
      },
      {
        commandField: CommandField.NEventReportRq,
        sopClassUid: STORAGE_COMMITMENT_PUSH_MODEL,
        service: eventReportService(options.commitmentReports, log),
      },
      {
        commandField: CommandField.NCreateRq,
        sopClassUid: MODALITY_PERFORMED_PROCEDURE_STEP,
        service: createStepService(options.steps, log),
      },
      {
        commandField: CommandField.NSetRq,
        sopClassUid: MODALITY_PERFORMED_PROCEDURE_STEP,
        service: setStepService(options.steps, log),
      },
    ];
  }

  /** The port for plain DICOM; 0 while it does not listen there. */
  get port(): number {
    return portOf(this.#server);
  }

  /** The port for DICOM over TLS; 0 while it does not listen there. */
  get tlsPort(): number {
    return portOf(this.#tlsServer?.server);
  }

  /** Whether it listens wherever it should. */
  get isListening(): boolean {
    const { port, tls } = this.#settings;
    return (port === 'off' || this.port > 0) && (tls === undefined || this.tlsPort > 0);
  }

  get openAssociations(): number {
    return this.#connections.associations();
  }

  /** Whether the association still lasts. */
  isOpen(associationId: number): boolean {
    return this.#find(associationId) !== undefined;
  }

  /**
   * Sends an N-EVENT-REPORT on an association that a requestor holds open (PS3.4 J.3.3.1). Resolves to the status of
   * its response, or to undefined where it did not go or none came.
   */
  async reportEvent(associationId: number, report: EventReport): Promise<number | undefined> {
    return this.#find(associationId)?.reportEvent(report);
  }

  #find(associationId: number): Association | undefined {
    return this.#connections.handlers.find(
      (one) => one.isAssociated && one.associationId === associationId,
    );
  }

  /** Resolves when it listens. @throws Error of the socket, such as EADDRINUSE, or of the TLS credentials */
  async start(): Promise<void> {
    const { host, port, tls } = this.#settings;
    if (tls !== undefined && this.#tlsServer === undefined) {
      const tlsServer = this.#createTlsServer(tls);
      await this.#listen(tlsServer.server, tls.host, tls.port);
      this.#tlsServer = tlsServer;
    }
    if (port === 'off' || this.#server !== undefined) return;
    const server = createServer((socket) => {
      if (this.#connections.admit(socket)) this.#connected(socket);
    });
    try {
      await this.#listen(server, host, port);
    } catch (error) {
      await this.stop();
      throw error;
    }
    this.#server = server;
  }

  /** The TLS credentials are others now: they are for the connections that come. */
  credentialsChanged(): void {
    const { tls } = this.#settings;
    if (tls !== undefined) this.#tlsServer?.use(tls.credentials());
  }

  /**
   * Takes no more connections, lets each C-STORE that has begun come to its response within the limit, and aborts what
   * is left.
   */
  stop(): Promise<void> {
    this.#stopping ??= this.#drain().finally(() => {
      this.#stopping = undefined;
    });
    return this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #createTlsServer({ clientCertificate, credentials }: TlsListenerSettings): TlsServer {
    return new TlsServer({
      clientCertificate,
      credentials: credentials(),
      handshakeMs: this.#settings.artimMs,
      onConnection: (socket) => void this.#connections.admit(socket),
      onSecure: (socket, certificate) => this.#connected(socket, certificate),
      onRefused: (problem, address) => this.#observer.connectionRefused?.(problem, address),
    });
  }

  async #listen(server: Server, host: string, port: number): Promise<void> {
    server.listen(port, host);
    await once(server, 'listening');
    // An error of accept(), such as no file descriptors, concerns one connection only.
    server.on('error', (error) => this.#log.error({ err: error }, 'a connection was not accepted'));
  }

  async #drain(): Promise<void> {
    const [server, tlsServer] = [this.#server, this.#tlsServer];
    this.#server = undefined;
    this.#tlsServer = undefined;
    const servers = [server, tlsServer?.server].filter((one) => one !== undefined);
    if (servers.length === 0) return;
    const closed = Promise.all(servers.map((one) => once(one, 'close')));
    server?.close();
    tlsServer?.server.close();
    this.#connections.dropHandshakes();
    for (const association of this.#connections.handlers) association.stop();
    const abort = setTimeout(() => {
      for (const association of this.#connections.handlers) association.abort();
    }, this.#settings.drainMs);
    const destroy = setTimeout(() => {
      for (const association of this.#connections.handlers) association.destroy();
    }, this.#settings.drainMs + 1000);
    await closed;
    clearTimeout(abort);
    clearTimeout(destroy);
  }

  #connected(socket: Socket, certificate?: PeerCertificate): void {
    const { artimMs, idleMs, maximumLength } = this.#settings;
    const limits: UpperLayerLimits = {
      maximumLength,
      maximumAssociateLength: MAXIMUM_ASSOCIATE_LENGTH,
      artimMs,
      idleMs,
    };
    const remoteAddress = socket.remoteAddress ?? '';
    const association = new Association({
      socket,
      limits,
      services: this.#services,
      decide: (request, isWaiting) => {
        const { userIdentity } = request;
        const caller = { address: remoteAddress, certificate, userIdentity, isWaiting };
        return this.#policy.decide(request, caller, () => ({
          all: this.#connections.associations(),
          fromAddress: this.#connections.associations(remoteAddress),
        }));
      },
      nextAssociationId: this.#nextAssociationId,
      observer: this.#observer,
      log: this.#log,
      now: Date.now,
    });
    this.#connections.began(socket, association);
    association.start();
  }
}

function portOf(server: Server | undefined): number {
  const address = server?.address() as AddressInfo | null | undefined;
  return address?.port ?? 0;
}
