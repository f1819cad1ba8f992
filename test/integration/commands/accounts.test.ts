import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { App } from '../../../src/app.js';
import {
  runTokensAdd,
  runTokensList,
  runTokensRevoke,
  runUsersAdd,
  runUsersChange,
  runUsersList,
  runUsersResetPassword,
  runUsersSetupLink,
} from '../../../src/commands/accounts.js';
import { EXIT } from '../../../src/commands/exit-codes.js';
import { Client, PASSWORD } from '../admin/api-rig.js';
import { settingsIn, startNode, temporaryFolder } from '../node/node-rig.js';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let app: App;
let config: string;
let printed: string[];
let complained: string[];

beforeAll(async () => {
  folder = await temporaryFolder();
  config = join(folder.path, 'vigil.yaml');
  await writeFile(config, 'storage: { folder: ./data }\nroutes: []\n');
  app = await startNode(settingsIn(folder.path, ''));
});
afterAll(async () => {
  await app.stop();
  await folder[Symbol.asyncDispose]();
});
beforeEach(() => {
  [printed, complained] = [[], []];
  vi.spyOn(console, 'log').mockImplementation((line) => void printed.push(String(line)));
  vi.spyOn(console, 'error').mockImplementation((line) => void complained.push(String(line)));
});
afterEach(() => vi.restoreAllMocks());

/** The one object that a command with --json printed. */
const object = () => JSON.parse(printed.splice(0).join('')) as Record<string, unknown>;
const json = () => ({ config, json: true });
const plain = () => ({ config, json: false });
const signIn = async (user: string, password: string) =>
  (await new Client(app).post('/session', { user, password })).status;

describe('vigil users, beside the running node', () => {
  it('adds an account whose made-up password signs in, once shown', async () => {
    const added = await runUsersAdd({ ...json(), name: 'ada', role: 'operator' });
    expect(added).toBe(EXIT.done);
    const { password } = object() as { password: string };
    const client = await new Client(app).signIn('ada', password);
    expect(await client.json('/session')).toMatchObject({ user: 'ada', role: 'operator' });

    await runUsersList(plain());
    expect(printed.join('\n')).toMatch(/^NAME +ROLE .*\nada +operator +\d{4}-/);
    expect(printed.join('\n')).not.toContain(password);
  });

  it('disables, enables, and gives another role and password', async () => {
    await runUsersAdd({ ...json(), name: 'ben', role: 'viewer' });
    const { password } = object() as { password: string };
    const client = await new Client(app).signIn('ben', password);

    await runUsersChange({ ...json(), name: 'ben', disabled: true });
    expect(object()).toMatchObject({ name: 'ben', disabled: true });
    expect((await client.get('/session')).status).toBe(401);
    expect(await signIn('ben', password)).toBe(401);
    await runUsersChange({ ...plain(), name: 'ben', disabled: false });
    expect(printed.splice(0)).toEqual(['ben  viewer']);
    expect(await signIn('ben', password)).toBe(200);

    await runUsersChange({ ...json(), name: 'ben', role: 'admin' });
    expect(object()).toMatchObject({ name: 'ben', role: 'admin' });
    await runUsersResetPassword({ ...json(), name: 'ben' });
    const { password: next } = object() as { password: string };
    expect(await signIn('ben', password)).toBe(401);
    expect(await signIn('ben', next)).toBe(200);
  });

  it.each([
    ['a role that is none', { name: 'cy', role: 'king' }, EXIT.usage, 'role: '],
    ['a name with a line end', { name: 'c\ny', role: 'viewer' }, EXIT.usage, 'name: '],
    ['a name that is taken', { name: 'ada', role: 'viewer' }, EXIT.failed, 'ada'],
  ])('says what is wrong with %s', async (_, given, code, word) => {
    await runUsersAdd({ ...plain(), name: 'ada', role: 'viewer' });
    complained = [];
    expect(await runUsersAdd({ ...plain(), ...given })).toBe(code);
    expect(complained.join('\n')).toContain(word);
  });

  it('says that there is no such account', async () => {
    expect(await runUsersChange({ ...plain(), name: 'nobody', disabled: true })).toBe(
      EXIT.notFound,
    );
    expect(await runUsersResetPassword({ ...plain(), name: 'nobody' })).toBe(EXIT.notFound);
    expect(complained).toHaveLength(2);
  });

  it('gives a link that makes an admin, once', async () => {
    await runUsersSetupLink(json());
    const { link } = object() as { link: string };
    const body = { token: new URL(link).hash.slice(1), user: 'eve', password: PASSWORD };
    expect((await new Client(app).post('/setup', body)).status).toBe(200);
    expect((await new Client(app).post('/setup', { ...body, user: 'mal' })).status).toBe(403);
  });

  it('is in the audit, as done by the command line', async () => {
    await runUsersSetupLink(json());
    const { link } = object() as { link: string };
    const admin = new Client(app);
    const body = { token: new URL(link).hash.slice(1), user: 'flo', password: PASSWORD };
    await admin.post('/setup', body);
    const { entries } = await admin.json('/audit');
    expect(entries).toContainEqual(
      expect.objectContaining({ actor: 'command line', action: 'user-added', subject: 'ada' }),
    );
  });
});

describe('vigil tokens, beside the running node', () => {
  const asProgram = async (secret: string) =>
    (await new Client(app).get('/operations', { authorization: `Bearer ${secret}` })).status;

  it('adds a token that is shown once, works, and is revoked', async () => {
    expect(await runTokensAdd({ ...json(), name: 'dashboard', scope: 'read', days: 7 })).toBe(
      EXIT.done,
    );
    const { id, secret } = object() as { id: number; secret: string };
    expect(await asProgram(secret)).toBe(200);

    await runTokensList(plain());
    expect(printed.join('\n')).toMatch(/dashboard +read +\d{4}-/);
    expect(printed.join('\n')).not.toContain(secret);

    expect(await runTokensRevoke({ ...plain(), id: String(id) })).toBe(EXIT.done);
    expect(await asProgram(secret)).toBe(401);
    expect(await runTokensRevoke({ ...plain(), id: String(id) })).toBe(EXIT.notFound);
  });

  it.each([
    ['scope', { name: 'x', scope: 'everything' }],
    ['days', { name: 'x', scope: 'read', days: Number.NaN }],
  ])('says what is wrong with its %s', async (key, given) => {
    expect(await runTokensAdd({ ...plain(), ...given })).toBe(EXIT.usage);
    expect(complained.join('\n')).toContain(key);
  });
});

it('vigil users list says how the first account is made', async () => {
  await using empty = await temporaryFolder();
  const file = join(empty.path, 'vigil.yaml');
  await writeFile(file, 'storage: { folder: ./data }\nroutes: []\n');
  await runUsersList({ config: file, json: false });
  expect(printed).toEqual(['There is no account: vigil users setup-link']);
});
