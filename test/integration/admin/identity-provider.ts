import { createHash, generateKeyPairSync, randomUUID, sign, verify } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Settings } from '../../../src/config/settings.js';
import { LocalServer } from '../../fixtures/local-server.js';

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const STRANGER = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const KEY_ID = 'key-1';
const CLIENT_ID = 'vigil';
export const CLIENT_SECRET = 'a secret of the client';

/** Settings of a node with its files in a folder, whose console is at a port of its own, with an identity provider. */
export async function withProvider(
  settings: Settings,
  folder: string,
  issuer: string,
): Promise<Settings> {
  const port = await freePort();
  const clientSecretFile = join(folder, 'oidc.secret');
  await writeFile(clientSecretFile, `${CLIENT_SECRET}\n`);
  const oidc = {
    issuer,
    clientId: CLIENT_ID,
    clientSecretFile,
    title: 'Sign in with the hospital account',
    scope: 'openid profile',
    signOutAtProvider: true,
    nameClaim: 'preferred_username',
    roleClaim: 'roles',
    roles: { viewer: ['radiology'], admin: ['pacs-admins'] },
  };
  const admin = { ...settings.admin, port, url: `http://127.0.0.1:${port}`, oidc };
  return { ...settings, admin };
}

/** The provider must know where browsers come back to before the node listens there. */
export async function freePort(): Promise<number> {
  await using server = new LocalServer(createTcpServer());
  await server.listen();
  return server.port;
}

/** What the next sign-in is answered with, and what is wrong with it. */
export interface Answer {
  readonly claims?: Readonly<Record<string, unknown>>;
  readonly signedBy?: 'stranger';
  readonly error?: string;
}

/**
 * An OpenID provider (OpenID Connect Core 1.0) that signs in whoever comes, with the claims that it is told, and signs out
 * by OpenID Connect RP-Initiated Logout 1.0.
 */
export class SimulatedProvider implements AsyncDisposable {
  answer: Answer = {};
  /** Whether somebody without a session there is asked to log in. */
  asks = false;
  /** What the discovery document names; null where it names none. */
  endSessionEndpoint: string | null | undefined;
  /** Where its client may have browsers led to after a sign-out. */
  postLogoutRedirectUris: readonly string[] = [];
  readonly #server: LocalServer;
  readonly #codes = new Map<string, { nonce: string; challenge: string; answer: Answer }>();
  /** By the cookie of each browser. */
  readonly #sessions = new Set<string>();

  readonly #host: string;

  private constructor(host: string) {
    this.#host = host;
    const server = createServer(async (request, response) => {
      const url = new URL(request.url ?? '', this.issuer);
      const json = (body: unknown, status = 200) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(body));
      };
      const lead = (location: string, headers = {}) =>
        response.writeHead(302, { location, ...headers }).end();
      const ask = (button: string, action: string) => {
        response.writeHead(200, { 'content-type': 'text/html' });
        response.end(
          `<!doctype html><form method="post" action="${action.replaceAll('&', '&amp;')}"><button>${button}</button></form>`,
        );
      };
      const [, session = ''] = /provider-session=([^;]+)/.exec(request.headers.cookie ?? '') ?? [];
      if (url.pathname === '/.well-known/openid-configuration') json(this.#metadata());
      else if (url.pathname === '/keys') {
        const key = publicKey.export({ format: 'jwk' });
        json({ keys: [{ ...key, kid: KEY_ID, alg: 'RS256', use: 'sig' }] });
      } else if (url.pathname === '/authorize') {
        if (this.asks && !this.#sessions.has(session)) ask('Log in', `/log-in${url.search}`);
        else lead(this.#authorize(url.searchParams));
      } else if (url.pathname === '/log-in') {
        const begun = randomUUID();
        this.#sessions.add(begun);
        const cookie = `provider-session=${begun}; Path=/; HttpOnly`;
        lead(`/authorize${url.search}`, { 'set-cookie': cookie });
      } else if (url.pathname === '/end-session') {
        const to = this.#wayOut(url.searchParams);
        const isMeant = url.searchParams.has('id_token_hint') || request.method === 'POST';
        if (to === undefined) json({ error: 'invalid_request' }, 400);
        else if (!isMeant) ask('Log out', url.href);
        else {
          this.#sessions.delete(session);
          lead(to);
        }
      } else if (url.pathname === '/token') {
        const form = new URLSearchParams(await text(request));
        const tokens = this.#redeem(form, request.headers.authorization ?? '');
        if (tokens === undefined) json({ error: 'invalid_grant' }, 400);
        else json(tokens);
      } else json({}, 404);
    });
    this.#server = new LocalServer(server);
  }

  /** By `localhost` it is another site than 127.0.0.1, to browsers. */
  static async start(host: '127.0.0.1' | 'localhost' = '127.0.0.1'): Promise<SimulatedProvider> {
    const provider = new SimulatedProvider(host);
    await provider.#server.listen();
    return provider;
  }

  get issuer(): string {
    return `http://${this.#host}:${this.#server.port}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }

  #metadata() {
    const { issuer } = this;
    return {
      issuer,
      authorization_endpoint: `${issuer}/authorize`,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/keys`,
      ...(this.endSessionEndpoint !== null && {
        end_session_endpoint: this.endSessionEndpoint ?? `${issuer}/end-session`,
      }),
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      code_challenge_methods_supported: ['S256'],
    };
  }

  #authorize(query: URLSearchParams): string {
    const back = new URL(query.get('redirect_uri') ?? '');
    back.searchParams.set('state', query.get('state') ?? '');
    if (this.answer.error !== undefined) {
      back.searchParams.set('error', this.answer.error);
      return back.href;
    }
    const code = randomUUID();
    const nonce = query.get('nonce') ?? '';
    this.#codes.set(code, {
      nonce,
      challenge: query.get('code_challenge') ?? '',
      answer: this.answer,
    });
    back.searchParams.set('code', code);
    return back.href;
  }

  /** Where to lead to after a sign-out; undefined where the request is not what it must be (2 and 3 there). */
  #wayOut(query: URLSearchParams): string | undefined {
    const to = query.get('post_logout_redirect_uri') ?? '';
    const hint = query.get('id_token_hint');
    const isClient = query.get('client_id') === CLIENT_ID;
    const isRegistered = this.postLogoutRedirectUris.includes(to);
    return isClient && isRegistered && (hint === null || this.#isOwn(hint)) ? to : undefined;
  }

  /** Whether it has issued the ID token, for its client; one that has expired counts. */
  #isOwn(idToken: string): boolean {
    const [head = '', body = '', signature = ''] = idToken.split('.');
    const { iss, aud } = JSON.parse(Buffer.from(body, 'base64url').toString());
    const signed = Buffer.from(`${head}.${body}`);
    const isSigned = verify('sha256', signed, publicKey, Buffer.from(signature, 'base64url'));
    return isSigned && iss === this.issuer && aud === CLIENT_ID;
  }

  /**
   * A code is good once, for the client that shows its secret by HTTP Basic, as with all providers that name no other way,
   * and knows the verifier (RFC 7636).
   */
  #redeem(form: URLSearchParams, authorization: string) {
    const [user, secret] = Buffer.from(authorization.replace(/^Basic /, ''), 'base64')
      .toString()
      .split(':')
      .map((part) => decodeURIComponent(part.replaceAll('+', ' ')));
    const code = form.get('code') ?? '';
    const kept = this.#codes.get(code);
    this.#codes.delete(code);
    const challenge = createHash('sha256')
      .update(form.get('code_verifier') ?? '')
      .digest('base64url');
    const isClient = user === CLIENT_ID && secret === CLIENT_SECRET;
    if (!isClient || kept?.challenge !== challenge) return undefined;
    const now = Math.floor(Date.now() / 1000);
    const claims = {
      iss: this.issuer,
      sub: 'person-1',
      aud: CLIENT_ID,
      iat: now,
      exp: now + 60,
      nonce: kept.nonce,
      preferred_username: 'wilhelm',
      roles: ['radiology'],
      ...kept.answer.claims,
    };
    return {
      access_token: randomUUID(),
      token_type: 'Bearer',
      id_token: signed(claims, kept.answer.signedBy === 'stranger' ? STRANGER : privateKey),
    };
  }
}

function signed(claims: object, key: typeof privateKey): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const head = `${part({ alg: 'RS256', kid: KEY_ID })}.${part(claims)}`;
  return `${head}.${sign('sha256', Buffer.from(head), key).toString('base64url')}`;
}
