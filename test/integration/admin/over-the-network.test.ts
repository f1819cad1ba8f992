import { readFile } from 'node:fs/promises';
import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'node:https';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { IDLE_MS, LONGEST_SESSION_MS } from '../../../src/admin/users/sign-in.js';
import type { App } from '../../../src/app.js';
import { parseSettings } from '../../../src/config/load-settings.js';
import { TestAuthority } from '../../fixtures/certificates.js';
import { settingsIn, startNode, temporaryFolder } from '../node/node-rig.js';
import { Client, PASSWORD, setUp } from './api-rig.js';

/** A node whose section `admin` is this. */
async function nodeWith(folder: string, admin: string): Promise<App> {
  const file = `
node: { host: 127.0.0.1, port: 0 }
storage: { folder: ./data, minFreeMb: 1 }
admin: { port: 0, ${admin} }
routes: []
`;
  return startNode(parseSettings(file, join(folder, 'vigil.yaml'), {}).settings);
}

const setupBody = (app: App) => ({
  token: new URL(app.newSetupLink() ?? '').hash.slice(1),
  user: 'root',
  password: PASSWORD,
});

describe('the console by HTTPS', () => {
  /** One request with a body, if any, as JSON. */
  const askSecurely = (app: App, ca: Buffer, path: string, body?: unknown) =>
    new Promise<{ status: number; headers: IncomingHttpHeaders; body: string }>(
      (resolve, reject) => {
        const outgoing = request(`https://127.0.0.1:${app.ports.admin}/api/v1${path}`, {
          ca,
          method: body === undefined ? 'GET' : 'POST',
          headers: { 'content-type': 'application/json' },
        });
        outgoing.on('error', reject);
        outgoing.on('response', async (response) => {
          const { statusCode: status = 0, headers } = response;
          resolve({ status, headers, body: await text(response) });
        });
        outgoing.end(body === undefined ? undefined : JSON.stringify(body));
      },
    );

  it('signs in with a cookie that browsers keep to it, and answers nothing in clear', async () => {
    await using folder = await temporaryFolder();
    await using authority = await TestAuthority.create();
    const { certificate, key } = await authority.issue({ name: 'vigil' });
    const ca = await readFile(authority.certificate);
    await using app = await nodeWith(
      folder.path,
      `tls: { certificate: ${certificate}, key: ${key} }`,
    );
    const answer = await askSecurely(app, ca, '/setup', setupBody(app));
    expect(answer.status).toBe(200);
    expect(answer.headers['set-cookie']?.[0]).toMatch(/^__Host-vigil-session=.*; Secure/);
    expect(answer.headers['strict-transport-security']).toMatch(/max-age=\d+/);
    await expect(fetch(`http://127.0.0.1:${app.ports.admin}/api/v1/sign-in`)).rejects.toThrow();
  });
});

describe('the console behind a proxy', () => {
  const HTTPS = {
    'x-forwarded-for': '10.1.2.3',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'vigil.hospital.example',
  };

  it('takes what came to the proxy by HTTPS, with a cookie for HTTPS alone', async () => {
    await using folder = await temporaryFolder();
    await using app = await nodeWith(folder.path, 'behindProxy: [127.0.0.1]');
    const headers = { ...HTTPS, origin: 'https://vigil.hospital.example' };
    const answer = await new Client(app).post('/setup', setupBody(app), headers);
    expect(answer.status).toBe(200);
    expect(answer.headers.getSetCookie()[0]).toMatch(/^__Host-vigil-session=.*; Secure/);
  });

  it.each([
    ['what came in clear', { ...HTTPS, 'x-forwarded-proto': 'http' }, 'HTTPS alone'],
    ['a page of another site', { ...HTTPS, origin: 'https://elsewhere.example' }, 'another site'],
  ])('refuses %s', async (_, headers, reason) => {
    await using folder = await temporaryFolder();
    await using app = await nodeWith(folder.path, 'behindProxy: [127.0.0.1]');
    const answer = await new Client(app).post('/setup', setupBody(app), headers);
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain(reason);
  });

  it('does not believe who is none', async () => {
    await using folder = await temporaryFolder();
    await using app = await nodeWith(folder.path, 'behindProxy: [192.0.2.0/24]');
    // Believed, it would come from a network in clear.
    const headers = { ...HTTPS, 'x-forwarded-proto': 'http' };
    const answer = await new Client(app).get('/sign-in', headers);
    expect(answer.status).toBe(200);
  });
});

describe('a session', () => {
  async function signedIn() {
    vi.useFakeTimers({ toFake: ['Date'] });
    const folder = await temporaryFolder();
    const app = await startNode(settingsIn(folder.path, ''));
    onTestFinished(async () => {
      vi.useRealTimers();
      await app.stop();
      await folder[Symbol.asyncDispose]();
    });
    return setUp(app);
  }
  const later = (ms: number) => vi.setSystemTime(Date.now() + ms);

  it('ends when nobody has used it for a while', async () => {
    const client = await signedIn();
    for (let i = 0; i < 3; i += 1) {
      later(IDLE_MS - 1000);
      expect((await client.get('/session')).status).toBe(200);
    }
    later(IDLE_MS + 1000);
    expect((await client.get('/session')).status).toBe(401);
  });

  it('ends after a working day, however much it is used', async () => {
    const client = await signedIn();
    const step = IDLE_MS / 2;
    for (let age = step; age < LONGEST_SESSION_MS; age += step) {
      later(step);
      expect((await client.get('/session')).status).toBe(200);
    }
    later(step);
    expect((await client.get('/session')).status).toBe(401);
  });
});
