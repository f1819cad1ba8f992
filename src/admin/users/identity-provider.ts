import * as oidc from 'openid-client';
import type { OidcSettings } from '../../config/oidc-settings.js';
import { isThisMachine } from '../../config/syntax.js';
import { ROLES, type Role } from '../api/schemas/common.js';

/** Why the identity provider does not do what it is asked; the sign-in page has words for each that ends a sign-in. */
export type ProviderRefusal =
  | 'provider-unreachable'
  | 'provider-refused'
  | 'client-refused'
  | 'attempt-unknown'
  | 'no-role'
  | 'no-name'
  | 'name-taken'
  | 'disabled';

/** The message names no secret, and nobody. */
export class ProviderError extends Error {
  readonly code: ProviderRefusal;
  /** Who is refused, where the provider has said it. */
  readonly user: string | undefined;
  /** The provider's own code of the error (RFC 6749 4.1.2.1 and 5.2), where it gave one. */
  readonly answer: string | undefined;

  constructor(code: ProviderRefusal, { cause, user }: { cause?: unknown; user?: string } = {}) {
    super(`The identity provider did not do it: ${code}`, { cause });
    this.name = 'ProviderError';
    this.code = code;
    this.user = user;
    const isAnswered =
      cause instanceof oidc.ResponseBodyError || cause instanceof oidc.AuthorizationResponseError;
    this.answer = isAnswered ? cause.error : undefined;
  }
}

/** What one sign-in is checked against when the browser comes back. */
export interface Attempt {
  readonly state: string;
  readonly nonce: string;
  readonly codeVerifier: string;
}

export interface ProvenIdentity {
  /** Issuer and subject: what stays the same where names change. */
  readonly subject: string;
  readonly name: string;
  readonly role: Role;
  /** For the sign-out; undefined where that is none of the provider's. */
  readonly idToken: string | undefined;
}

type Tokens = Awaited<ReturnType<typeof oidc.authorizationCodeGrant>>;

interface ProviderOptions {
  readonly settings: OidcSettings;
  /** Where the provider sends browsers back to. */
  readonly redirectUri: string;
  /** And after a sign-out: the console's sign-in page. */
  readonly postLogoutRedirectUri: string;
  /** Undefined where the provider knows Vigil without one. */
  readonly clientSecret: () => Promise<string | undefined>;
}

const TIMEOUT_S = 10;
/** Servers refuse longer request lines, some from 4096 bytes on; an ID token with many groups makes one. */
const LONGEST_URL = 4000;
/** What the database and the audit hold of a name. */
const NAME = /^[^\p{Cc}]{1,64}$/u;

/**
 * Signs people in by OpenID Connect Core 1.0: the authorization code flow (3.1) with PKCE (RFC 7636), state and nonce; the
 * ID token's signature is checked against the provider's keys. The provider is looked for with the first sign-in, so that
 * the node starts without it. Sessions at the provider end by OpenID Connect RP-Initiated Logout 1.0.
 */
export class IdentityProvider {
  readonly #options: ProviderOptions;
  #configuration: oidc.Configuration | undefined;

  constructor(options: ProviderOptions) {
    this.#options = options;
  }

  /** Where to send the browser, and what to check when it comes back. @throws ProviderError */
  async begin(): Promise<{ readonly url: URL; readonly attempt: Attempt }> {
    const configuration = await this.#discovered();
    const attempt = {
      state: oidc.randomState(),
      nonce: oidc.randomNonce(),
      codeVerifier: oidc.randomPKCECodeVerifier(),
    };
    const url = oidc.buildAuthorizationUrl(configuration, {
      redirect_uri: this.#options.redirectUri,
      scope: this.#options.settings.scope,
      state: attempt.state,
      nonce: attempt.nonce,
      code_challenge: await oidc.calculatePKCECodeChallenge(attempt.codeVerifier),
      code_challenge_method: 'S256',
    });
    return { url, attempt };
  }

  /** Who came back with such a query. @throws ProviderError */
  async finish(query: string, attempt: Attempt): Promise<ProvenIdentity> {
    const configuration = await this.#discovered();
    const url = new URL(this.#options.redirectUri);
    url.search = query;
    let tokens: Tokens;
    try {
      tokens = await oidc.authorizationCodeGrant(configuration, url, {
        pkceCodeVerifier: attempt.codeVerifier,
        expectedState: attempt.state,
        expectedNonce: attempt.nonce,
        idTokenExpected: true,
      });
    } catch (error) {
      throw isClientRefused(error)
        ? new ProviderError('client-refused', { cause: error })
        : refusal(error);
    }
    const { signOutAtProvider } = this.#options.settings;
    const idToken = signOutAtProvider ? tokens.id_token : undefined;
    return { ...this.#identityOf(await this.#claimsOf(configuration, tokens)), idToken };
  }

  /**
   * Where a browser ends its session at the provider; undefined where the provider has no such place. The ID token goes
   * along as a hint: Okta and authentik refuse to lead back without one, and Keycloak asks whether it is meant.
   * @throws ProviderError
   */
  async signOutUrl(idToken: string | undefined): Promise<URL | undefined> {
    // Asked anew: a browser that is led to a provider that is away sees an error of its own, and not the sign-in page.
    const configuration = await this.#discover();
    if (configuration.serverMetadata().end_session_endpoint === undefined) return undefined;
    const parameters = { post_logout_redirect_uri: this.#options.postLogoutRedirectUri };
    try {
      const plain = oidc.buildEndSessionUrl(configuration, parameters);
      if (idToken === undefined) return plain;
      const hinted = oidc.buildEndSessionUrl(configuration, {
        ...parameters,
        id_token_hint: idToken,
      });
      return hinted.href.length > LONGEST_URL ? plain : hinted;
    } catch (error) {
      throw new ProviderError('provider-refused', { cause: error });
    }
  }

  /**
   * What the ID token says, and what it leaves to the UserInfo endpoint: the claims of a scope are there wherever an access
   * token is issued (OpenID Connect Core 1.0, 5.4).
   */
  async #claimsOf(configuration: oidc.Configuration, tokens: Tokens): Promise<oidc.IDToken> {
    const claims = tokens.claims();
    if (claims === undefined) throw new ProviderError('provider-refused');
    const { nameClaim, roleClaim } = this.#options.settings;
    const isWhole = claims[nameClaim] !== undefined && claims[roleClaim] !== undefined;
    if (isWhole || configuration.serverMetadata().userinfo_endpoint === undefined) return claims;
    try {
      const more = await oidc.fetchUserInfo(configuration, tokens.access_token, claims.sub);
      return { ...more, ...claims };
    } catch (error) {
      throw refusal(error);
    }
  }

  #identityOf(claims: oidc.IDToken): Omit<ProvenIdentity, 'idToken'> {
    const { nameClaim, roleClaim, roles } = this.#options.settings;
    const name = claims[nameClaim];
    if (typeof name !== 'string' || !NAME.test(name)) throw new ProviderError('no-name');
    const values = [claims[roleClaim]].flat().filter((value) => typeof value === 'string');
    // The greatest of the roles that somebody has.
    const role = ROLES.toReversed().find((one) =>
      roles[one]?.some((value) => values.includes(value)),
    );
    if (role === undefined) throw new ProviderError('no-role', { user: name });
    return { subject: `${claims.iss} ${claims.sub}`, name, role };
  }

  async #discovered(): Promise<oidc.Configuration> {
    this.#configuration ??= await this.#discover();
    return this.#configuration;
  }

  async #discover(): Promise<oidc.Configuration> {
    const { settings, clientSecret } = this.#options;
    try {
      const secret = await clientSecret();
      const server = new URL(settings.issuer);
      const execute = [oidc.enableNonRepudiationChecks];
      if (isThisMachine(server.hostname)) execute.push(oidc.allowInsecureRequests);
      return await oidc.discovery(
        server,
        settings.clientId,
        undefined,
        secret === undefined ? oidc.None() : showing(secret),
        { execute, timeout: TIMEOUT_S },
      );
    } catch (error) {
      throw new ProviderError('provider-unreachable', { cause: error });
    }
  }
}

/**
 * HTTP Basic where the provider says nothing of it (OpenID Connect Discovery 1.0, 3). In the form wherever that is taken:
 * there is no second encoding in it, which some providers leave out.
 */
function showing(secret: string): oidc.ClientAuth {
  const basic = oidc.ClientSecretBasic(secret);
  const post = oidc.ClientSecretPost(secret);
  return (server, ...request) => {
    const { token_endpoint_auth_methods_supported: methods = [] } = server;
    return (methods.includes('client_secret_post') ? post : basic)(server, ...request);
  };
}

/** Whether the token endpoint knows no such client, or not by that secret (RFC 6749 5.2). */
function isClientRefused(error: unknown): boolean {
  if (error instanceof oidc.WWWAuthenticateChallengeError) return error.status === 401;
  const codes = ['invalid_client', 'unauthorized_client'];
  return error instanceof oidc.ResponseBodyError && codes.includes(error.error);
}

function refusal(error: unknown): ProviderError {
  const code = isUnanswered(error) ? 'provider-unreachable' : 'provider-refused';
  return new ProviderError(code, { cause: error });
}

/** Whether a request had no answer: a timeout, or what `fetch` says of a connection. */
function isUnanswered(error: unknown): boolean {
  if (!(error instanceof oidc.ClientError)) return error instanceof TypeError;
  const { code, cause } = error;
  return code === 'OAUTH_TIMEOUT' || (code === undefined && cause instanceof TypeError);
}
