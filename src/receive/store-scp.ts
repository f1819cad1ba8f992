import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Log } from '../log.js';
import { Association } from './association.js';
import { AssociationPolicy, type AssociationPolicySettings } from './association-policy.js';
import { CommandField } from './dimse.js';
import type { Catalog, IncomingFiles, ReceiveObserver } from './needs.js';
import { echo, type Service } from './operation.js';
import { storeService } from './store-operation.js';
import type { UpperLayerLimits } from './upper-layer.js';

export interface StoreScpSettings extends AssociationPolicySettings {
  /** Address to listen on, such as 0.0.0.0 or 127.0.0.1. */
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Connections beyond it are closed unheard; those within it that get no association learn why. */
  readonly maximumConnections: number;
  readonly artimMs: number;
  readonly idleMs: number;
  /** How long a C-STORE that has begun may take to end when the node stops. */
  readonly drainMs: number;
  readonly maximumHeaderBytes: number;
}

/** Limits that fit a scanner and a gigabit network. */
export const DEFAULT_LIMITS = {
  maximumAssociations: 32,
  maximumConnections: 64,
  /** What DCMTK takes and sends at most. */
  maximumLength: 131_072,
  artimMs: 30_000,
  idleMs: 120_000,
  drainMs: 10_000,
  maximumHeaderBytes: 4 * 1024 * 1024,
} as const;

/** 128 presentation contexts with every transfer syntax there is come to less than half of it. */
const MAXIMUM_ASSOCIATE_LENGTH = 256 * 1024;

/** The Verification and Storage SCP (PS3.4 Annexes A and B) on one TCP port. */
export class StoreScp implements AsyncDisposable {
  readonly #settings: StoreScpSettings;
  readonly #policy: AssociationPolicy;
  readonly #services: ReadonlyMap<number, Service>;
  readonly #observer: ReceiveObserver;
  readonly #nextAssociationId: () => number;
  readonly #log: Log;
  readonly #associations = new Set<Association>();
  #server: Server | undefined;
  #stopping: Promise<void> | undefined;

  constructor(options: {
    settings: StoreScpSettings;
    files: IncomingFiles;
    catalog: Catalog;
    nextAssociationId: () => number;
    observer?: ReceiveObserver;
    log: Log;
  }) {
    const { settings, files, catalog, log, observer = {} } = options;
    const policy = new AssociationPolicy(settings);
    this.#settings = settings;
    this.#policy = policy;
    this.#observer = observer;
    this.#nextAssociationId = options.nextAssociationId;
    this.#log = log;
    const { maximumHeaderBytes } = settings;
    const keeps = (sopClassUid: string) => policy.keeps(sopClassUid);
    this.#services = new Map([
      [CommandField.CEchoRq, echo],
      [
        CommandField.CStoreRq,
        storeService({ files, catalog, observer, log, maximumHeaderBytes, keeps }),
      ],
    ]);
  }

  /** The port it listens on; 0 while it does not. */
  get port(): number {
    const address = this.#server?.address() as AddressInfo | null | undefined;
    return address?.port ?? 0;
  }

  get openAssociations(): number {
    return [...this.#associations].filter(({ isAssociated }) => isAssociated).length;
  }

  /** Resolves when it listens. @throws Error of the socket, such as EADDRINUSE */
  async start(): Promise<void> {
    if (this.#server) return;
    const server = createServer((socket) => this.#connected(socket));
    this.#server = server;
    server.maxConnections = this.#settings.maximumConnections;
    server.on('drop', () => this.#observer.connectionDropped?.());
    try {
      server.listen(this.#settings.port, this.#settings.host);
      await once(server, 'listening');
    } catch (error) {
      this.#server = undefined;
      throw error;
    }
    // An error of accept(), such as no file descriptors, concerns one connection only.
    server.on('error', (error) => this.#log.error({ err: error }, 'a connection was not accepted'));
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

  async #drain(): Promise<void> {
    const server = this.#server;
    if (!server) return;
    this.#server = undefined;
    const closed = once(server, 'close');
    server.close();
    for (const association of this.#associations) association.stop();
    const abort = setTimeout(() => {
      for (const association of this.#associations) association.abort();
    }, this.#settings.drainMs);
    const destroy = setTimeout(() => {
      for (const association of this.#associations) association.destroy();
    }, this.#settings.drainMs + 1000);
    await closed;
    clearTimeout(abort);
    clearTimeout(destroy);
  }

  #connected(socket: Socket): void {
    const { artimMs, idleMs, maximumLength } = this.#settings;
    const limits: UpperLayerLimits = {
      maximumLength,
      maximumAssociateLength: MAXIMUM_ASSOCIATE_LENGTH,
      artimMs,
      idleMs,
    };
    const association = new Association({
      socket,
      limits,
      services: this.#services,
      decide: (request, remoteAddress) =>
        this.#policy.decide(request, remoteAddress, this.openAssociations),
      nextAssociationId: this.#nextAssociationId,
      observer: this.#observer,
      log: this.#log,
      now: Date.now,
    });
    this.#associations.add(association);
    socket.on('close', () => this.#associations.delete(association));
    association.start();
  }
}
