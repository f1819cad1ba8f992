import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { App } from '../../../src/app.js';
import { AccountStore } from '../../../src/store/account-store.js';
import { settingsIn, startNode, temporaryFolder } from '../node/node-rig.js';
import { Client, everyRole, PASSWORD, type Role, setUp } from './api-rig.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let app: App;
let clients: Record<Role, Client>;

beforeAll(async () => {
  folder = await temporaryFolder();
  app = await startNode(settingsIn(folder.path, ''));
});
afterAll(async () => {
  await app.stop();
  await folder[Symbol.asyncDispose]();
});

const actions = async () => {
  const { entries } = await clients.admin.json('/audit');
  return (entries as { action: string; actor: string; subject: string | null }[]).map(
    ({ actor, action, subject }) => [actor, action, subject],
  );
};

describe('the first start', () => {
  it('has no account and no default password, and a link that works once', async () => {
    const client = new Client(app);
    expect(await client.json('/sign-in')).toEqual({ setUpNeeded: true, oidc: null });
    expect((await client.post('/session', { user: 'admin', password: 'admin' })).status).toBe(401);
    const link = new URL(app.newSetupLink() ?? '');
    expect(link.pathname).toBe('/setup');
    const wrong = { token: 'x', user: 'root', password: PASSWORD };
    expect((await client.post('/setup', wrong)).status).toBe(403);
    const short = { token: link.hash.slice(1), user: 'root', password: 'short' };
    const refused = await client.post('/setup', short);
    expect(refused.status).toBe(400);
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect(await refused.json()).toMatchObject({ problems: [{ path: 'body.password' }] });

    clients = await everyRole(app);
    expect(app.newSetupLink()).toBeUndefined();
    expect(await new Client(app).json('/sign-in')).toMatchObject({ setUpNeeded: false });
    const again = { token: link.hash.slice(1), user: 'other', password: PASSWORD };
    expect((await client.post('/setup', again)).status).toBe(403);
  });
});

describe('a session', () => {
  it('is a cookie that no script reads and no other site sends', async () => {
    const response = await new Client(app).post('/session', { user: 'viewer', password: PASSWORD });
    const [cookie = ''] = response.headers.getSetCookie();
    expect(cookie).toMatch(/HttpOnly/);
    expect(cookie).toMatch(/SameSite=Strict/);
    expect(response.headers.get('cache-control')).toBe('no-store');
  });

  it('is kept as a hash alone, and passwords as argon2id', async () => {
    const secret = clients.admin.cookie?.split('=')[1] ?? '';
    expect(secret.length).toBeGreaterThan(40);
    const files = ['accounts.db', 'accounts.db-wal'].map((name) =>
      readFileSync(join(folder.path, 'data', name)).toString('latin1'),
    );
    const text = files.join('');
    expect(text).toContain('$argon2id$');
    expect(text).not.toContain(secret);
    expect(text).not.toContain(PASSWORD);
  });

  it('ends when its user signs out, and when the account is disabled', async () => {
    const client = await new Client(app).signIn('viewer');
    const { cookie = '' } = client;
    expect((await client.ask('DELETE', '/session')).status).toBe(204);
    expect((await new Client(app).get('/session', { cookie })).status).toBe(401);

    await clients.admin.post('/users', { name: 'guest', role: 'viewer', password: PASSWORD });
    const guest = await new Client(app).signIn('guest');
    await clients.admin.ask('PATCH', '/users/guest', { disabled: true });
    expect((await guest.get('/session')).status).toBe(401);
    const refused = await new Client(app).post('/session', { user: 'guest', password: PASSWORD });
    expect(refused.status).toBe(401);
  });

  it('ends everywhere with a new password', async () => {
    await clients.admin.post('/users', { name: 'pat', role: 'viewer', password: PASSWORD });
    const [here, there] = [new Client(app), new Client(app)];
    await here.signIn('pat');
    await there.signIn('pat');
    const password = 'another long enough one';
    const wrong = { current: 'wrong wrong wrong', password };
    expect((await here.ask('PUT', '/session/password', wrong)).status).toBe(403);
    const changed = await here.ask('PUT', '/session/password', { current: PASSWORD, password });
    expect(changed.status).toBe(200);
    expect((await here.get('/session')).status).toBe(200);
    expect((await there.get('/session')).status).toBe(401);
    await there.signIn('pat', password);
  });
});

describe('a name', () => {
  it('is locked after five failures, whether there is such an account or not', async () => {
    await clients.admin.post('/users', { name: 'target', role: 'viewer', password: PASSWORD });
    for (const user of ['target', 'nobody-at-all']) {
      const statuses: number[] = [];
      for (let i = 0; i < 6; i += 1) {
        const response = await new Client(app).post('/session', { user, password: `guess ${i}` });
        statuses.push(response.status);
      }
      expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
    }
    const right = await new Client(app).post('/session', { user: 'target', password: PASSWORD });
    expect(right.status).toBe(429);
    expect(Number(right.headers.get('retry-after'))).toBeGreaterThan(0);
    const { users } = await clients.admin.json('/users');
    expect(users).toContainEqual(
      expect.objectContaining({ name: 'target', lockedUntil: expect.any(Number) }),
    );
    await clients.admin.ask('PATCH', '/users/target', { password: PASSWORD });
    await new Client(app).signIn('target');
  });
});

describe('a request', () => {
  it('is refused without a sign-in, on every route that is not public', async () => {
    const document = await new Client(app).json('/openapi.json');
    const paths = document['paths'] as Record<string, Record<string, { security?: unknown[] }>>;
    for (const [path, methods] of Object.entries(paths)) {
      for (const [method, { security }] of Object.entries(methods)) {
        if (security?.length === 0) continue;
        const url = path.replace('/api/v1', '').replaceAll(/\{\w+\}/g, '1');
        const response = await new Client(app).ask(method.toUpperCase(), url);
        expect([url, response.status]).toEqual([url, 401]);
      }
    }
  });

  it('that changes something needs the token of the page', async () => {
    const { admin } = clients;
    const body = { name: 'sly', role: 'admin', password: PASSWORD };
    const asked = async (headers: Record<string, string>) =>
      (await admin.post('/users', body, headers)).status;
    expect(await asked({ 'x-csrf-token': '' })).toBe(403);
    expect(await asked({ 'x-csrf-token': clients.viewer.csrfToken ?? '' })).toBe(403);
    expect(await asked({ origin: 'https://elsewhere.example' })).toBe(403);
    expect(await asked({ 'sec-fetch-site': 'cross-site' })).toBe(403);
    const { users } = await admin.json('/users');
    expect((users as { name: string }[]).map(({ name }) => name)).not.toContain('sly');
  });

  it('to sign in from another site is refused', async () => {
    const body = { user: 'viewer', password: PASSWORD };
    const response = await new Client(app).post('/session', body, {
      origin: 'https://elsewhere.example',
    });
    expect(response.status).toBe(403);
  });

  it('is answered by role', async () => {
    const { viewer, operator, admin } = clients;
    for (const [client, status] of [
      [viewer, 403],
      [operator, 403],
      [admin, 200],
    ] as const) {
      expect((await client.get('/users')).status).toBe(status);
      expect((await client.get('/audit')).status).toBe(status);
      expect((await client.get('/session')).status).toBe(200);
    }
  });

  it('is limited in guesses of passwords', async () => {
    const statuses = new Set<number>();
    for (let i = 0; i < 40; i += 1) {
      const body = { token: `guess-${i}`, user: 'intruder', password: PASSWORD };
      statuses.add((await new Client(app).post('/setup', body)).status);
    }
    expect(statuses).toContain(429);
  });
});

describe('the last admin', () => {
  it('can be neither removed nor disabled nor demoted', async () => {
    const { admin } = clients;
    expect((await admin.ask('DELETE', '/users/root')).status).toBe(409);
    expect((await admin.ask('PATCH', '/users/root', { disabled: true })).status).toBe(409);
    expect((await admin.ask('PATCH', '/users/root', { role: 'viewer' })).status).toBe(409);
    expect((await admin.ask('PATCH', '/users/nobody', { role: 'viewer' })).status).toBe(404);
    expect((await admin.ask('PATCH', '/users/viewer', {})).status).toBe(400);
  });
});

describe('an API token', () => {
  it('has its scope, needs no page token, and ends when it is revoked', async () => {
    const made = await clients.admin.post('/tokens', { name: 'prometheus', scope: 'read' });
    const { secret, id } = (await made.json()) as { secret: string; id: number };
    const bearer = { authorization: `Bearer ${secret}` };
    const client = new Client(app);
    expect(await (await client.get('/session', bearer)).json()).toMatchObject({
      user: 'token:prometheus',
      role: 'viewer',
      csrfToken: null,
    });
    expect((await client.get('/users', bearer)).status).toBe(403);
    const { tokens } = await clients.admin.json('/tokens');
    expect(JSON.stringify(tokens)).not.toContain(secret);
    expect((await clients.admin.ask('DELETE', `/tokens/${id}`)).status).toBe(204);
    expect((await client.get('/session', bearer)).status).toBe(401);
  });
});

describe('the audit', () => {
  it('says who did what, and can only be added to', async () => {
    const lines = await actions();
    expect(lines).toContainEqual(['root', 'set-up', 'root']);
    expect(lines).toContainEqual(['root', 'user-added', 'viewer']);
    expect(lines).toContainEqual(['viewer', 'sign-in', null]);
    expect(lines).toContainEqual(['target', 'sign-in-failed', null]);
    expect(lines).toContainEqual(['target', 'sign-in-locked', null]);
    expect(lines).toContainEqual(['root', 'token-removed', 'prometheus']);
    const { entries, next } = await clients.admin.json('/audit?limit=2');
    expect(entries).toHaveLength(2);
    const older = await clients.admin.json(`/audit?limit=2&cursor=${next}`);
    expect((older['entries'] as { id: number }[])[0]?.id).toBe(Number(next) - 1);
  });
});

describe('a node whose accounts cannot be read', () => {
  it('works on, with the console shut', async () => {
    await using other = await temporaryFolder();
    const settings = settingsIn(other.path, '');
    {
      await using first = await startNode(settings);
      await setUp(first);
    }
    const { writeFileSync } = await import('node:fs');
    writeFileSync(join(settings.storage.folder, 'accounts.db'), 'no database at all');
    await using node = await startNode(settings);
    const { base } = new Client(node);
    expect((await fetch(`${base}/healthz`)).status).toBe(200);
    const shut = await fetch(`${base}/api/v1/session`);
    expect(shut.status).toBe(503);
    expect(await shut.json()).toMatchObject({ detail: expect.stringContaining('accounts.db') });
  });
});

it('keeps accounts whatever becomes of the catalog', async () => {
  const store = AccountStore.open(join(folder.path, 'data'));
  expect(store.accounts().map(({ name }) => name)).toContain('root');
  store.close();
});
