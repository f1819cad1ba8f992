import type { FastifyRequest, preHandlerHookHandler, RouteOptions } from 'fastify';
import { isEqual } from '../users/secrets.js';
import type { Caller, SignIn } from '../users/sign-in.js';
import { ApiProblem } from './api-problem.js';
import { ROLES, type Role } from './schemas/common.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Who may call the route: each must say. */
    access?: 'public' | Role;
  }
  interface FastifyRequest {
    /** Who calls; null on a public route. */
    caller: Caller | null;
  }
}

/** Browsers keep a cookie of this prefix to the host alone, and take it over TLS only. */
export const sessionCookie = (secure: boolean) =>
  secure ? '__Host-vigil-session' : 'vigil-session';

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);
const LOOPBACK = /^(127\.|::1$|::ffff:127\.)/;

/** A route that does not say who may call it, and in the OpenAPI document what it does, must not be there at all. */
export function requireAccess({ url, config, schema }: RouteOptions): void {
  if (config?.access === undefined) throw new Error(`${url} does not say who may call it`);
  if (schema?.summary === undefined) throw new Error(`${url} does not say what it does`);
}

/** Lets through who may, on a connection that nobody can listen to. */
export function accessHook(signIn: SignIn, secure: boolean): preHandlerHookHandler {
  return async (request) => {
    if (request.protocol !== 'https' && !LOOPBACK.test(request.ip)) {
      throw new ApiProblem(
        403,
        'Over a network the API is there by HTTPS alone: admin.tls, admin.behindProxy',
      );
    }
    const access = request.routeOptions.config.access ?? 'admin';
    const changes = !SAFE.has(request.method);
    if (changes) refuseOtherSites(request);
    if (access === 'public') return;
    const caller = whoCalls(request, signIn, secure);
    if (changes && caller.csrfToken !== null) {
      const shown = request.headers['x-csrf-token'];
      if (typeof shown !== 'string' || !isEqual(shown, caller.csrfToken)) {
        throw new ApiProblem(403, 'The header x-csrf-token is missing or wrong: see GET /session');
      }
    }
    if (ROLES.indexOf(caller.role) < ROLES.indexOf(access)) {
      throw new ApiProblem(403, `It takes the role ${access}`);
    }
    request.caller = caller;
  };
}

/** Who called a route that is not public. */
export function callerOf({ caller }: FastifyRequest): Caller {
  if (caller === null) throw new Error('a public route has no caller');
  return caller;
}

/** The session's secret, where the request has one. */
export function sessionSecret(request: FastifyRequest, secure: boolean): string | undefined {
  return request.cookies[sessionCookie(secure)];
}

/** Whether whoever made a request that is still being answered may still have answers. */
export function isStillSignedIn(request: FastifyRequest, signIn: SignIn, secure: boolean): boolean {
  return findCaller(request, signIn, secure, false) !== undefined;
}

function whoCalls(request: FastifyRequest, signIn: SignIn, secure: boolean): Caller {
  const caller = findCaller(request, signIn, secure, true);
  if (caller !== undefined) return caller;
  const headers = { 'www-authenticate': 'Bearer' };
  throw new ApiProblem(401, 'Sign in, or show an API token', { headers });
}

function findCaller(
  request: FastifyRequest,
  signIn: SignIn,
  secure: boolean,
  touch: boolean,
): Caller | undefined {
  const [, bearer] = /^Bearer ([\w-]{1,128})$/i.exec(request.headers.authorization ?? '') ?? [];
  if (bearer !== undefined) return signIn.ofToken(bearer);
  const secret = sessionSecret(request, secure);
  return secret === undefined ? undefined : signIn.ofSession(secret, touch);
}

/** What a page of another site makes a browser send is refused before anything is looked at. */
function refuseOtherSites({ headers, host, protocol }: FastifyRequest): void {
  const site = headers['sec-fetch-site'];
  const fromElsewhere = site !== undefined && site !== 'same-origin' && site !== 'none';
  const { origin } = headers;
  const foreign = origin !== undefined && origin !== `${protocol}://${host}`;
  if (fromElsewhere || foreign) throw new ApiProblem(403, 'The request comes from another site');
}
