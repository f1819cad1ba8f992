import { createHash } from 'node:crypto';
import { HookServer, type ReceivedRequest } from './hook-server.js';

export type Resource = Readonly<Record<string, unknown>>;

/** A FHIR R4 server that knows the conditional update of one type (FHIR R4 3.1.0.4.3). */
export class FhirServer implements AsyncDisposable {
  readonly #hook: HookServer;
  /** By their ids. */
  readonly reports = new Map<string, Resource>();

  private constructor(hook: HookServer) {
    this.#hook = hook;
  }

  /** `hushed` answers nothing to so many requests that it carries out. */
  static async start({ hushed = 0 } = {}): Promise<FhirServer> {
    let toHush = hushed;
    const hook = await HookServer.start({
      answer: (request, response) => {
        const status = server.#update(request);
        toHush -= 1;
        if (toHush >= 0) response.destroy();
        else response.writeHead(status).end();
      },
    });
    const server = new FhirServer(hook);
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#hook.port}/r4`;
  }

  get requests(): readonly ReceivedRequest[] {
    return this.#hook.requests;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#hook[Symbol.asyncDispose]();
  }

  /** The status of the answer. */
  #update({ method, path, headers, body }: ReceivedRequest): number {
    const { pathname, searchParams } = new URL(path, 'http://fhir.test');
    if (method !== 'PUT' || pathname !== '/r4/DiagnosticReport') return 404;
    if (!headers['content-type']?.startsWith('application/fhir+json')) return 415;
    const resource = JSON.parse(body) as Resource;
    const wanted = searchParams.get('identifier') ?? '';
    const has = (one: Resource) =>
      (one['identifier'] as { system: string; value: string }[]).some(
        ({ system, value }) => `${system}|${value}` === wanted,
      );
    if (resource['resourceType'] !== 'DiagnosticReport' || !has(resource)) return 400;
    const known = [...this.reports].filter(([, one]) => has(one));
    if (known.length > 1) return 412;
    const id = known[0]?.[0] ?? createHash('md5').update(wanted).digest('hex');
    this.reports.set(id, resource);
    return known.length === 0 ? 201 : 200;
  }
}
