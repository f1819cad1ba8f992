import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HealthReport } from '../../../src/admin/health.js';
import { Metrics } from '../../../src/admin/metrics.js';
import { AdminServer } from '../../../src/admin/server.js';
import { ALL_IS_WELL } from '../../fixtures/all-is-well.js';

const log = pino({ level: 'silent' });
const metrics = new Metrics(() => ({
  queues: { analyses: 3 },
  destinations: [],
  diskFreeBytes: 1,
}));
let report: HealthReport;
let server: AdminServer;

const build = (port = 0) =>
  new AdminServer({ host: '127.0.0.1', port, health: async () => report, metrics, log });
const get = (path: string, init?: RequestInit) =>
  fetch(`http://127.0.0.1:${server.address?.port}${path}`, init);

beforeEach(async () => {
  report = ALL_IS_WELL;
  server = build();
  await server.start();
});
afterEach(() => server.stop());

describe('GET /healthz', () => {
  it('is 200 with every check when all is well', async () => {
    const response = await get('/healthz');
    expect(response.status).toBe(200);
    expect(response.headers.get('cache-control')).toBe('no-store');
    expect(await response.json()).toEqual({ status: 'ok', checks: report });
  });

  it('is 503 with the reason when a part fails', async () => {
    report = { ...report, inference: { ok: false, reason: 'the process is starting again' } };
    const response = await get('/healthz');
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ status: 'failing', checks: report });
  });
});

describe('GET /metrics', () => {
  it("is in Prometheus' text format", async () => {
    const response = await get('/metrics');
    expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(await response.text()).toContain('vigil_queue_depth{queue="analyses"} 3');
  });
});

describe('anything else', () => {
  it('is 404', async () => {
    expect((await get('/')).status).toBe(404);
    expect((await get('/healthz', { method: 'POST' })).status).toBe(404);
  });

  it('is refused without a word of what was sent', async () => {
    const init = { method: 'POST', body: '{"x', headers: { 'content-type': 'application/json' } };
    const response = await get('/', init);
    expect(response.status).toBe(400);
    expect(await response.text()).not.toContain('{"x');
  });
});

describe('start and stop', () => {
  it('tolerate repetition, and each other in the middle', async () => {
    await server.start();
    const other = build();
    const starting = other.start();
    await other.stop();
    await starting;
    await other.stop();
    expect(other.address).toBeUndefined();
  });

  it('can start again', async () => {
    await server.stop();
    expect(server.address).toBeUndefined();
    await server.start();
    expect((await get('/healthz')).status).toBe(200);
  });

  it('is not held up by a connection that is idle', async () => {
    const socket = connect(server.address?.port ?? 0, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    const closed = once(socket, 'close');
    await server.stop();
    await closed;
  });

  it('says why it cannot listen, and can be started when it can', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as { port: number };
    await using other = build(port);
    await expect(other.start()).rejects.toMatchObject({ code: 'EADDRINUSE' });
    taken.close();
    await once(taken, 'close');
    await other.start();
    expect(other.address?.port).toBe(port);
  });
});
