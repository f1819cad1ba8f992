import type { AddressInfo } from 'node:net';
import { type FastifyInstance, fastify } from 'fastify';
import type { Log } from '../log.js';
import { askHealth, type Health } from './health.js';
import type { Metrics } from './metrics.js';

/** The small HTTP listener for health and metrics. It has no access control: it belongs on a trusted network. */
export class AdminServer implements AsyncDisposable {
  readonly #options: {
    readonly host: string;
    readonly port: number;
    readonly health: Health;
    readonly metrics: Metrics;
    readonly log: Log;
  };
  #server: FastifyInstance | undefined;
  #listening: Promise<unknown> | undefined;

  constructor(options: { host: string; port: number; health: Health; metrics: Metrics; log: Log }) {
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
      const { host, port } = this.#options;
      this.#server = this.#build();
      this.#listening = this.#server.listen({ host, port });
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

  #build(): FastifyInstance {
    const { health, metrics, log } = this.#options;
    const server = fastify({
      bodyLimit: 1024,
      connectionTimeout: 10_000,
      // A scraper's idle keep-alive connection must not hold up the stop.
      forceCloseConnections: true,
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
    server.setNotFoundHandler((_, reply) =>
      reply.code(404).send({ error: 'There is only GET /healthz and GET /metrics' }),
    );
    server.setErrorHandler((error, _, reply) => {
      const { statusCode = 500 } = error as { statusCode?: number };
      if (statusCode >= 500) log.error({ err: error }, 'admin request failed');
      reply.code(statusCode).send({ error: statusCode >= 500 ? 'internal error' : 'bad request' });
    });
    return server;
  }
}
