import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import {
  hasZodFastifySchemaValidationErrors,
  isResponseSerializationError,
} from 'fastify-type-provider-zod';
import type { Log } from '../../log.js';
import type { Problem } from './schemas/common.js';

const TITLES: Readonly<Record<number, string>> = {
  400: 'The request is not as it must be',
  401: 'Not signed in',
  403: 'Not allowed',
  404: 'Not found',
  409: 'Not possible as things are',
  412: 'Changed by somebody else',
  413: 'Too large',
  415: 'Not JSON',
  422: 'Not valid',
  429: 'Too many requests',
  500: 'Internal error',
  503: 'Not available',
};

/** What a route throws to answer with a problem (RFC 9457); the detail is for people and holds no patient data. */
export class ApiProblem extends Error {
  readonly status: number;
  readonly problems: Problem['problems'];
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    detail: string,
    more: { problems?: Problem['problems']; headers?: Record<string, string> } = {},
  ) {
    super(detail);
    this.name = 'ApiProblem';
    this.status = status;
    this.problems = more.problems;
    this.headers = more.headers ?? {};
  }
}

export function problemOf(status: number, detail?: string): Problem {
  const title = TITLES[status] ?? 'Error';
  return { type: 'about:blank', title, status, ...(detail !== undefined && { detail }) };
}

export function sendProblem(reply: FastifyReply, problem: Problem): FastifyReply {
  // Serialized here: a route's own schemas are those of its good answers.
  return reply
    .code(problem.status)
    .type('application/problem+json')
    .serializer((value: unknown) => JSON.stringify(value))
    .send(problem);
}

/** Answers every error with a problem; what is the node's own fault is logged and not told. */
export function problemHandler(log: Log) {
  return (error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply) => {
    if (error instanceof ApiProblem) {
      const { status, message, problems, headers } = error;
      const problem = { ...problemOf(status, message), ...(problems && { problems }) };
      return sendProblem(reply.headers(headers), problem);
    }
    if (hasZodFastifySchemaValidationErrors(error)) {
      const place = 'validationContext' in error ? String(error.validationContext) : 'body';
      const problems = error.validation.map(({ instancePath, message = 'is wrong' }) => ({
        path: `${place}${instancePath.replaceAll('/', '.')}`,
        message,
      }));
      return sendProblem(reply, { ...problemOf(400), problems });
    }
    const { statusCode = 500 } = error as { statusCode?: number };
    if (statusCode < 500 && !isResponseSerializationError(error)) {
      return sendProblem(reply, problemOf(statusCode, CLIENT_FAULTS[statusCode]));
    }
    log.error({ err: error, route: request.routeOptions.url }, 'admin request failed');
    return sendProblem(reply, problemOf(Math.max(statusCode, 500)));
  };
}

/** Fastify's own words may quote what was sent. */
const CLIENT_FAULTS: Readonly<Record<number, string>> = {
  400: 'The body is no JSON',
  413: 'The body is too large',
  415: 'Send application/json',
};
