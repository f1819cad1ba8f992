import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { App } from '../../../src/app.js';
import { settingsIn, startNode, temporaryFolder } from '../node/node-rig.js';
import { Client, everyRole, PASSWORD, type Role } from './api-rig.js';
import { CLIENT_SECRET, freePort, SimulatedProvider, withProvider } from './identity-provider.js';
import { sessionCookieOf, wayBack } from './oidc-rig.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let provider: SimulatedProvider;
let app: App;
let clients: Record<Role, Client>;
const logged: string[] = [];

beforeAll(async () => {
  folder = await temporaryFolder();
  provider = await SimulatedProvider.start();
  const log = pino({ level: 'trace' }, { write: (line) => logged.push(line) });
  app = await startNode(
    await withProvider(settingsIn(folder.path, ''), folder.path, provider.issuer),
    log,
  );
  clients = await everyRole(app);
});
afterAll(async () => {
  await app.stop();
  await provider[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});
beforeEach(() => {
  provider.answer = {};
});

/** Who is signed in, or the code that the sign-in page is given. */
async function outcomeOf(response: Response): Promise<string> {
  if (response.status === 302) return response.headers.get('location') ?? '';
  const client = new Client(app);
  client.cookie = sessionCookieOf(response);
  const { user, role, origin } = await client.json('/session');
  return `${user} ${role} ${origin}`;
}

const signIn = async (change?: (url: URL) => void) =>
  outcomeOf(await (await wayBack(app, change)).go());

describe('sign-in by an identity provider', () => {
  it('is offered, and leads there with PKCE, state and nonce', async () => {
    expect(await new Client(app).json('/sign-in')).toMatchObject({
      oidc: { title: 'Sign in with the hospital account', url: '/api/v1/oidc/start' },
    });
    const { cookie, there } = await wayBack(app);
    expect(cookie).toMatch(/HttpOnly/);
    expect(cookie).toMatch(/SameSite=Lax/);
    const { searchParams } = there;
    expect(there.origin).toBe(provider.issuer);
    expect(searchParams.get('code_challenge_method')).toBe('S256');
    for (const name of ['state', 'nonce', 'code_challenge']) {
      expect(searchParams.get(name)?.length).toBeGreaterThan(20);
    }
  });

  it('makes an account with the role of the claim, which follows it', async () => {
    expect(await signIn()).toBe('wilhelm viewer oidc');
    provider.answer = { claims: { roles: 'pacs-admins' } };
    expect(await signIn()).toBe('wilhelm admin oidc');
    provider.answer = { claims: { preferred_username: 'renamed' } };
    expect(await signIn()).toBe('wilhelm viewer oidc');
    const { entries } = await clients.admin.json('/audit');
    const mine = (entries as { actor: string; action: string; detail: unknown }[]).filter(
      ({ actor }) => actor === 'wilhelm',
    );
    expect(mine).toContainEqual(
      expect.objectContaining({ action: 'sign-in', detail: { by: 'oidc' } }),
    );
  });

  it('leads on by a page, so that browsers send the strict cookie', async () => {
    const response = await (await wayBack(app)).go();
    expect(response.headers.get('content-type')).toContain('text/html');
    expect(await response.text()).toContain('url=/"');
    expect(response.headers.getSetCookie().join()).toMatch(/vigil-session=.*SameSite=Strict/);
  });

  it.each([
    ['another state', {}, (url: URL) => url.searchParams.set('state', 'x')],
    ['another code', {}, (url: URL) => url.searchParams.set('code', 'x')],
    ['an error of the provider', { error: 'access_denied' }, undefined],
    ['another nonce', { claims: { nonce: 'x' } }, undefined],
    ['another audience', { claims: { aud: 'somebody else' } }, undefined],
    ['another issuer', { claims: { iss: 'http://127.0.0.1:9' } }, undefined],
    ['an ID token that has expired', { claims: { exp: 1 } }, undefined],
    ['a signature of another key', { signedBy: 'stranger' }, undefined],
  ] as const)('refuses %s', async (_, answer, change) => {
    provider.answer = answer;
    expect(await signIn(change)).toBe('/#provider-refused');
  });

  it.each([
    ['no role that counts', { roles: ['cleaning'] }, '/#no-role'],
    ['no name', { preferred_username: 7 }, '/#no-name'],
    ['the name of a local account', { sub: 'b', preferred_username: 'viewer' }, '/#name-taken'],
  ])('refuses somebody with %s', async (_, claims, location) => {
    provider.answer = { claims };
    expect(await signIn()).toBe(location);
  });

  it('keeps in the audit who was refused, and why', async () => {
    const named = { preferred_username: 'passer-by', roles: ['cleaning'] };
    provider.answer = { claims: named };
    await signIn();
    const { entries } = await clients.admin.json('/audit');
    expect(entries).toContainEqual(
      expect.objectContaining({
        actor: 'passer-by',
        action: 'sign-in-failed',
        detail: { by: 'oidc', code: 'no-role' },
      }),
    );
  });

  it('takes each way back once, and from the browser that left alone', async () => {
    const { go } = await wayBack(app);
    expect(await outcomeOf(await go({}))).toBe('/#attempt-unknown');
    expect(await outcomeOf(await go())).toBe('wilhelm viewer oidc');
    expect(await outcomeOf(await go())).toBe('/#attempt-unknown');
  });

  it('refuses somebody whose account is disabled', async () => {
    provider.answer = { claims: { sub: 'gone', preferred_username: 'gone' } };
    expect(await signIn()).toBe('gone viewer oidc');
    await clients.admin.ask('PATCH', '/users/gone', { disabled: true });
    expect(await signIn()).toBe('/#disabled');
  });

  it('says that the provider is away, and local accounts go on', async () => {
    await using elsewhere = await temporaryFolder();
    const nobody = `http://127.0.0.1:${await freePort()}`;
    await using node = await startNode(
      await withProvider(settingsIn(elsewhere.path, ''), elsewhere.path, nobody),
    );
    const { base } = new Client(node);
    const start = await fetch(`${base}/api/v1/oidc/start`, { redirect: 'manual' });
    expect(start.headers.get('location')).toBe('/#provider-unreachable');
    const people = await everyRole(node);
    await people.viewer.signIn('viewer', PASSWORD);
  });

  it('says so as well when the provider goes away while somebody is there', async () => {
    await using elsewhere = await temporaryFolder();
    const shortLived = await SimulatedProvider.start();
    await using node = await startNode(
      await withProvider(settingsIn(elsewhere.path, ''), elsewhere.path, shortLived.issuer),
    );
    const { go } = await wayBack(node);
    await shortLived[Symbol.asyncDispose]();
    expect(await outcomeOf(await go())).toBe('/#provider-unreachable');
  });

  it('writes no code, token or secret into the log', () => {
    const text = logged.join('');
    expect(text).toContain('signed nobody in');
    for (const secret of [CLIENT_SECRET, 'code=', 'id_token', 'eyJ']) {
      expect(text).not.toContain(secret);
    }
  });
});
