import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer, Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { SecureContextOptions } from 'node:tls';
import { type FastifyInstance, fastify } from 'fastify';
import type { Log } from '../log.js';
import { askHealth, type Health } from './health.js';
import type { Metrics } from './metrics.js';

export interface AdminServerOptions {
  readonly host: string;
  readonly port: number;
  readonly health: Health;
  readonly metrics: Metrics;
  /** Adds what needs a sign-in: the API and the console. Without it there is health and metrics alone. */
  readonly site?: ((server: FastifyInstance) => Promise<void>) | undefined;
  /** Addresses and ranges of the proxies whose word about who calls and how is believed. */
  readonly proxies?: readonly string[] | undefined;
  /** What to speak TLS with, asked at the start. */
  readonly tls?: (() => SecureContextOptions) | undefined;
  readonly log: Log;
}

/** An idle connection is closed after this. Milliseconds. */
const IDLE_MS = 10_000;
/** Of a body, where a route says nothing else. */
const MOST_BYTES = 16 * 1024;

/** The HTTP listener: health and metrics for machines on a trusted network, the site for those who sign in. */
export class AdminServer implements AsyncDisposable {
  readonly #options: AdminServerOptions;
  #server: FastifyInstance | undefined;
  #listening: Promise<unknown> | undefined;

  constructor(options: AdminServerOptions) {
    this.#options = options;
  }

  /** Where it listens, or undefined while it does not. */
  get address(): AddressInfo | undefined {
    const address = this.#server?.server.address();
    return typeof address === 'object' ? (address ?? undefined) : undefined;
  }

  /** Resolves when it listens; rejects with the system's error where the address cannot be had. */
  async start(): Promise<void> {
    if (this.#server === undefined) {
      const server = this.#build();
      this.#server = server;
      this.#listening = this.#listen(server);
    }
    try {
      await this.#listening;
    } catch (error) {
      this.#server = undefined;
      throw error;
    }
  }

  async stop(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await this.#listening?.catch(() => undefined);
    await server?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Takes a renewed certificate for the connections that come from now on. */
  renew(context: SecureContextOptions): void {
    const server = this.#server?.server;
    if (server instanceof HttpsServer) server.setSecureContext(context);
  }

  async #listen(server: FastifyInstance): Promise<void> {
    const { host, port, site } = this.#options;
    await site?.(server);
    await server.listen({ host, port });
  }

  #build(): FastifyInstance {
    const { health, metrics, log, proxies } = this.#options;
    const server = fastify({
      bodyLimit: MOST_BYTES,
      // A scraper's idle keep-alive connection must not hold up the stop.
      forceCloseConnections: true,
      serverFactory: (handler) => this.#listener(handler),
      ...(proxies !== undefined && { trustProxy: [...proxies] }),
    });
    server.get('/healthz', async (_, reply) => {
      const answer = await askHealth(health);
      return reply
        .code(answer.status === 'ok' ? 200 : 503)
        .header('cache-control', 'no-store')
        .send(answer);
    });
    server.get('/metrics', async (_, reply) =>
      reply.type(metrics.contentType).send(await metrics.text()),
    );
    if (this.#options.site === undefined) {
      server.setNotFoundHandler((_, reply) =>
        reply.code(404).send({ error: 'There is only GET /healthz and GET /metrics' }),
      );
    }
    server.setErrorHandler((error, _, reply) => {
      const { statusCode = 500 } = error as { statusCode?: number };
      if (statusCode >= 500) log.error({ err: error }, 'admin request failed');
      reply.code(statusCode).send({ error: statusCode >= 500 ? 'internal error' : 'bad request' });
    });
    return server;
  }

  #listener(handler: RequestListener): Server {
    const { tls } = this.#options;
    const server = tls === undefined ? createServer(handler) : createTlsServer(tls(), handler);
    server.setTimeout(IDLE_MS);
    return server;
  }
}
