import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import Provider, { type ClientMetadata, type Configuration } from 'oidc-provider';
import { LocalServer } from '../../fixtures/local-server.js';

const jwk = (pair: ReturnType<typeof generateKeyPairSync>, alg: string) => ({
  ...pair.privateKey.export({ format: 'jwk' }),
  use: 'sig',
  alg,
  kid: alg,
});
const KEYS = [
  jwk(generateKeyPairSync('rsa', { modulusLength: 2048 }), 'RS256'),
  jwk(generateKeyPairSync('ec', { namedCurve: 'P-256' }), 'ES256'),
];

/** What the provider says of who logs in, by the login that is typed there. */
export type People = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** oidc-provider, a certified OpenID Provider, with the log-in, consent and log-out pages that it comes with. */
export class OpenIdProvider implements AsyncDisposable {
  readonly #http = createServer();
  readonly #server = new LocalServer(this.#http);

  private constructor() {}

  static async start(): Promise<OpenIdProvider> {
    const provider = new OpenIdProvider();
    await provider.#server.listen();
    return provider;
  }

  get issuer(): string {
    return `http://127.0.0.1:${this.#server.port}`;
  }

  /** Lets a client in, which is known only when the provider has its address; the rest is as the library has it. */
  serve(client: ClientMetadata, people: People, more: Configuration = {}): void {
    const provider = new Provider(this.issuer, {
      clients: [client],
      claims: { openid: ['sub'], profile: ['preferred_username', 'roles'] },
      findAccount: (_, login) => ({
        accountId: login,
        claims: () => ({ sub: login, ...people[login] }),
      }),
      jwks: { keys: KEYS },
      cookies: { keys: [randomUUID()] },
      ...more,
    });
    this.#http.on('request', provider.callback());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}
