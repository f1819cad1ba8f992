import cookie from '@fastify/cookie';
import rateLimit from '@fastify/rate-limit';
import swagger from '@fastify/swagger';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
  type ZodTypeProvider,
} from 'fastify-type-provider-zod';
import { z } from 'zod';
import type { Log } from '../../log.js';
import type { SignIn } from '../users/sign-in.js';
import { accessHook, requireAccess } from './access.js';
import { ApiProblem, problemHandler, problemOf, sendProblem } from './api-problem.js';
import type { Role } from './schemas/common.js';

/** The API as routes see it: schemas are zod's, and types follow from them. */
export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

/** Adds routes of one subject; paths are relative to /api/v1. Each says in `config.access` who may call it. */
export type ApiRoutes = (api: Api) => void;

export interface ApiOptions {
  readonly signIn: SignIn;
  readonly routes: readonly ApiRoutes[];
  /** Whether browsers come by TLS: cookies are kept to it then. */
  readonly secure: boolean;
  readonly version: string;
  readonly log: Log;
}

/** Requests a minute from one address: a reader scrolling through series needs thousands. */
const MOST_REQUESTS = 6000;

/** In the document each operation says who may call it. */
function withLeastRole<Made extends { schema?: unknown }>(made: Made, access?: 'public' | Role) {
  return { ...made, schema: { ...(made.schema as object), 'x-least-role': access } };
}

/** The REST API under /api/v1, with its OpenAPI document. */
export async function api(server: FastifyInstance, options: ApiOptions): Promise<void> {
  const { signIn, routes, secure, version, log } = options;
  server.setValidatorCompiler(validatorCompiler);
  server.setSerializerCompiler(serializerCompiler);
  server.setErrorHandler(problemHandler(log));
  server.setNotFoundHandler((_, reply) =>
    sendProblem(reply, problemOf(404, 'There is no such route: see /api/v1/openapi.json')),
  );
  await server.register(cookie);
  await server.register(rateLimit, {
    max: MOST_REQUESTS,
    timeWindow: '1 minute',
    errorResponseBuilder: (_, { after }) => new ApiProblem(429, `Try again in ${after}`),
  });
  await server.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Vigil', version, license: { name: 'MIT', identifier: 'MIT' } },
      servers: [{ url: '/' }],
      components: {
        securitySchemes: {
          session: { type: 'apiKey', in: 'cookie', name: 'vigil-session' },
          token: { type: 'http', scheme: 'bearer' },
        },
      },
      security: [{ session: [] }, { token: [] }],
    },
    transform: (route) => withLeastRole(jsonSchemaTransform(route), route.route.config?.access),
    transformObject: jsonSchemaTransformObject,
  });
  server.decorateRequest('caller', null);
  server.addHook('onRoute', requireAccess);
  server.addHook('onRequest', accessHook(signIn, secure));
  server.addHook('onSend', async (_, reply) => {
    if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store');
  });

  const typed = server.withTypeProvider<ZodTypeProvider>();
  const schema = {
    summary: 'This document',
    security: [],
    response: { 200: z.record(z.string(), z.unknown()) },
  };
  typed.get('/openapi.json', { schema, config: { access: 'public' } }, () => ({
    ...server.swagger(),
  }));
  for (const add of routes) add(typed);
}
