import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import { text } from 'node:stream/consumers';

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
  readonly #server: Server;

  private constructor({ answer = (_, response) => response.writeHead(204).end() }: HookOptions) {
    this.#server = createServer(async (message, response) => {
      const { method = '', url = '', headers } = message;
      const request = { method, path: url, headers, body: await text(message) };
      this.requests.push(request);
      answer(request, response);
    });
  }

  static async start(options: HookOptions = {}): Promise<HookServer> {
    const server = new HookServer(options);
    server.#server.listen(options.port ?? 0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/ich`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
