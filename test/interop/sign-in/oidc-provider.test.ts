import type { ClientMetadata, Configuration } from 'oidc-provider';
import { pino } from 'pino';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import type { Settings } from '../../../src/config/settings.js';
import { setUp } from '../../integration/admin/api-rig.js';
import { CLIENT_SECRET, withProvider } from '../../integration/admin/identity-provider.js';
import { settingsIn, startNode, temporaryFolder } from '../../integration/node/node-rig.js';
import { Browser } from './browser.js';
import { OpenIdProvider, type People } from './openid-provider.js';

// The library warns of what it must not be used for outside of tests.
beforeAll(() => {
  for (const method of ['info', 'warn'] as const) {
    vi.spyOn(console, method).mockImplementation(() => undefined);
  }
});

const PEOPLE: People = {
  reader: { preferred_username: 'r.eader', roles: ['staff', 'radiology'] },
  deputy: { preferred_username: 'd.eputy', roles: ['pacs-operators'] },
  chief: { preferred_username: 'c.hief', roles: ['radiology', 'pacs-admins'] },
  cleaner: { preferred_username: 'c.leaner', roles: ['cleaning'] },
  nobody: {},
};

interface Differences {
  readonly client?: Partial<ClientMetadata>;
  readonly provider?: Configuration;
  readonly change?: (settings: Settings) => Settings | Promise<Settings>;
}

/** A provider and a node that know each other. */
async function started({ client, provider, change = (same) => same }: Differences = {}) {
  const folder = await temporaryFolder();
  const idp = await OpenIdProvider.start();
  const given = await withProvider(settingsIn(folder.path, ''), folder.path, idp.issuer);
  const { oidc, url = '' } = given.admin;
  if (oidc === undefined) throw new Error('There is no provider in the settings');
  const roles = { ...oidc.roles, operator: ['pacs-operators'] };
  const settings = await change({ ...given, admin: { ...given.admin, oidc: { ...oidc, roles } } });
  const registered = {
    client_id: oidc.clientId,
    client_secret: CLIENT_SECRET,
    redirect_uris: [`${url}/api/v1/oidc/callback`],
    post_logout_redirect_uris: [`${url}/`],
    ...client,
  };
  idp.serve(registered, PEOPLE, provider);
  const logged: string[] = [];
  const app = await startNode(settings, pino({}, { write: (line) => logged.push(line) }));
  return {
    app,
    idp,
    url,
    logged,
    [Symbol.asyncDispose]: async () => {
      await app.stop();
      await idp[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Logs in at the provider and agrees to what it asks for. */
async function logIn(browser: Browser, login: string): Promise<Browser> {
  await browser.submit({ login, password: 'any' });
  if (browser.page.includes('Authorize')) await browser.submit({});
  return browser;
}

const signIn = async (url: string, login: string, browser = new Browser()) =>
  logIn(await browser.open(`${url}/api/v1/oidc/start`), login);

/** Who is signed in, or the address with the reason why nobody is. */
async function whoIn(browser: Browser, url: string): Promise<string> {
  if (browser.address.hash !== '') return browser.address.hash;
  const response = await browser.ask(`${url}/api/v1/session`);
  const { user, role, origin } = (await response.json()) as Record<string, string>;
  return `${user} ${role} ${origin}`;
}

/** Where the ID token has the person's claims, as with most products. */
const CLAIMS_IN_ID_TOKEN: Configuration = { conformIdTokenClaims: false };

describe('sign-in at a certified OpenID Provider', () => {
  it('gives the role of the claim, and nobody without one is let in', async () => {
    await using node = await started({ provider: CLAIMS_IN_ID_TOKEN });
    for (const [login, expected] of [
      ['reader', 'r.eader viewer oidc'],
      ['deputy', 'd.eputy operator oidc'],
      ['chief', 'c.hief admin oidc'],
      ['cleaner', '#no-role'],
      ['nobody', '#no-name'],
    ] as const) {
      const browser = await signIn(node.url, login);
      expect(browser.address.origin).toBe(node.url);
      expect(await whoIn(browser, node.url)).toBe(expected);
    }
  });

  it.each([
    ['the claims at its UserInfo endpoint alone, as the standard has it', {}],
    ['its client secret by HTTP Basic alone', { clientAuthMethods: ['client_secret_basic'] }],
  ] as const)('works with %s', async (_, provider: Configuration) => {
    await using node = await started({ provider });
    expect(await whoIn(await signIn(node.url, 'chief'), node.url)).toBe('c.hief admin oidc');
  });

  it.each([
    ['ID tokens signed by an elliptic curve', { id_token_signed_response_alg: 'ES256' }],
    ['a secret by HTTP Basic', { token_endpoint_auth_method: 'client_secret_basic' }],
    [
      'a secret in the form alone',
      { token_endpoint_auth_method: 'client_secret_post' },
      { clientAuthMethods: ['client_secret_post'] },
    ],
  ] as const)('works for a client that has %s', async (_, client, more: Configuration = {}) => {
    await using node = await started({ client, provider: { ...CLAIMS_IN_ID_TOKEN, ...more } });
    expect(await whoIn(await signIn(node.url, 'reader'), node.url)).toBe('r.eader viewer oidc');
  });

  it('works for a client without a secret', async () => {
    await using node = await started({
      client: { token_endpoint_auth_method: 'none' },
      provider: CLAIMS_IN_ID_TOKEN,
      change: ({ admin, ...settings }) => {
        if (admin.oidc === undefined) throw new Error('There is no provider in the settings');
        const { clientSecretFile: _, ...oidc } = admin.oidc;
        return { ...settings, admin: { ...admin, oidc } };
      },
    });
    expect(await whoIn(await signIn(node.url, 'reader'), node.url)).toBe('r.eader viewer oidc');
  });

  it.each([
    ['in the form', {}],
    ['by HTTP Basic', { clientAuthMethods: ['client_secret_basic'] }],
  ] as const)(
    'tells the sign-in page and the log that the secret %s is wrong',
    async (_, provider: Configuration) => {
      await using node = await started({ client: { client_secret: 'another one' }, provider });
      const browser = await signIn(node.url, 'reader');
      expect(await whoIn(browser, node.url)).toBe('#client-refused');
      expect(node.logged.join('')).toContain('"code":"client-refused"');
      expect(node.logged.join('')).not.toContain(CLIENT_SECRET);
    },
  );

  it('says that the provider refused it where the person gives up there', async () => {
    await using node = await started();
    const browser = await new Browser().open(`${node.url}/api/v1/oidc/start`);
    const [, abort = ''] = /href="([^"]+\/abort)"/.exec(browser.page) ?? [];
    await browser.open(new URL(abort, browser.address));
    expect(await whoIn(browser, node.url)).toBe('#provider-refused');
    expect(node.logged.join('')).toContain('"answer":"access_denied"');
  });
});

const LOGIN_PAGE = 'name="login"';

/** Presses the console's button and goes where that leads: to the provider's question. */
async function signOut(browser: Browser, url: string): Promise<void> {
  const session = await browser.ask(`${url}/api/v1/session`);
  const { csrfToken = '' } = (await session.json()) as { csrfToken?: string };
  const headers = { 'x-csrf-token': csrfToken };
  const response = await browser.ask(`${url}/api/v1/session`, { method: 'DELETE', headers });
  const { next = '' } = (await response.json()) as { next?: string };
  await browser.open(new URL(next, url));
}

describe('sign-out at a certified OpenID Provider', () => {
  it.each([
    ['ends its session when that is confirmed, and the next sign-in asks who it is', 'yes', true],
    ['leaves its session alone when the person would rather stay there', '', false],
  ])('%s', async (_, logout, asksAgain) => {
    await using node = await started({ provider: CLAIMS_IN_ID_TOKEN });
    const { url, idp } = node;
    const administrator = await setUp(node.app);
    const browser = await signIn(url, 'reader');
    await signOut(browser, url);
    expect(browser.address.origin).toBe(idp.issuer);
    expect(browser.page).toContain('Do you want to sign-out');
    await browser.submit({ ...(logout && { logout }) });
    expect(browser.address.href).toBe(`${url}/`);
    expect((await browser.ask(`${url}/api/v1/session`)).status).toBe(401);
    const { entries } = await administrator.json('/audit');
    expect(entries).toContainEqual(
      expect.objectContaining({ actor: 'r.eader', action: 'sign-out-at-provider' }),
    );

    await browser.open(`${url}/api/v1/oidc/start`);
    expect(browser.page.includes(LOGIN_PAGE)).toBe(asksAgain);
    // A provider asks somebody who stays whether Vigil may see the name again.
    if (asksAgain) await logIn(browser, 'deputy');
    else await browser.submit({});
    expect(await whoIn(browser, url)).toBe(
      asksAgain ? 'd.eputy operator oidc' : 'r.eader viewer oidc',
    );
  });
});
