import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'better-sqlite3';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hashOf } from '../../../src/admin/users/secrets.js';
import type { App } from '../../../src/app.js';
import type { Settings } from '../../../src/config/settings.js';
import { ACCOUNT_MIGRATIONS } from '../../../src/store/account-migrations.js';
import { ACCOUNTS_FILE } from '../../../src/store/account-store.js';
import { settingsIn, startNode, temporaryFolder } from '../node/node-rig.js';
import { Client, setUp } from './api-rig.js';
import { SimulatedProvider, withProvider } from './identity-provider.js';
import { leave, signedInThere } from './oidc-rig.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let provider: SimulatedProvider;
let settings: Settings;
let app: App;
let admin: Client;
const logged: string[] = [];
const log = pino({ level: 'trace' }, { write: (line) => logged.push(line) });

beforeAll(async () => {
  folder = await temporaryFolder();
  provider = await SimulatedProvider.start();
  settings = await withProvider(settingsIn(folder.path, ''), folder.path, provider.issuer);
  provider.postLogoutRedirectUris = [`${settings.admin.url}/`];
  app = await startNode(settings, log);
  admin = await setUp(app);
});
afterAll(async () => {
  await app.stop();
  await provider[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});
beforeEach(() => {
  provider.answer = {};
  provider.endSessionEndpoint = undefined;
});

const locationOf = (response: Response) => response.headers.get('location') ?? '';

/** The newest that the audit says of signing out, first. */
async function audited(): Promise<unknown[]> {
  const { entries } = await admin.json('/audit');
  return (entries as { actor: string; action: string; detail: unknown }[])
    .filter(({ action }) => action.startsWith('sign-out'))
    .map(({ actor, action, detail }) => ({ actor, action, detail }));
}

const atProvider = (result: string) => ({
  actor: 'wilhelm',
  action: 'sign-out-at-provider',
  detail: { result },
});

describe('sign-out at the identity provider', () => {
  it('ends the own session first, then leads there with what the provider wants to see', async () => {
    const client = await signedInThere(app);
    const { response, text, departure, go } = await leave(client);
    expect(response.status).toBe(200);
    expect(JSON.parse(text)).toEqual({ next: '/api/v1/oidc/end' });
    expect((await client.get('/session')).status).toBe(401);
    expect(departure).toBeDefined();
    const there = new URL(locationOf(await go()));
    expect(there.origin + there.pathname).toBe(`${provider.issuer}/end-session`);
    expect([...there.searchParams.keys()].sort()).toEqual([
      'client_id',
      'id_token_hint',
      'post_logout_redirect_uri',
    ]);
    const back = await fetch(there, { redirect: 'manual' });
    expect([back.status, locationOf(back)]).toEqual([302, `${settings.admin.url}/`]);
    expect((await audited()).slice(0, 2)).toEqual([
      atProvider('asked'),
      { actor: 'wilhelm', action: 'sign-out', detail: {} },
    ]);
  });

  it('leads each browser there once, and nobody who has not signed out', async () => {
    const { go } = await leave(await signedInThere(app));
    expect(locationOf(await go('vigil-departure=x'))).toBe('/');
    expect(locationOf(await go(''))).toBe('/');
    expect(locationOf(await go())).toContain('id_token_hint');
    expect(locationOf(await go())).toBe('/');
  });

  it('leads to the sign-in page where the provider has no such endpoint', async () => {
    provider.endSessionEndpoint = null;
    const { go } = await leave(await signedInThere(app));
    expect(locationOf(await go())).toBe('/');
    expect((await audited())[0]).toEqual(atProvider('not-offered'));
  });

  it('leads to no address that is not one of the web', async () => {
    provider.endSessionEndpoint = 'javascript:alert(1)';
    const { go } = await leave(await signedInThere(app));
    expect(locationOf(await go())).toBe('/#still-at-provider');
    expect((await audited())[0]).toEqual(atProvider('provider-refused'));
  });

  it('leaves out an ID token that makes the address too long: then the provider asks', async () => {
    const groups = Array.from({ length: 200 }, (_, index) => `group-${index}-of-the-hospital`);
    provider.answer = { claims: { roles: ['radiology', ...groups] } };
    const { go } = await leave(await signedInThere(app));
    const there = new URL(locationOf(await go()));
    expect(there.searchParams.has('id_token_hint')).toBe(false);
    expect(await (await fetch(there)).text()).toContain('Log out');
    const back = await fetch(there, { method: 'POST', redirect: 'manual' });
    expect(locationOf(back)).toBe(`${settings.admin.url}/`);
  });

  it('keeps no ID token that the files, or the log, could be read for', async () => {
    const client = await signedInThere(app);
    const names = await readdir(settings.storage.folder);
    const files = names.filter((name) => name.startsWith('accounts.db'));
    expect(files.length).toBeGreaterThan(0);
    for (const name of files) {
      const bytes = await readFile(join(settings.storage.folder, name));
      expect(bytes.includes('eyJhbGciOi')).toBe(false);
    }
    await (await leave(client)).go();
    for (const secret of ['eyJ', 'id_token_hint', 'vigil-departure=']) {
      expect(logged.join('')).not.toContain(secret);
    }
  });

  it('knows after a restart what to show, and ends the own session while the provider is away', async () => {
    await using elsewhere = await temporaryFolder();
    const shortLived = await SimulatedProvider.start();
    const own = await withProvider(
      settingsIn(elsewhere.path, ''),
      elsewhere.path,
      shortLived.issuer,
    );
    let node = await startNode(own);
    const administrator = await setUp(node);
    const before = await signedInThere(node);
    const later = await signedInThere(node);
    await node.stop();
    node = await startNode(own);
    await using _ = node;
    expect(locationOf(await (await leave(before)).go())).toContain('id_token_hint=eyJ');

    await shortLived[Symbol.asyncDispose]();
    const { response, go } = await leave(later);
    expect(response.status).toBe(200);
    expect((await later.get('/session')).status).toBe(401);
    expect(locationOf(await go())).toBe('/#still-at-provider');
    const { entries } = await administrator.json('/audit');
    expect(entries).toContainEqual(expect.objectContaining(atProvider('provider-unreachable')));
  });

  it('goes without the hint for a session from before such tokens were kept', async () => {
    await using elsewhere = await temporaryFolder();
    const given = await withProvider(
      settingsIn(elsewhere.path, ''),
      elsewhere.path,
      provider.issuer,
    );
    await mkdir(given.storage.folder);
    const old = new Database(join(given.storage.folder, ACCOUNTS_FILE));
    old.exec(ACCOUNT_MIGRATIONS[0] ?? '');
    old.pragma('user_version = 1');
    old.exec(`INSERT INTO account (name, role, origin, created_at) VALUES ('wilhelm', 'viewer', 'oidc', 0);
      INSERT INTO session VALUES ('${hashOf('secret')}', 'wilhelm', ${Date.now()}, ${Date.now()})`);
    old.close();
    await using node = await startNode(given);
    const client = new Client(node);
    client.cookie = 'vigil-session=secret';
    client.csrfToken = String((await client.json('/session'))['csrfToken']);
    const there = new URL(locationOf(await (await leave(client)).go()));
    expect([...there.searchParams.keys()].sort()).toEqual([
      'client_id',
      'post_logout_redirect_uri',
    ]);
  });

  it('is left to the provider where the configuration says so', async () => {
    await using elsewhere = await temporaryFolder();
    const given = await withProvider(
      settingsIn(elsewhere.path, ''),
      elsewhere.path,
      provider.issuer,
    );
    const oidc = given.admin.oidc && { ...given.admin.oidc, signOutAtProvider: false };
    await using node = await startNode({
      ...given,
      admin: { ...given.admin, ...(oidc && { oidc }) },
    });
    const client = await signedInThere(node);
    const { response, departure } = await leave(client);
    expect([response.status, departure]).toEqual([204, undefined]);
    expect((await client.get('/session')).status).toBe(401);
  });
});
