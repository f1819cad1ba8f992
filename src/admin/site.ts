import type { FastifyInstance } from 'fastify';
import { type ApiOptions, api } from './api/api.js';
import { problemOf, sendProblem } from './api/api-problem.js';
import { consoleFiles } from './console-files.js';
import { securityHeaders } from './security-headers.js';

export interface SiteOptions extends ApiOptions {
  /** Absolute path of the built console. */
  readonly consoleFolder: string;
}

/** All that needs a sign-in: the API, and the console, which uses nothing else. */
export async function site(server: FastifyInstance, options: SiteOptions): Promise<void> {
  securityHeaders(server, options.secure);
  await server.register((scope) => api(scope, options), { prefix: '/api/v1' });
  await consoleFiles(server, options.consoleFolder);
}

/** What there is instead while it cannot be opened. */
export async function closedSite(server: FastifyInstance, reason: string): Promise<void> {
  server.setNotFoundHandler((_, reply) => sendProblem(reply, problemOf(503, reason)));
}
