import { createHash, generateKeyPairSync, randomUUID, sign } from 'node:crypto';
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

/** An OpenID provider (OpenID Connect Core 1.0) that signs in whoever comes, with the claims that it is told. */
export class SimulatedProvider implements AsyncDisposable {
  answer: Answer = {};
  readonly #server: LocalServer;
  readonly #codes = new Map<string, { nonce: string; challenge: string; answer: Answer }>();

  readonly #host: string;

  private constructor(host: string) {
    this.#host = host;
    const server = createServer(async (request, response) => {
      const url = new URL(request.url ?? '', this.issuer);
      const json = (body: unknown, status = 200) => {
        response.writeHead(status, { 'content-type': 'application/json' });
        response.end(JSON.stringify(body));
      };
      if (url.pathname === '/.well-known/openid-configuration') json(this.#metadata());
      else if (url.pathname === '/keys') {
        const key = publicKey.export({ format: 'jwk' });
        json({ keys: [{ ...key, kid: KEY_ID, alg: 'RS256', use: 'sig' }] });
      } else if (url.pathname === '/authorize') {
        response.writeHead(302, { location: this.#authorize(url.searchParams) }).end();
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

  /** A code is good once, for the client that knows its secret and the verifier (RFC 7636). */
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
    const isClient =
      (user || form.get('client_id')) === CLIENT_ID &&
      (secret || form.get('client_secret')) === CLIENT_SECRET;
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
