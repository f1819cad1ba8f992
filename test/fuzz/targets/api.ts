import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { App } from '../../../src/app.js';
import { loadSettings } from '../../../src/config/load-settings.js';
import { ConfigVersions } from '../../../src/config-versions.js';
import { readSourceDataset } from '../../../src/dicom/source-dataset.js';
import { headPhantomStudy } from '../../../src/simulate/head-phantom.js';
import { scan } from '../../../src/simulate/scanner.js';
import { everyRole, PASSWORD } from '../../integration/admin/api-rig.js';
import { Random } from '../mutate.js';
import type { Target } from '../target.js';
import { type Caller, type OpenApi, RequestGrammar, readRequest } from './api-requests.js';

const ROLES = ['viewer', 'operator', 'admin'] as const;
/** A token with the scope `read` may do what viewers may. */
const RANKS = { none: 0, token: 1, viewer: 1, operator: 2, admin: 3 } as const;
const ACCOUNTS = { viewer: 'viewer', operator: 'operator', admin: 'root' } as const;

const folder = await mkdtemp(join(tmpdir(), 'vigil-fuzz-api-'));
const config = join(folder, 'vigil.yaml');
await writeFile(
  config,
  `node: { host: 127.0.0.1, port: 0 }
storage: { folder: ./data, minFreeMb: 1 }
admin: { port: 0 }
completeness: { likelySeconds: 0, unknownSeconds: 1 }
routes: []
`,
);
const versions = new ConfigVersions(config);
const loaded = await loadSettings(config);
const logged: string[] = [];
const log = pino({ level: 'info' }, { write: (line) => logged.push(line) });
const app = await App.open(loaded.settings, log, { versions, reload: async () => undefined });
await app.start();
versions.noteInForce(loaded, 'start');

const head = headPhantomStudy({ seed: 5, bleed: { type: 'intraparenchymal', volumeMl: 40 } });
const patient = readSourceDataset(head.images[0]?.part10 ?? new Uint8Array()).text('PatientName');
if (patient === '') throw new Error('The phantom has no name to look for');
await scan(
  { host: '127.0.0.1', port: app.ports.dicom, calledAeTitle: 'VIGIL' },
  head.images.map(({ part10 }) => part10),
);
while (app.status.study(head.studyInstanceUid)?.analyses[0]?.state !== 'reported') await delay(50);

const clients = await everyRole(app);
const made = await clients.admin.post('/tokens', { name: 'fuzz', scope: 'read' });
const { secret } = (await made.json()) as { secret?: string };
if (secret === undefined) throw new Error(`No token was made: ${made.status}`);
await clients.admin.post('/users', { name: 'guest', role: 'viewer', password: PASSWORD });

const study = app.status.study(head.studyInstanceUid);
const grammar = new RequestGrammar(
  (await (await clients.viewer.get('/openapi.json')).json()) as OpenApi,
  [
    head.studyInstanceUid,
    study?.series[0]?.seriesInstanceUid ?? '',
    head.images[0]?.sopInstanceUid ?? '',
    ...(study?.objects ?? []).map(({ sopInstanceUid }) => sopInstanceUid),
    'guest',
    '1',
    '2',
  ],
);

/** Requests of every operation by every role to the API of a real node, which holds one study. */
export const target: Target = {
  seeds: () =>
    grammar.operations.flatMap((operation, i) =>
      [0, 1, 2].map((k) => grammar.generate(new Random(7, 3 * i + k), operation)),
    ),
  dictionary: [
    ...grammar.operations.flatMap(({ method, path }) => [`${method} ${path}`, path]),
    'Content-Type: application/json',
    'Content-Type: text/plain',
    'Origin: http://elsewhere',
    'Sec-Fetch-Site: cross-site',
    'Cookie: vigil-session=x',
    'Authorization: Bearer x',
    'X-Forwarded-For: 10.0.0.1',
    'X-HTTP-Method-Override: DELETE',
    'Last-Event-ID: 1',
    'If-None-Match: *',
    'Range: bytes=0-',
    '{"',
    '":',
    '[]',
    '\\u0000',
    '%2e%2e%2f',
  ].map((word) => Buffer.from(word)),
  generate: (random) => grammar.generate(random),
  unwatched: true,
  longest: 64 * 1024,
  memoryLimitMb: 1024,
  run: async (input) => {
    const request = readRequest(input);
    if (request === undefined) return;
    const { caller, line, headers, body } = request;
    const answer = await ask(line, [...headers, ...identity(caller)], body);
    const [method = '', path = ''] = line.split(' ');
    const what = `${caller} ${method} ${path.slice(0, 80)}`;
    if (answer === undefined) return;
    const { status } = answer;
    if (status >= 500 && status !== 503) throw new Error(`${what}: ${status} ${answer.body}`);
    if (answer.head.includes(patient)) throw new Error(`${what}: a header names the patient`);
    if (status >= 400 && answer.body.includes(patient)) {
      throw new Error(`${what}: a problem names the patient`);
    }
    if (status < 400 && caller !== 'admin') refuseUnearned(caller, method, path, what);
    for (const entry of logged.splice(0)) {
      if (entry.includes(patient)) throw new Error(`${what}: a log line names the patient`);
      if (entry.includes('"level":50')) throw new Error(`${what}: ${entry}`);
    }
    if (status === 401 && caller !== 'none') await signInAgain();
    if (status < 400 && method === 'DELETE') await signInAgain();
  },
  close: async () => {
    await app.stop();
    await rm(folder, { recursive: true });
  },
};

/** @throws Error where the operation is not the caller's */
function refuseUnearned(caller: Caller, method: string, target: string, what: string): void {
  const path = decodeURI(target.split('?')[0] ?? '');
  const operation = grammar.operations.find(
    (one) =>
      one.method === (method === 'HEAD' ? 'GET' : method) &&
      new RegExp(`^${one.path.replaceAll(/\{[^}]*\}/g, '[^/]*')}$`).test(path),
  );
  if (operation === undefined || operation.leastRole === 'public') return;
  if (RANKS[caller] < RANKS[operation.leastRole]) throw new Error(`${what}: is not the caller's`);
}

function identity(caller: Caller): string[] {
  if (caller === 'none') return [];
  if (caller === 'token') return [`Authorization: Bearer ${secret}`];
  const { cookie = '', csrfToken = '' } = clients[caller];
  return [`Cookie: ${cookie}`, `X-CSRF-Token: ${csrfToken}`];
}

/** Signing out, and guessing at sessions, is among what is tried. */
async function signInAgain(): Promise<void> {
  for (const role of ROLES) {
    if ((await ask('GET /api/v1/session', identity(role), ''))?.status === 200) continue;
    const login = JSON.stringify({ user: ACCOUNTS[role], password: PASSWORD });
    const answer = await ask('POST /api/v1/session', ['Content-Type: application/json'], login);
    if (answer?.status !== 200 && answer?.status !== 201) {
      throw new Error(`The ${role} can no longer sign in: ${answer?.status} ${answer?.body}`);
    }
    clients[role].cookie = /set-cookie: ([^;\r]*)/i.exec(answer.head)?.[1];
    clients[role].csrfToken = (JSON.parse(answer.body) as { csrfToken: string }).csrfToken;
  }
}

let asked = 0;

/** From an address of its own, which no limit on requests has met; undefined where no HTTP answer came. */
async function ask(
  line: string,
  headers: readonly string[],
  body: string,
): Promise<{ status: number; head: string; body: string } | undefined> {
  asked += 1;
  const [method = '', path = '/'] = line.split(' ');
  const bytes = Buffer.from(body, 'latin1');
  const text = [
    `${method} ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${app.ports.admin}`,
    ...headers,
    `Content-Length: ${bytes.length}`,
    'Connection: close',
  ].join('\r\n');
  const localAddress = `127.${1 + (asked % 200)}.${Math.floor(asked / 200) % 250}.9`;
  const socket = connect({ port: app.ports.admin, host: '127.0.0.1', localAddress });
  const pieces: Buffer[] = [];
  socket.on('data', (data) => {
    pieces.push(data);
    // A stream of events has no end of its own.
    if (data.includes('text/event-stream')) socket.destroy();
  });
  socket.on('error', () => undefined);
  socket.write(Buffer.concat([Buffer.from(`${text}\r\n\r\n`, 'latin1'), bytes]));
  await once(socket, 'close');
  const answer = Buffer.concat(pieces).toString('latin1');
  const [, status] = /^HTTP\/1\.1 (\d{3})/.exec(answer) ?? [];
  if (status === undefined) return undefined;
  const end = answer.indexOf('\r\n\r\n');
  return { status: Number(status), head: answer.slice(0, end), body: answer.slice(end + 4) };
}
