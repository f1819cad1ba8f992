import { existsSync } from 'node:fs';
import { join } from 'node:path';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance } from 'fastify';

/** Named by their content by the build, so that they never change. */
const HASHED = '/assets/';

/**
 * The console's files, built by `npm run build`. Any other path that a browser opens is one of its pages, a deep link:
 * it gets the start page, which knows them.
 */
export async function consoleFiles(server: FastifyInstance, folder: string): Promise<void> {
  if (!existsSync(join(folder, 'index.html'))) {
    server.setNotFoundHandler((_, reply) =>
      reply
        .code(503)
        .type('text/plain; charset=utf-8')
        .send(
          'The console is not built: run "npm run build". The API is at /api/v1/openapi.json.\n',
        ),
    );
    return;
  }
  await server.register(fastifyStatic, {
    root: folder,
    cacheControl: false,
    setHeaders: (reply, path) => {
      const kept = path.includes(HASHED) ? 'public, max-age=31536000, immutable' : 'no-cache';
      reply.setHeader('cache-control', kept);
    },
  });
  server.setNotFoundHandler((request, reply) => {
    const isPage = request.method === 'GET' && request.headers.accept?.includes('text/html');
    if (isPage === true) return reply.sendFile('index.html');
    return reply.code(404).type('text/plain; charset=utf-8').send('There is nothing here\n');
  });
}
