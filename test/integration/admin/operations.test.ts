import { createServer } from 'node:net';
import { Validator } from '@seriousme/openapi-schema-validator';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { CheckResult, EchoResult } from '../../../src/admin/api/schemas/destinations.js';
import type { LiveEvent } from '../../../src/admin/api/schemas/events.js';
import type { Operations } from '../../../src/admin/api/schemas/operations.js';
import type { App } from '../../../src/app.js';
import { headPhantomStudy } from '../../../src/simulate/head-phantom.js';
import type { SimulatedPacs } from '../../../src/simulate/pacs.js';
import {
  allTo,
  sendTo,
  settingsIn,
  startNode,
  startPacs,
  temporaryFolder,
  untilReported,
} from '../node/node-rig.js';
import { type Client, everyRole, type Role } from './api-rig.js';

const study = headPhantomStudy({ seed: 11, bleed: { type: 'intraparenchymal', volumeMl: 35 } });
const uid = study.studyInstanceUid;
const PATIENCE = { timeout: 50_000, interval: 25 };

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let pacs: SimulatedPacs;
let app: App;
let clients: Record<Role, Client>;

/** A port that nobody listens on. */
async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Listens as a browser's EventSource does. */
class EventStream {
  readonly heard: { id: number; event: LiveEvent }[] = [];
  readonly #controller = new AbortController();

  static async open(client: Client, lastId?: number): Promise<EventStream> {
    const stream = new EventStream();
    const response = await fetch(`${client.base}/api/v1/events`, {
      signal: stream.#controller.signal,
      headers: {
        cookie: client.cookie ?? '',
        ...(lastId !== undefined && { 'last-event-id': String(lastId) }),
      },
    });
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    void stream.#read(response);
    return stream;
  }

  close(): void {
    this.#controller.abort();
  }

  async #read(response: Response): Promise<void> {
    let text = '';
    try {
      for await (const chunk of response.body ?? []) {
        text += Buffer.from(chunk).toString();
        const parts = text.split('\n\n');
        text = parts.pop() ?? '';
        for (const part of parts) {
          const [, id, data] = /^id: (\d+)\ndata: (.*)$/.exec(part) ?? [];
          if (data !== undefined) this.heard.push({ id: Number(id), event: JSON.parse(data) });
        }
      }
    } catch {
      // The test has closed it.
    }
  }
}

beforeAll(async () => {
  folder = await temporaryFolder();
  pacs = await startPacs(folder.path);
  const gone = `  gone: { aeTitle: GONE, host: 127.0.0.1, port: ${await closedPort()} }`;
  app = await startNode(settingsIn(folder.path, allTo(pacs, gone)));
  clients = await everyRole(app);
});
afterAll(async () => {
  await app.stop();
  await pacs.stop();
  await folder[Symbol.asyncDispose]();
});

describe('events', () => {
  it('tell of a study while it comes, is read and delivered, and again what was missed', async () => {
    const stream = await EventStream.open(clients.viewer);
    await sendTo(
      app,
      study.images.map(({ part10 }) => part10),
    );
    await untilReported(app, uid);
    const kinds = () => new Set(stream.heard.map(({ event }) => event.kind));
    await vi.waitFor(
      () => expect(kinds()).toEqual(new Set(['study', 'delivery', 'operations'])),
      PATIENCE,
    );
    expect(stream.heard).toContainEqual(
      expect.objectContaining({ event: { kind: 'study', studyInstanceUid: uid } }),
    );
    expect(JSON.stringify(stream.heard)).not.toMatch(/patient/i);
    stream.close();

    const again = await EventStream.open(clients.viewer, 0);
    await vi.waitFor(() => {
      const deliveries = again.heard.filter(({ event }) => event.kind === 'delivery');
      expect(deliveries.length).toBeGreaterThan(0);
    }, PATIENCE);
    again.close();
    const stranger = await EventStream.open(clients.viewer, 1_000_000);
    await vi.waitFor(() => expect(stranger.heard[0]?.event).toEqual({ kind: 'reset' }), PATIENCE);
    stranger.close();
  });
});

describe('operations', () => {
  it('say how the node is and what it has done', async () => {
    const seen = (await clients.viewer.json('/operations')) as unknown as Operations;
    expect(seen.health.status).toBe('ok');
    expect(seen.queues['deliveriesDue']).toBe(0);
    expect(seen.throughput).toHaveLength(24);
    const sum = (of: 'images' | 'studies' | 'reports') =>
      seen.throughput.reduce((total, hour) => total + hour[of], 0);
    expect([sum('images'), sum('studies'), sum('reports')]).toEqual([study.images.length, 1, 1]);
    expect(seen.timeToReport.studies).toBe(1);
    expect(seen.timeToReport.p50Ms).toBeGreaterThan(0);
    expect(seen.disk.freeBytes).toBeLessThanOrEqual(seen.disk.totalBytes);
    const { destinations } = seen;
    expect(destinations.find(({ name }) => name === 'pacs')).toMatchObject({
      aeTitle: 'PACS',
      due: 0,
      lastSuccessAt: expect.any(Number),
    });
    expect(destinations.find(({ name }) => name === 'gone')?.lastSuccessAt).toBeNull();
    expect(seen.sources).toMatchObject([
      { images24h: study.images.length, silent: false, abortedAssociations24h: 0 },
    ]);
    expect(seen.results.days).toMatchObject([{ studies: 1, notRead: 0, positiveRate: 1 }]);
    expect(seen.results.kernels).toEqual([{ value: 'SOFT', series: 1 }]);
    expect(seen.model.name).toBe('vigil-ich-small');
  });
});

describe('an operator', () => {
  const asked = async (client: Client, path: string, body?: unknown) =>
    client.ask('POST', path, body);

  it('alone and admins may act', async () => {
    for (const path of [
      `/studies/${uid}/resend`,
      `/studies/${uid}/reanalyse`,
      `/studies/${uid}/settle`,
      '/destinations/pacs/echo',
      '/destinations/pacs/check',
    ]) {
      expect((await asked(clients.viewer, path)).status).toBe(403);
    }
  });

  it('sends a report again', async () => {
    const before = pacs.received.length;
    const response = await asked(clients.operator, `/studies/${uid}/resend`, {
      destinations: ['pacs'],
    });
    expect(response.status).toBe(200);
    const { deliveries } = (await response.json()) as { deliveries: number };
    expect(deliveries).toBeGreaterThan(3);
    await vi.waitFor(() => expect(pacs.received.length).toBe(before + deliveries), PATIENCE);
    const unknown = { destinations: ['nowhere'] };
    expect((await asked(clients.operator, `/studies/${uid}/resend`, unknown)).status).toBe(404);
    expect((await asked(clients.operator, '/studies/1.2.3/resend')).status).toBe(409);
  });

  it('has a study read again', async () => {
    const response = await asked(clients.operator, `/studies/${uid}/reanalyse`);
    expect(response.status).toBe(200);
    await untilReported(app, uid, 2);
    expect((await asked(clients.operator, '/studies/1.2.3/reanalyse')).status).toBe(404);
  });

  it('settles conflicts', async () => {
    const [slice] = study.images;
    const part10 = Buffer.from(slice?.part10 ?? []);
    // Another last pixel under the same UID.
    part10.writeUInt8(part10.readUInt8(part10.length - 2) ^ 0x10, part10.length - 2);
    await sendTo(app, [part10]);
    await vi.waitFor(async () => {
      const { conflicts } = await clients.viewer.json(`/studies/${uid}`);
      expect(conflicts).toBe(1);
    }, PATIENCE);
    const response = await asked(clients.operator, `/studies/${uid}/settle`);
    expect(await response.json()).toEqual({ conflicts: 1 });
    expect((await asked(clients.operator, `/studies/${uid}/settle`)).status).toBe(409);
  });

  it('asks destinations whether they are there and what they take', async () => {
    const { destinations } = await clients.viewer.json('/destinations');
    expect(destinations).toContainEqual(
      expect.objectContaining({ name: 'pacs', aeTitle: 'PACS', tls: false }),
    );
    const answer = async <T>(path: string) =>
      (await (await asked(clients.operator, `/destinations/${path}`)).json()) as T;
    expect(await answer<EchoResult>('pacs/echo')).toMatchObject({ ok: true });
    expect(await answer<EchoResult>('gone/echo')).toMatchObject({
      ok: false,
      code: expect.any(String),
      message: expect.any(String),
    });
    const check = await answer<CheckResult>('pacs/check');
    expect(check).toMatchObject({ answered: true });
    if (check.answered) {
      expect(check.kinds.find(({ kind }) => kind === 'sr')?.routes).toEqual(['everything']);
    }
    expect(await answer<CheckResult>('gone/check')).toMatchObject({ answered: false, ok: false });
    expect((await asked(clients.operator, '/destinations/nowhere/echo')).status).toBe(404);
  });

  it('stands in the audit with all of it', async () => {
    const { entries } = await clients.admin.json('/audit');
    const done = (entries as { actor: string; action: string; subject: string }[])
      .filter(({ actor }) => actor === 'operator')
      .map(({ action, subject }) => `${action} ${subject}`);
    for (const line of [`resend ${uid}`, `reanalyse ${uid}`, `settle ${uid}`, 'echo gone']) {
      expect(done).toContain(line);
    }
  });
});

describe('the OpenAPI document', () => {
  it('is valid to a validator that is not ours', async () => {
    const document = await clients.viewer.json('/openapi.json');
    const verdict = await new Validator().validate(document);
    expect(verdict).toEqual({ valid: true });
  });

  it('is 3.1, describes every answer, and leads nowhere', async () => {
    const document = await clients.viewer.json('/openapi.json');
    expect(document['openapi']).toBe('3.1.0');
    const paths = document['paths'] as Record<
      string,
      Record<string, { summary?: string; responses?: object; parameters?: { name: string }[] }>
    >;
    for (const path of [
      '/api/v1/studies/search',
      '/api/v1/studies/{study}',
      '/api/v1/operations',
      '/api/v1/events',
      '/api/v1/session',
      '/api/v1/users/{name}',
      '/api/v1/audit',
    ]) {
      expect(Object.keys(paths)).toContain(path);
    }
    for (const [path, methods] of Object.entries(paths)) {
      for (const { summary, responses, parameters = [] } of Object.values(methods)) {
        expect(summary).toBeTruthy();
        expect(Object.keys(responses ?? {}).length).toBeGreaterThan(0);
        for (const [, name] of path.matchAll(/\{(\w+)\}/g)) {
          expect(parameters.map((parameter) => parameter.name)).toContain(name);
        }
      }
    }
    for (const [, pointer = ''] of JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      let node: unknown = document;
      for (const key of pointer.split('/')) node = (node as Record<string, unknown>)[key];
      expect([pointer, typeof node]).toEqual([pointer, 'object']);
    }
  });
});
