import { readFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { Notification } from '../../../src/domain/notification.js';
import { type Hl7Channel, hl7 } from '../../../src/notify/hl7.js';
import { TestAuthority } from '../../fixtures/certificates.js';
import { acknowledgment, framed, type Hl7Message, MllpServer } from './mllp-server.js';
import { BLEED, NOT_READ } from './notifications.js';

const at = (port: number, more: Partial<Hl7Channel> = {}): Hl7Channel => ({
  type: 'hl7',
  host: '127.0.0.1',
  port,
  timeoutMs: 20_000,
  sendingApplication: 'VIGIL',
  receivingApplication: 'RIS',
  processingId: 'production',
  patientData: false,
  ...more,
});
const tell = (channel: Hl7Channel, notification: Notification = BLEED) =>
  hl7(channel)(notification, AbortSignal.timeout(30_000));

async function received(
  notification: Notification,
  more: Partial<Hl7Channel> = {},
): Promise<Hl7Message> {
  await using server = await MllpServer.start();
  expect(await tell(at(server.port, more), notification)).toMatchObject({ type: 'stored' });
  const [message] = server.messages;
  if (message === undefined) throw new Error('Nothing came');
  return message;
}

describe('an ORU by MLLP', () => {
  it('has header, patient, order and one observation a segment', async () => {
    const message = await received(BLEED, { patientData: true });
    expect(message.of('MSH').slice(1, 14)).toEqual([
      ...['|', '^~\\&', 'VIGIL', '', 'RIS', '', '20260302011407+0000', ''],
      ...['ORU^R01^ORU_R01', expect.stringMatching(/^[0-9A-F]{20}$/), 'P', '2.5.1', ''],
    ]);
    expect(message.of('MSH')[18]).toBe('UNICODE UTF-8');
    const pid = message.of('PID');
    expect(pid[3]).toBe('PID-4711^^^^PI');
    expect(pid[5]).toBe('Müller^Jürgen^^^^^L^A');
    expect([pid[7], pid[8]]).toEqual(['19490307', 'M']);
    expect(message.of('ORC').slice(0, 4)).toEqual(['ORC', 'RE', 'ACC-99', 'ACC-99']);
    const obr = message.of('OBR');
    expect(obr.slice(2, 5)).toEqual([
      'ACC-99',
      'ACC-99',
      'ICH-TRIAGE^Triage of head CT for intracranial hemorrhage^99VIGIL',
    ]);
    expect([obr[7], obr[18], obr[25]]).toEqual(['20260302011200', 'ACC-99', 'F']);
    expect(message.observations).toMatchObject({
      OUTCOME: {
        value: 'POSITIVE^Suspected intracranial hemorrhage^99VIGIL',
        flag: 'AA',
        status: 'F',
      },
      SDH: { value: '52101004^Present^SCT', flag: 'A' },
      'PROBABILITY-SDH': { value: '94.0' },
      'PROBABILITY-ANY': { value: '97.0' },
      '121073': { value: BLEED.impression },
      '111001': { value: 'vigil-ich-small' },
      '111003': { value: '1.0.0' },
      '113014': { value: '^1.2.3.4^ISO' },
      'REPORT-UID': { value: '^2.25.99^ISO' },
    });
    const numbers = message.segments.filter(([name]) => name === 'OBX').map((obx) => obx[1]);
    expect(numbers).toEqual(numbers.map((_, index) => String(index + 1)));
  });

  it('names no patient unless it is to, but the order', async () => {
    const message = await received(BLEED);
    expect(message.of('PID')).toEqual([]);
    expect(message.text).not.toMatch(/Müller|4711|1949|Sch/);
    expect(message.of('OBR')[18]).toBe('ACC-99');
  });

  it('belongs to its study where the images name no order', async () => {
    const message = await received({ ...BLEED, patient: {} }, { patientData: true });
    expect(message.of('OBR').slice(2, 4)).toEqual(['', '1.2.3.4']);
  });

  it('has no patient where the images have no Patient ID, and a name that is unknown where they have none', async () => {
    const { patientId: _, ...named } = BLEED.patient;
    expect((await received({ ...BLEED, patient: named }, { patientData: true })).of('PID')).toEqual(
      [],
    );
    const nameless = { ...BLEED, patient: { patientId: '4711' } };
    const message = await received(nameless, { patientData: true });
    expect([message.of('PID')[5], message.of('PID')[8]]).toEqual(['~^^^^^^U', 'U']);
  });

  it.each([
    ['failed', 'FAILED^NOT ANALYSED'],
    ['not-eligible', 'NOT-ELIGIBLE^NOT ANALYSED'],
  ] as const)(
    'of a %s study has no result and no flag, never that of a negative one',
    async (outcome, value) => {
      const message = await received({ ...NOT_READ, outcome });
      const { OUTCOME, ...others } = message.observations;
      expect(OUTCOME).toMatchObject({ flag: '', status: 'X' });
      expect(OUTCOME?.value).toContain(value);
      expect(message.text).not.toContain('Absent');
      expect(Object.keys(others).some((code) => code.startsWith('PROBABILITY'))).toBe(false);
      expect(message.observations['REASON']?.value).toBe('no-axial^No axial series^99VIGIL');
    },
  );

  it('of a later revision corrects the one before', async () => {
    const message = await received({ ...BLEED, outcome: 'negative', revision: 2 });
    expect(message.of('OBR')[25]).toBe('C');
    expect(message.observations['OUTCOME']).toMatchObject({ flag: 'N', status: 'C' });
  });

  it('keeps delimiters, line ends and any script whole', async () => {
    const patient = {
      patientId: 'A|B^C~D\\E&F',
      patientName: 'Yamada^Tarou^^Dr^Jr=山田^太郎',
      issuerOfPatientId: 'H&H',
    };
    const message = await received(
      { ...BLEED, impression: 'one\r\ntwo\x1c', patient },
      { patientData: true },
    );
    expect(message.of('PID')[3]).toBe('A\\F\\B\\S\\C\\R\\D\\E\\E\\T\\F^^^H\\T\\H^PI');
    expect(message.of('PID')[5]).toBe('Yamada^Tarou^^Jr^Dr^^L^A~山田^太郎^^^^^L^I');
    expect(message.observations['121073']?.value).toBe('one\\X0D\\\\X0A\\two\\X1C\\');
  });

  it('is the same message in every attempt', async () => {
    await using server = await MllpServer.start({ answer: (_, socket) => socket.destroy() });
    const channel = at(server.port);
    await tell(channel);
    await tell(channel);
    expect(server.messages).toHaveLength(2);
    expect(server.messages[0]?.text).toBe(server.messages[1]?.text);
    const other = await received({ ...BLEED, uid: '2.25.5' });
    expect(other.of('MSH')[10]).not.toBe(server.messages[0]?.of('MSH')[10]);
  });
});

const answering = (answer: (id: string, socket: Socket) => void) => MllpServer.start({ answer });

describe('what a receiver answers to an ORU', () => {
  it.each([
    ['AA', { type: 'stored' }],
    ['CA', { type: 'stored' }],
    ['AE', { failureClass: 'transient', code: 'hl7-ae', comment: 'why' }],
    ['CE', { failureClass: 'transient', code: 'hl7-ce' }],
    ['AR', { failureClass: 'permanent', code: 'hl7-ar' }],
    ['CR', { failureClass: 'permanent', code: 'hl7-cr' }],
    ['ZZ', { failureClass: 'ambiguous', code: 'answer-no-ack' }],
  ])('%s counts', async (code, expected) => {
    await using server = await answering((id, socket) => {
      socket.write(framed(acknowledgment(code, id, 'why')));
    });
    expect(await tell(at(server.port))).toMatchObject(expected);
  });

  it('counts in pieces, and behind an answer to another message', async () => {
    await using server = await answering((id, socket) => {
      socket.setNoDelay(true);
      const bytes = Buffer.concat([
        framed(acknowledgment('AR', 'ANOTHER')),
        framed(acknowledgment('AA', id)),
      ]);
      const next = (from: number): void => {
        if (from >= bytes.length || socket.destroyed) return;
        socket.write(bytes.subarray(from, from + 7), () => setImmediate(() => next(from + 7)));
      };
      next(0);
    });
    expect(await tell(at(server.port))).toMatchObject({ type: 'stored' });
    await using joined = await answering((id, socket) => {
      const one = framed(acknowledgment('AR', 'ANOTHER'));
      socket.write(Buffer.concat([one, framed(acknowledgment('AA', id))]));
    });
    expect(await tell(at(joined.port))).toMatchObject({ type: 'stored' });
  });

  it.each([
    ['nothing, and closes', (_: string, socket: Socket) => socket.end(), 'answer-lost'],
    ['nothing, and resets', (_: string, socket: Socket) => socket.resetAndDestroy(), 'answer-lost'],
    [
      'to another message',
      (_: string, socket: Socket) => socket.end(framed(acknowledgment('AA', 'ANOTHER'))),
      'answer-lost',
    ],
    [
      'half a frame',
      (id: string, socket: Socket) => socket.end(framed(acknowledgment('AA', id)).subarray(0, 40)),
      'answer-lost',
    ],
    ['HTTP', (_: string, socket: Socket) => socket.write('HTTP/1.1 400\r\n'), 'answer-not-mllp'],
    ['no ACK', (_: string, socket: Socket) => socket.write(framed('hello')), 'answer-no-ack'],
    [
      'without end',
      (_: string, socket: Socket) => socket.write(Buffer.alloc(300_000, 0x0b)),
      'answer-not-mllp',
    ],
  ])('that is %s leaves open whether it has it', async (_, answer, code) => {
    await using server = await answering(answer);
    expect(await tell(at(server.port))).toMatchObject({ failureClass: 'ambiguous', code });
  });

  it('does not count where there is none, or Vigil stops', async () => {
    await using silent = await answering(() => {});
    expect(await tell(at(silent.port, { timeoutMs: 300 }))).toMatchObject({
      failureClass: 'ambiguous',
      code: 'answer-lost',
    });
    expect(await tell(at(1))).toMatchObject({
      failureClass: 'transient',
      code: 'connection-refused',
    });
    const stopped = hl7(at(1))(BLEED, AbortSignal.abort());
    expect(await stopped).toMatchObject({ failureClass: 'transient', code: 'cancelled' });
    const stop = new AbortController();
    await using server = await answering(() => stop.abort());
    expect(await hl7(at(server.port))(BLEED, stop.signal)).toMatchObject({
      failureClass: 'ambiguous',
      code: 'answer-lost',
    });
  });
});

describe('an ORU over TLS', () => {
  it('goes to a receiver whose certificate is good, and shows its own', async () => {
    await using authority = await TestAuthority.create();
    const theirs = await authority.issue({ name: 'ris', alternative: 'DNS:ris.test' });
    const own = await authority.issue({ name: 'vigil' });
    await using server = await MllpServer.start({
      tls: {
        cert: await readFile(theirs.certificate),
        key: await readFile(theirs.key),
        ca: await readFile(authority.certificate),
        requestCert: true,
      },
    });
    const channel = at(server.port, {
      tls: { files: { ...own, authorities: authority.certificate }, serverName: 'ris.test' },
    });
    expect(await tell(channel)).toMatchObject({ type: 'stored' });
    const { tls } = channel;
    if (tls === undefined) throw new Error('no TLS');
    expect(await tell({ ...channel, tls: { ...tls, serverName: 'other.test' } })).toMatchObject({
      failureClass: 'transient',
      code: 'certificate-wrong-name',
    });
    await using other = await TestAuthority.create('Another CA');
    const files = { authorities: other.certificate };
    expect(await tell({ ...channel, tls: { ...tls, files } })).toMatchObject({
      failureClass: 'transient',
      code: 'certificate-authority-unknown',
    });
    const missing = { authorities: '/nowhere/ca.crt' };
    expect(await tell({ ...channel, tls: { ...tls, files: missing } })).toMatchObject({
      failureClass: 'transient',
      code: 'tls-files-unusable',
    });
    expect(server.messages).toHaveLength(1);
  });
});
