import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { LocalServer } from '../../fixtures/local-server.js';

export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface HookOptions {
  /** Answers a request; 204 where left out. */
  readonly answer?: (request: ReceivedRequest, response: ServerResponse) => void;
  readonly port?: number;
}

/** An HTTP server that keeps what it is sent. */
export class HookServer implements AsyncDisposable {
  readonly requests: ReceivedRequest[] = [];
  readonly #server: LocalServer;

  private constructor({ answer = (_, response) => response.writeHead(204).end() }: HookOptions) {
    const server = createServer(async (message, response) => {
      const { method = '', url = '', headers } = message;
      const request = { method, path: url, headers, body: await text(message) };
      this.requests.push(request);
      answer(request, response);
    });
    this.#server = new LocalServer(server);
  }

  static async start(options: HookOptions = {}): Promise<HookServer> {
    const server = new HookServer(options);
    await server.#server.listen(options.port);
    return server;
  }

  get port(): number {
    return this.#server.port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/ich`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}
