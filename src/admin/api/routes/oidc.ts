import { z } from 'zod';
import type { Log } from '../../../log.js';
import type { AuditRecord } from '../../users/account-rows.js';
import { AccountError, type Accounts } from '../../users/accounts.js';
import {
  type Attempt,
  type IdentityProvider,
  type ProvenIdentity,
  ProviderError,
} from '../../users/identity-provider.js';
import { OneTime } from '../../users/one-time.js';
import type { SignIn } from '../../users/sign-in.js';
import { GUESSABLE } from '../answers.js';
import type { ApiRoutes } from '../api.js';
import { type Departures, OIDC_FOLDER } from '../departures.js';
import { problem } from '../schemas/common.js';
import { setSession } from './session.js';

interface OidcParts {
  readonly provider: IdentityProvider;
  readonly signIn: SignIn;
  readonly accounts: Accounts;
  readonly departures: Departures;
  readonly audit: (line: AuditRecord) => void;
  readonly secure: boolean;
  readonly log: Log;
}

const COOKIE = 'vigil-oidc';
/** Long enough for somebody who looks for a second factor. Milliseconds. */
const LONGEST_ATTEMPT_MS = 10 * 60_000;
export const OIDC_START = `${OIDC_FOLDER}/start`;
/** Where the provider sends browsers back to. */
export const OIDC_CALLBACK = `${OIDC_FOLDER}/callback`;

/**
 * The page after the provider's: browsers send the session's cookie only on a way that begins here, so that it leads on
 * by itself instead of by a redirection.
 */
const SIGNED_IN_PAGE = `<!doctype html><html lang="en"><title>Signed in</title>
<meta http-equiv="refresh" content="0; url=/"><p><a href="/">Signed in: go on</a></p></html>`;

const REDIRECTION = {
  302: z
    .null()
    .describe('On to the identity provider, or back to the sign-in page with the reason'),
  '4xx': problem,
  '5xx': problem,
};

/** Signing in by an identity provider (OpenID Connect Core 1.0, 3.1), and out (RP-Initiated Logout 1.0). */
export function oidcRoutes(parts: OidcParts): ApiRoutes {
  const { provider, signIn, departures, secure } = parts;
  const attempts = new OneTime<Attempt>(LONGEST_ATTEMPT_MS);
  // Lax: the way back begins at the provider's site.
  const options = { path: OIDC_FOLDER, httpOnly: true, sameSite: 'lax', secure } as const;
  const config = { access: 'public', rateLimit: GUESSABLE } as const;
  return (api) => {
    api.get(
      '/oidc/start',
      {
        schema: { summary: 'Leads to the identity provider', security: [], response: REDIRECTION },
        config,
      },
      async (_, reply) => {
        try {
          const { url, attempt } = await provider.begin();
          reply.setCookie(COOKIE, attempts.keep(attempt), options);
          return reply.redirect(url.href);
        } catch (error) {
          return reply.redirect(refusal(error, parts));
        }
      },
    );

    api.get(
      '/oidc/callback',
      {
        schema: {
          summary: 'Where the identity provider leads back to; signs in',
          security: [],
          querystring: z.record(z.string(), z.unknown()),
          response: {
            200: {
              description: 'Leads on to the console',
              content: { 'text/html': { schema: z.unknown().meta({ type: 'string' }) } },
            },
            ...REDIRECTION,
          },
        },
        config,
      },
      async (request, reply) => {
        const secret = request.cookies[COOKIE];
        reply.clearCookie(COOKIE, options);
        try {
          const attempt = secret === undefined ? undefined : attempts.take(secret);
          if (attempt === undefined) throw new ProviderError('attempt-unknown');
          const query = request.url.split('?')[1] ?? '';
          const identity = await provider.finish(query, attempt);
          const account = accountOf(identity, parts);
          setSession(reply, signIn.begin(account, 'oidc', identity.idToken).secret, secure);
          return reply.type('text/html').send(SIGNED_IN_PAGE);
        } catch (error) {
          return reply.redirect(refusal(error, parts));
        }
      },
    );

    api.get(
      '/oidc/end',
      {
        schema: {
          summary: 'Leads on to the identity provider after the sign-out, to end its session',
          security: [],
          response: REDIRECTION,
        },
        config,
      },
      async (request, reply) => {
        const departure = departures.take(request, reply);
        if (departure === undefined) return reply.redirect('/');
        const { user, idToken } = departure;
        try {
          const url = await provider.signOutUrl(idToken);
          auditSignOut(parts, user, url === undefined ? 'not-offered' : 'asked');
          return reply.redirect(url?.href ?? '/');
        } catch (error) {
          const { code } = logged(error, parts, 'the identity provider ended no session');
          auditSignOut(parts, user, code);
          return reply.redirect('/#still-at-provider');
        }
      },
    );
  };
}

/** The last that Vigil knows of it: what the provider then does, it tells to nobody. */
function auditSignOut({ audit }: OidcParts, actor: string, result: string): void {
  audit({ actor, action: 'sign-out-at-provider', subject: null, detail: { result } });
}

/** @throws ProviderError where the account may not be used */
function accountOf({ subject, name, role }: ProvenIdentity, { accounts }: OidcParts) {
  try {
    const account = accounts.fromProvider(subject, name, role);
    if (account.disabled) throw new ProviderError('disabled', { user: name });
    return account;
  } catch (error) {
    const isTaken = error instanceof AccountError && error.code === 'exists';
    throw isTaken ? new ProviderError('name-taken', { user: name }) : error;
  }
}

/** The sign-in page with the reason, which is said behind the #: no server's log has it. */
function refusal(error: unknown, parts: OidcParts): string {
  const { code, user } = logged(error, parts, 'the identity provider signed nobody in');
  if (user !== undefined) {
    const detail = { by: 'oidc', code };
    parts.audit({ actor: user, action: 'sign-in-failed', subject: null, detail });
  }
  return `/#${code}`;
}

function logged(error: unknown, { log }: OidcParts, message: string): ProviderError {
  if (!(error instanceof ProviderError)) throw error;
  const { code, answer, cause } = error;
  log.warn({ code, answer, reason: cause instanceof Error ? cause.message : undefined }, message);
  return error;
}
