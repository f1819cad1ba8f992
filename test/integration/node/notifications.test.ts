import { EventEmitter, once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { headPhantomStudy } from '../../../src/simulate/head-phantom.js';
import { CATALOG_FILE, openCatalog } from '../../../src/store/database.js';
import { DeliveryStore } from '../../../src/store/delivery-store.js';
import { HookServer } from '../notify/hook-server.js';
import { acknowledgment, framed, MllpServer } from '../notify/mllp-server.js';
import { SmtpServer } from '../notify/smtp-server.js';
import { sendTo, settingsIn, startNode, temporaryFolder, untilReported } from './node-rig.js';

const retries = 'retryFirstSeconds: 0.1, retryLongestSeconds: 0.5, timeoutSeconds: 2';
const configuration = (hook: number, mail: number) => `
completeness: { likelySeconds: 0.1, unknownSeconds: 1, studyQuietSeconds: 1 }
channels:
  program: { webhook: { url: "http://127.0.0.1:${hook}/ich", secretFile: ./hook.key, patientData: true }, ${retries} }
  on-call: { email: { host: 127.0.0.1, port: ${mail}, security: none, from: a@b.test, to: [c@d.test] }, ${retries} }
routes:
  - { name: tell, notify: [{ to: [program], priority: high }, { to: [on-call] }] }
  - { name: trial, drop: no object is wanted }
`;
const study = headPhantomStudy({ seed: 3 });

describe('notifications', () => {
  it('wait for who is away, over a restart of the node, and are told once; a resend tells the same again', async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, 'hook.key'), 'secret');
    // Ports that nothing listens at until the servers come back.
    const ports = { hook: 0, mail: 0 };
    {
      await using hook = await HookServer.start();
      await using mail = await SmtpServer.start();
      Object.assign(ports, { hook: hook.port, mail: mail.port });
    }
    const settings = settingsIn(folder.path, configuration(ports.hook, ports.mail));
    {
      await using node = await startNode(settings);
      await sendTo(node, [study.localizer.part10]);
      await vi.waitFor(
        () => {
          const { deliveries = [] } = node.status.study(study.studyInstanceUid) ?? {};
          expect(deliveries).toHaveLength(2);
          for (const one of deliveries) {
            expect(one).toMatchObject({ state: 'due', failureCode: 'connection-refused' });
          }
        },
        { timeout: 50_000, interval: 50 },
      );
    }
    await using hook = await HookServer.start({ port: ports.hook });
    await using mail = await SmtpServer.start({ port: ports.mail });
    await using node = await startNode(settings);
    const { deliveries, objects } = await untilReported(node, study.studyInstanceUid);
    expect(objects).toEqual([]);
    expect(deliveries.map(({ state, kind, destination }) => [state, kind, destination])).toEqual([
      ['delivered', 'notification', 'program'],
      ['delivered', 'notification', 'on-call'],
    ]);
    expect([hook.requests.length, mail.mails.length]).toEqual([1, 1]);
    const told = JSON.parse(hook.requests[0]?.body ?? '') as { uid: string };
    expect(told).toMatchObject({
      studyInstanceUid: study.studyInstanceUid,
      outcome: 'not-eligible',
      urgency: 'prompt',
      revision: 1,
      patient: { patientId: expect.any(String), patientName: expect.any(String) },
    });
    expect(mail.mails[0]?.text).toContain('NOT ANALYSED');

    const catalog = openCatalog(join(settings.storage.folder, CATALOG_FILE));
    new DeliveryStore(catalog, settings.storage.folder).resend(study.studyInstanceUid, ['program']);
    catalog.close();
    await vi.waitFor(() => expect(hook.requests).toHaveLength(2), { timeout: 50_000 });
    expect(JSON.parse(hook.requests[1]?.body ?? '')).toEqual(told);
  });

  it('to an RIS that gave no answer before the node stopped is sent again, the same message, until it is taken', async () => {
    await using folder = await temporaryFolder();
    const settings = (port: number) =>
      settingsIn(
        folder.path,
        `
completeness: { likelySeconds: 0.1, unknownSeconds: 1, studyQuietSeconds: 1 }
channels:
  ris: { hl7: { host: 127.0.0.1, port: ${port}, patientData: true }, retryFirstSeconds: 0.1, timeoutSeconds: 500 }
routes: [{ name: tell, notify: { to: [ris] } }]
`,
      );
    const heard = new EventEmitter();
    let first: string | undefined;
    let port: number;
    {
      await using mute = await MllpServer.start({ answer: () => heard.emit('message') });
      const message = once(heard, 'message');
      await using node = await startNode(settings(mute.port));
      await sendTo(node, [study.localizer.part10]);
      await message;
      await node.stop();
      first = mute.messages[0]?.text;
      port = mute.port;
    }
    const answers = ['AE', 'AA'];
    await using ris = await MllpServer.start({
      port,
      answer: (id, socket) => socket.write(framed(acknowledgment(answers.shift() ?? 'AR', id))),
    });
    await using node = await startNode(settings(port));
    const { deliveries } = await untilReported(node, study.studyInstanceUid);
    expect(deliveries.map(({ state, destination }) => [state, destination])).toEqual([
      ['delivered', 'ris'],
    ]);
    expect(ris.messages.map(({ text }) => text)).toEqual([first, first]);
    const [message] = ris.messages;
    expect(message?.of('PID')[3]).toMatch(/./);
    expect(message?.observations['OUTCOME']).toMatchObject({ status: 'X', flag: '' });
    expect(message?.observations['REPORT-UID']?.value).toMatch(/^\^[\d.]+\^ISO$/);
  });
});
