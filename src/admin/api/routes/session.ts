import type { FastifyReply } from 'fastify';
import type { Accounts } from '../../users/accounts.js';
import { AccountError } from '../../users/accounts.js';
import type { Caller, SignIn } from '../../users/sign-in.js';
import { callerOf, sessionCookie, sessionSecret } from '../access.js';
import { answers, GUESSABLE, NO_CONTENT } from '../answers.js';
import type { ApiRoutes } from '../api.js';
import { ApiProblem } from '../api-problem.js';
import type { Departures } from '../departures.js';
import * as schemas from '../schemas/session.js';

export interface SessionParts {
  readonly signIn: SignIn;
  readonly accounts: Accounts;
  /** Whether browsers come by TLS. */
  readonly secure: boolean;
  /** The button of the identity provider, where there is one. */
  readonly oidc: schemas.SignInOptions['oidc'];
  /** By way of which sessions that the identity provider began end there too. */
  readonly departures: Departures | undefined;
}

/** Signing in and out, the first account, and the own password. */
export function sessionRoutes(parts: SessionParts): ApiRoutes {
  const { signIn, accounts, secure, oidc, departures } = parts;
  const answer = (reply: FastifyReply, { secret, caller }: { secret: string; caller: Caller }) => {
    setSession(reply, secret, secure);
    return sessionOf(caller);
  };
  return (api) => {
    api.get(
      '/sign-in',
      {
        schema: {
          summary: 'What the sign-in page needs',
          security: [],
          response: answers(schemas.signInOptions),
        },
        config: { access: 'public' },
      },
      () => ({ setUpNeeded: accounts.setUpNeeded, oidc }),
    );

    api.post(
      '/setup',
      {
        schema: {
          summary: 'Makes an admin with the secret of a set-up link, and signs in',
          security: [],
          body: schemas.setupRequest,
          response: answers(schemas.session),
        },
        config: { access: 'public', rateLimit: GUESSABLE },
      },
      async ({ body: { token, user, password } }, reply) => {
        const account = await orProblem(() => accounts.setUp(token, user, password));
        return answer(reply, signIn.begin(account, 'set-up'));
      },
    );

    api.post(
      '/session',
      {
        schema: {
          summary: 'Signs in by password',
          security: [],
          body: schemas.signInRequest,
          response: answers(schemas.session),
        },
        config: { access: 'public', rateLimit: GUESSABLE },
      },
      async ({ body: { user, password } }, reply) => {
        const result = await signIn.withPassword(user, password);
        switch (result.type) {
          case 'signed-in':
            return answer(reply, result);
          case 'locked': {
            const seconds = String(Math.ceil((result.until - Date.now()) / 1000));
            const detail = `After repeated failures the name is locked for ${seconds} s`;
            throw new ApiProblem(429, detail, { headers: { 'retry-after': seconds } });
          }
          case 'refused':
            throw new ApiProblem(401, 'Name or password is wrong');
        }
      },
    );

    api.get(
      '/session',
      {
        schema: { summary: 'Who is signed in', response: answers(schemas.session) },
        config: { access: 'viewer' },
      },
      (request) => sessionOf(callerOf(request)),
    );

    api.delete(
      '/session',
      {
        schema: {
          summary: 'Signs out; 200 where the identity provider has a session to end as well',
          response: { ...answers(schemas.signedOut), ...NO_CONTENT },
        },
        config: { access: 'viewer' },
      },
      async (request, reply) => {
        const { name: user, origin } = callerOf(request);
        const secret = sessionSecret(request, secure);
        const idToken = secret === undefined ? undefined : signIn.end(secret, user);
        reply.clearCookie(sessionCookie(secure), cookieOptions(secure));
        if (origin !== 'oidc' || departures === undefined) return reply.code(204).send(null);
        return reply.code(200).send({ next: departures.begin(reply, { user, idToken }) });
      },
    );

    api.put(
      '/session/password',
      {
        schema: {
          summary: 'Changes the own password; every session ends, and a new one begins',
          body: schemas.passwordChange,
          response: answers(schemas.session),
        },
        config: { access: 'viewer', rateLimit: GUESSABLE },
      },
      async (request, reply) => {
        const { name, origin } = callerOf(request);
        if (origin !== 'local') throw new ApiProblem(409, 'This caller has no password here');
        const { current, password } = request.body;
        await orProblem(() => accounts.changeOwnPassword(name, current, password));
        const { role } = callerOf(request);
        return answer(reply, signIn.begin({ name, role, origin }, 'password'));
      },
    );
  };
}

const STATUS_OF: Readonly<Record<AccountError['code'], number>> = {
  exists: 409,
  unknown: 404,
  'last-admin': 409,
  'no-password': 409,
  'wrong-password': 403,
  'bad-link': 403,
};

/** Runs a change of accounts; what cannot be done becomes a problem. */
export async function orProblem<T>(run: () => T | Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof AccountError) throw new ApiProblem(STATUS_OF[error.code], error.message);
    throw error;
  }
}

/** Gives the browser its session. */
export function setSession(reply: FastifyReply, secret: string, secure: boolean): void {
  reply.setCookie(sessionCookie(secure), secret, cookieOptions(secure));
}

function cookieOptions(secure: boolean) {
  return { path: '/', httpOnly: true, sameSite: 'strict', secure } as const;
}

function sessionOf({ name: user, ...caller }: Caller): schemas.Session {
  return { user, ...caller };
}
