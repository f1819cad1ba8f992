import type { FastifyRequest } from 'fastify';
import type { LiveFeed, SentEvent } from '../../live-feed.js';
import type { SignIn } from '../../users/sign-in.js';
import { isStillSignedIn } from '../access.js';
import { bytes } from '../answers.js';
import type { ApiRoutes } from '../api.js';
import { ApiProblem } from '../api-problem.js';

/** Shorter than proxies take for a dead connection. Milliseconds. */
const HEARTBEAT_MS = 15_000;
/** Tabs that listen at a time. */
const MOST_LISTENERS = 200;
/** A listener that is so far behind has gone, or will ask anew. */
const MOST_BUFFERED = 1024 * 1024;

/** Server-sent events: what has changed, never what it is. */
export function eventRoutes(
  feed: LiveFeed,
  { signIn, secure }: { signIn: SignIn; secure: boolean },
): ApiRoutes {
  return (api) => {
    api.get(
      '/events',
      {
        schema: {
          summary:
            'Server-sent events of what changes; their data is JSON with kind and studyInstanceUid',
          response: bytes('text/event-stream', 'Until the connection or the session ends'),
        },
        config: { access: 'viewer' },
      },
      async (request, reply) => {
        if (feed.listeners >= MOST_LISTENERS) {
          throw new ApiProblem(503, 'Too many listen already');
        }
        const { raw } = reply;
        reply.hijack();
        // No answer is awaited: the connection stays quiet between events.
        request.raw.socket.setTimeout(0);
        for (const [name, value] of Object.entries(reply.getHeaders())) {
          if (value !== undefined) raw.setHeader(name, value);
        }
        raw.writeHead(200, {
          'content-type': 'text/event-stream',
          'cache-control': 'no-store',
          'x-accel-buffering': 'no',
        });
        const write = (text: string) => {
          if (raw.writableLength > MOST_BUFFERED) raw.destroy();
          else raw.write(text);
        };
        const send = ({ id, event }: SentEvent) =>
          write(`id: ${id}\ndata: ${JSON.stringify(event)}\n\n`);
        write(': listening\n\n');
        const heartbeat = setInterval(() => {
          if (isStillSignedIn(request, signIn, secure)) write(': still here\n\n');
          else raw.end();
        }, HEARTBEAT_MS);
        const closed = new Promise<void>((resolve) => raw.once('close', resolve));
        try {
          const end = await feed.listen(send, lastIdOf(request));
          await closed;
          end();
        } finally {
          clearInterval(heartbeat);
          raw.destroy();
        }
      },
    );
  };
}

function lastIdOf({ headers }: FastifyRequest): number | undefined {
  const id = Number(headers['last-event-id'] ?? Number.NaN);
  return Number.isSafeInteger(id) && id >= 0 ? id : undefined;
}
