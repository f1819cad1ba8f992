import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type EmailChannel, email } from '../../../src/notify/email.js';
import { TestAuthority } from '../../fixtures/certificates.js';
import { temporaryFolder } from '../node/node-rig.js';
import { BLEED, NAMING } from './notifications.js';
import { SmtpServer } from './smtp-server.js';

const at = (port: number, more: Partial<EmailChannel> = {}): EmailChannel => ({
  type: 'email',
  host: '127.0.0.1',
  port,
  security: 'none',
  from: 'vigil@hospital.test',
  to: ['on-call@hospital.test', 'second@hospital.test'],
  timeoutMs: 20_000,
  patientData: false,
  consoleUrl: 'https://vigil.test',
  ...more,
});
const tell = (channel: EmailChannel) => email(channel)(BLEED, AbortSignal.timeout(30_000));
/** Without the line ends of quoted-printable (RFC 2045 6.7). */
const unfolded = (text: string | undefined) => text?.replaceAll('=\n', '') ?? '';

describe('an e-mail', () => {
  it('says what was found, without the patient, and leads to the study', async () => {
    await using server = await SmtpServer.start();
    expect(await tell(at(server.port))).toEqual({ type: 'stored', comment: '250 queued' });
    const [mail] = server.mails;
    expect(mail).toMatchObject({
      from: 'vigil@hospital.test',
      to: ['on-call@hospital.test', 'second@hospital.test'],
    });
    const text = unfolded(mail?.text);
    expect(text).toMatch(/^Subject: Suspected intracranial hemorrhage$/m);
    expect(text).toMatch(/^Message-ID: <2\.25\.1234567890@vigil>$/m);
    expect(text).toMatch(/^Auto-Submitted: auto-generated$/im);
    expect(text).toContain('subdural 94 %');
    expect(text).toContain('https://vigil.test/#/studies/1.2.3.4');
    expect(text).not.toMatch(NAMING);
  });

  it('names the patient where the channel is to have it, in any script', async () => {
    await using server = await SmtpServer.start();
    await tell(at(server.port, { patientData: true }));
    const text = unfolded(server.mails[0]?.text);
    expect(text).toContain('PID-4711');
    expect(text).toMatch(/M=C3=BCller/);
  });

  it('goes over TLS to a server whose certificate is good, with a sign-in', async () => {
    await using authority = await TestAuthority.create();
    const { certificate, key } = await authority.issue({ name: 'mail.test' });
    await using folder = await temporaryFolder();
    const passwordFile = join(folder.path, 'password');
    await writeFile(passwordFile, 'secret\n');
    const said: string[] = [];
    const tls = { cert: await readFile(certificate), key: await readFile(key) };
    await using server = await SmtpServer.start({
      tls,
      answers: (verb, line) => {
        if (verb === 'AUTH') said.push(Buffer.from(line.split(' ')[2] ?? '', 'base64').toString());
        if (verb === 'EHLO') return '250-mail.test\r\n250 AUTH PLAIN';
        return verb === 'AUTH' ? '235 welcome' : undefined;
      },
    });
    const channel = at(server.port, {
      security: 'tls',
      authorities: authority.certificate,
      user: 'vigil',
      passwordFile,
    });
    expect(await tell(channel)).toMatchObject({ type: 'stored' });
    expect(said).toEqual(['\0vigil\0secret']);
    await using other = await TestAuthority.create('Another CA');
    expect(await tell({ ...channel, authorities: other.certificate })).toMatchObject({
      failureClass: 'transient',
    });
    expect(server.mails).toHaveLength(1);
  });

  it('does not go in clear to a server that offers no TLS', async () => {
    await using server = await SmtpServer.start();
    expect(await tell(at(server.port, { security: 'starttls' }))).toMatchObject({
      type: 'failed',
      failureClass: 'transient',
    });
    expect(server.mails).toEqual([]);
  });

  it.each([
    ['MAIL', '451 later', 'transient', 'smtp-451'],
    ['.', '452 no room', 'transient', 'smtp-452'],
    ['.', '554 no spam', 'permanent', 'smtp-554'],
    ['RCPT', '550 nobody', 'permanent', 'smtp-550'],
  ])(
    'that is answered to %s with "%s" has failed, %s',
    async (verb, answer, failureClass, code) => {
      await using server = await SmtpServer.start({
        answers: (said) => (said === verb ? answer : undefined),
      });
      expect(await tell(at(server.port))).toMatchObject({ type: 'failed', failureClass, code });
    },
  );

  it('that one of two recipients does not get is a failure for a person to see', async () => {
    await using server = await SmtpServer.start({
      answers: (verb, line) => (verb === 'RCPT' && line.includes('second') ? '550 no' : undefined),
    });
    expect(await tell(at(server.port))).toMatchObject({
      failureClass: 'permanent',
      code: 'recipients-refused',
    });
  });

  it('to a server that is away is tried again', async () => {
    expect(await tell(at(1))).toMatchObject({
      failureClass: 'transient',
      code: 'connection-refused',
    });
  });
});
