import { createHmac } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type WebhookChannel, webhook } from '../../../src/notify/webhook.js';
import { temporaryFolder } from '../node/node-rig.js';
import { type HookOptions, HookServer } from './hook-server.js';
import { BLEED, NAMING } from './notifications.js';

async function rig(options: HookOptions = {}, more: Partial<WebhookChannel> = {}) {
  const folder = await temporaryFolder();
  const secretFile = join(folder.path, 'hook.key');
  await writeFile(secretFile, 'a long secret\n');
  const server = await HookServer.start(options);
  const channel: WebhookChannel = {
    type: 'webhook',
    url: server.url,
    secretFile,
    timeoutMs: 20_000,
    patientData: false,
    ...more,
  };
  const tell = () => webhook(channel)(BLEED, AbortSignal.timeout(30_000));
  return {
    server,
    tell,
    async [Symbol.asyncDispose]() {
      for (const part of [server, folder]) await part[Symbol.asyncDispose]();
    },
  };
}

describe('a webhook', () => {
  it('gets the finding as JSON with a signature over time and body, and nothing of the patient', async () => {
    await using hook = await rig();
    const before = Math.floor(Date.now() / 1000);
    expect(await hook.tell()).toEqual({ type: 'stored', comment: 'HTTP 204' });
    const [request] = hook.server.requests;
    const { body = '', headers = {} } = request ?? {};
    expect(JSON.parse(body)).toMatchObject({
      event: 'study-reported',
      uid: BLEED.uid,
      studyInstanceUid: '1.2.3.4',
      outcome: 'positive',
      urgency: 'immediate',
      analysedAt: '2026-03-02T01:14:07.000Z',
      classes: BLEED.classes,
    });
    expect(body).not.toMatch(NAMING);
    expect(headers['idempotency-key']).toBe(BLEED.uid);
    const [, seconds = '', mac] =
      /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['vigil-signature'])) ?? [];
    expect(Number(seconds)).toBeGreaterThanOrEqual(before);
    expect(mac).toBe(
      createHmac('sha256', 'a long secret').update(`${seconds}.${body}`).digest('hex'),
    );
  });

  it('gets the patient where the channel is to have it', async () => {
    await using hook = await rig({}, { patientData: true });
    await hook.tell();
    const { patient } = JSON.parse(hook.server.requests[0]?.body ?? '') as { patient: object };
    expect(patient).toEqual(BLEED.patient);
  });

  it.each([
    [500, 'transient'],
    [503, 'transient'],
    [429, 'transient'],
    [404, 'permanent'],
    [401, 'permanent'],
    [302, 'permanent'],
  ])('that answers %i has failed, %s', async (status, failureClass) => {
    const headers = { location: 'http://127.0.0.1:1/elsewhere' };
    await using hook = await rig({
      answer: (_, response) => response.writeHead(status, headers).end(),
    });
    expect(await hook.tell()).toMatchObject({
      type: 'failed',
      failureClass,
      code: `http-${status}`,
    });
    expect(hook.server.requests).toHaveLength(1);
  });

  it('that breaks off, or says nothing, may have taken it', async () => {
    await using broken = await rig({ answer: (_, response) => response.destroy() });
    expect(await broken.tell()).toMatchObject({ failureClass: 'ambiguous', code: 'answer-lost' });
    await using silent = await rig({ answer: () => {} }, { timeoutMs: 300 });
    expect(await silent.tell()).toMatchObject({ failureClass: 'ambiguous', code: 'answer-lost' });
  });

  it('that is away, and a key that is missing, are tried again', async () => {
    await using away = await rig({}, { url: 'http://127.0.0.1:1/ich' });
    expect(await away.tell()).toMatchObject({
      failureClass: 'transient',
      code: 'connection-refused',
    });
    await using keyless = await rig({}, { secretFile: '/nowhere/hook.key' });
    expect(await keyless.tell()).toMatchObject({
      failureClass: 'transient',
      code: 'secret-unreadable',
    });
    expect(keyless.server.requests).toEqual([]);
  });
});
