import type { FastifyReply, FastifyRequest } from 'fastify';
import { OneTime } from '../users/one-time.js';

/** Below the API, with the address that browsers ask for. */
export const OIDC_FOLDER = '/api/v1/oidc';
/** Where a browser goes after its session, to end the one at the identity provider too. */
const OIDC_END = `${OIDC_FOLDER}/end`;

const COOKIE = 'vigil-departure';
/** The console goes on by itself, at once. Milliseconds. */
const LONGEST_MS = 60_000;

/** Somebody whose session has ended here. */
interface Departure {
  readonly user: string;
  /** Undefined for a session that has kept none. */
  readonly idToken: string | undefined;
}

/**
 * Browsers between the end of their session and the identity provider. What the provider is shown waits here, so that no
 * answer of the API holds it, and no script of the console can read it.
 */
export class Departures {
  readonly #waiting = new OneTime<Departure>(LONGEST_MS);
  readonly #options;

  constructor(secure: boolean) {
    this.#options = { path: OIDC_END, httpOnly: true, sameSite: 'strict', secure } as const;
  }

  /** Returns where the browser goes next. */
  begin(reply: FastifyReply, departure: Departure): string {
    reply.setCookie(COOKIE, this.#waiting.keep(departure), this.#options);
    return OIDC_END;
  }

  /** Whose browser has come; undefined for one that did not begin here. */
  take(request: FastifyRequest, reply: FastifyReply): Departure | undefined {
    const secret = request.cookies[COOKIE];
    reply.clearCookie(COOKIE, this.#options);
    return secret === undefined ? undefined : this.#waiting.take(secret);
  }
}
