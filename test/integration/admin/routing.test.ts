import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { App } from '../../../src/app.js';
import { loadSettings } from '../../../src/config/load-settings.js';
import { ConfigWatcher } from '../../../src/config/watch.js';
import { checkText } from '../../../src/config-check.js';
import { ConfigVersions } from '../../../src/config-versions.js';
import { temporaryFolder } from '../node/node-rig.js';
import { type Client, everyRole, type Role } from './api-rig.js';

const base = (routes: string) => `# the night shift's
node: { host: 127.0.0.1, port: 0 }
storage: { folder: ./data, minFreeMb: 1 }
admin: { port: 0 }
destinations: { pacs: { aeTitle: PACS, host: pacs.example, port: 104 } }
routes: [${routes}]
`;
const ALL = base('{ name: all, send: { to: [pacs] } }');
const BLEEDS = base('{ name: all, when: { outcome: positive }, send: { to: [pacs] } }');

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let file: string;
let app: App;
let people: Record<Role, Client>;

beforeAll(async () => {
  folder = await temporaryFolder();
  file = join(folder.path, 'vigil.yaml');
  await writeFile(file, ALL);
  const loaded = await loadSettings(file, {});
  const versions = new ConfigVersions(file, {});
  const watcher = new ConfigWatcher({
    loaded,
    env: {},
    check: checkText,
    onChange: (change) => {
      app.reconfigure(change.loaded.settings, change.restartNeeded);
      versions.noteInForce(change.loaded, 'file');
    },
    onProblem: (error) => app.refuseConfiguration(error),
  });
  const reload = () => watcher.reload();
  app = await App.open(loaded.settings, pino({ level: 'silent' }), { versions, reload });
  await app.start();
  versions.noteInForce(loaded, 'start');
  people = await everyRole(app);
});
afterAll(async () => {
  await app[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

describe('the routing API', () => {
  it('lets everybody read, and admins alone change', async () => {
    const { viewer, operator } = people;
    expect(await viewer.json('/routing')).toMatchObject({ text: ALL, number: 1, inForce: true });
    const { version } = await operator.json('/routing');
    const change = { text: BLEEDS, reason: 'to see' };
    const headers = { 'if-match': `"${version}"` };
    expect((await operator.ask('PUT', '/routing', change, headers)).status).toBe(403);
    expect((await viewer.post('/routing/rollback', { version: 1, reason: 'to see' })).status).toBe(
      403,
    );
    expect((await operator.post('/routing/validate', { text: BLEEDS })).status).toBe(403);
  });

  it('answers a faulty text with every fault and its place', async () => {
    const { admin } = people;
    const text = `${base('{ name: all, whem: {}, send: { to: [pasc] } }')}log: { level: loud }\n`;
    const checked = (await (await admin.post('/routing/validate', { text })).json()) as object;
    const problems = [
      { path: 'routes[0].whem', line: 6 },
      { path: 'routes[0].send.to[0]', line: 6 },
      { path: 'log.level', line: 7 },
    ];
    expect(checked).toMatchObject({ problems, warnings: [] });
    const { version } = await admin.json('/routing');
    const headers = { 'if-match': `"${version}"` };
    const refused = await admin.ask('PUT', '/routing', { text, reason: 'to see' }, headers);
    expect(refused.status).toBe(422);
    expect(refused.headers.get('content-type')).toContain('application/problem+json');
    expect(await refused.json()).toMatchObject({ status: 422, problems });
    expect((await admin.post('/routing/diff', { text })).status).toBe(422);
  });

  it('applies a change in the name of the account, and tells the second one who was first', async () => {
    const { admin } = people;
    const read = await admin.get('/routing');
    const headers = { 'if-match': read.headers.get('etag') ?? '' };
    const change = { text: BLEEDS, reason: 'only bleeds' };
    expect(await (await admin.post('/routing/diff', { text: BLEEDS })).json()).toEqual({
      changes: [{ route: 'all', change: 'changed', parts: ['when'] }],
    });
    expect(await (await admin.post('/routing/replay', { text: BLEEDS, days: 1 })).json()).toEqual({
      studies: 0,
      rerouted: [],
    });
    const applied = await admin.ask('PUT', '/routing', change, headers);
    expect(await applied.json()).toMatchObject({ number: 2, changed: true, inForce: true });
    expect(await readFile(file, 'utf8')).toBe(BLEEDS);

    const late = await admin.ask('PUT', '/routing', { text: ALL, reason: 'all' }, headers);
    expect(late.status).toBe(412);
    expect(((await late.json()) as { detail: string }).detail).toMatch(
      /version 2 by root at .*: only bleeds/,
    );
    expect((await admin.ask('PUT', '/routing', change)).status).toBe(400);
  });

  it('rolls back, and keeps all of it in history and audit', async () => {
    const { admin } = people;
    const rollback = { version: 1, reason: 'too few' };
    const answer = await (await admin.post('/routing/rollback', rollback)).json();
    expect(answer).toMatchObject({ number: 3, inForce: true });
    expect(await readFile(file, 'utf8')).toBe(ALL);
    expect(await admin.json('/routing/history')).toMatchObject({
      versions: [
        { number: 3, who: 'root', how: 'api', reason: 'too few', rollbackTo: 1 },
        { number: 2, who: 'root', how: 'api', reason: 'only bleeds', rollbackTo: null },
        { number: 1, who: 'file', how: 'start' },
      ],
      next: null,
    });
    expect(await admin.json('/routing/history/2')).toMatchObject({ number: 2, text: BLEEDS });
    expect((await admin.get('/routing/history/9')).status).toBe(404);
    const { entries } = (await admin.json('/audit')) as { entries: { action: string }[] };
    expect(entries.slice(0, 2)).toMatchObject([
      { actor: 'root', action: 'config-rolled-back', subject: 'version 3' },
      { actor: 'root', action: 'config-applied', subject: 'version 2' },
    ]);
  });
});
