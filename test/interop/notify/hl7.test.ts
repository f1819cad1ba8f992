import { once } from 'node:events';
import { Server } from 'node-hl7-server';
import { describe, expect, it } from 'vitest';
import { isAnalysed, type Outcome } from '../../../src/domain/finding.js';
import type { Notification } from '../../../src/domain/notification.js';
import { OUTCOMES } from '../../../src/domain/urgency.js';
import { type Hl7Channel, hl7 } from '../../../src/notify/hl7.js';
import { sendByMllp } from '../../../src/notify/mllp.js';
import { observationResult } from '../../../src/notify/observation-result.js';
import { headPhantomStudy } from '../../../src/simulate/head-phantom.js';
import {
  sendTo,
  settingsIn,
  startNode,
  temporaryFolder,
  untilReported,
} from '../../integration/node/node-rig.js';
import { BLEED, NOT_READ } from '../../integration/notify/notifications.js';
import { freePort } from '../servers.js';
import { findingOf } from './findings.js';
import { type HL7Node, hl7Problems } from './hl7-grammar.js';

/** A server of node-hl7-server, which answers each message with the next code; with the last one at the end. */
async function serverOf(...answers: ('AA' | 'AE' | 'AR')[]) {
  const messages: HL7Node[] = [];
  const port = await freePort();
  const inbound = new Server({ bindAddress: '127.0.0.1' }).createInbound(
    { port },
    (request, answer) => {
      messages.push(request.getMessage());
      const code = (answers.length > 1 ? answers.shift() : answers[0]) ?? 'AA';
      answer.sendResponse(code);
    },
  );
  await once(inbound, 'listen');
  return {
    port,
    messages,
    [Symbol.asyncDispose]: async () => {
      await inbound.close();
    },
  };
}

const at = (port: number, patientData = false): Hl7Channel => ({
  type: 'hl7',
  host: '127.0.0.1',
  port,
  timeoutMs: 20_000,
  sendingApplication: 'VIGIL',
  sendingFacility: 'RADIOLOGY',
  receivingApplication: 'RIS',
  receivingFacility: 'HOSPITAL',
  processingId: 'production',
  patientData,
});
const tell = (channel: Hl7Channel, notification: Notification) =>
  hl7(channel)(notification, AbortSignal.timeout(30_000));

/** What arrives, as the server has parsed it. */
async function arrived(notification: Notification, patientData = false): Promise<HL7Node> {
  await using server = await serverOf('AA');
  expect(await tell(at(server.port, patientData), notification)).toEqual({
    type: 'stored',
    comment: 'AA',
  });
  const [message, ...others] = server.messages;
  if (message === undefined) throw new Error('Nothing came');
  expect(others).toEqual([]);
  expect(hl7Problems(message)).toEqual([]);
  return message;
}

/** The fields of the OBX with that code. */
const observation = (message: HL7Node, code: string) =>
  message
    .get('OBX')
    .toArray()
    .find((one) => one.get('3.1').toString() === code);

describe('an ORU as another implementation of HL7 v2 reads it', () => {
  const cases = OUTCOMES.flatMap((outcome) =>
    [false, true].map((patientData) => ({ outcome, patientData })),
  );

  it.each(cases)(
    'says $outcome, with patientData $patientData',
    async ({ outcome, patientData }) => {
      const notification = findingOf(outcome);
      const message = await arrived(notification, patientData);
      const value = (path: string) => message.get(path).toString();
      expect([value('MSH.9.1'), value('MSH.9.2'), value('MSH.9.3')]).toEqual([
        'ORU',
        'R01',
        'ORU_R01',
      ]);
      expect(value('MSH.10')).toMatch(/^[0-9A-F]{20}$/);
      expect([value('MSH.12'), value('MSH.18')]).toEqual(['2.5.1', 'UNICODE UTF-8']);
      expect(value('OBR.4.1')).toBe('ICH-TRIAGE');
      expect(value('OBR.4.3')).toBe('99VIGIL');
      expect(message.get('PID').length > 0).toBe(patientData);
      if (patientData) {
        expect([value('PID.3.1'), value('PID.5.1'), value('PID.5.2')]).toEqual([
          'PID-4711',
          'Müller',
          'Jürgen',
        ]);
      }
      const answer = observation(message, 'OUTCOME');
      const flags: Partial<Record<Outcome, string>> = { positive: 'AA', negative: 'N' };
      expect(answer?.get('5.1').toString()).toBe(outcome.toUpperCase());
      expect(answer?.get('5.2').toString()).toBe(notification.headline);
      expect(answer?.get('8').toString()).toBe(flags[outcome] ?? '');
      expect(answer?.get('11').toString()).toBe(isAnalysed(outcome) ? 'F' : 'X');
      expect(observation(message, '121073')?.get('5').toString()).toBe(notification.impression);
      expect(observation(message, '113014')?.get('5.2').toString()).toBe('1.2.3.4');
    },
  );

  it('corrects the one before in a later revision', async () => {
    const message = await arrived({ ...findingOf('negative'), revision: 2 });
    expect(message.get('OBR.25').toString()).toBe('C');
    expect(observation(message, 'OUTCOME')?.get('11').toString()).toBe('C');
  });

  it('has every character of names and numbers, the delimiters among them', async () => {
    const patient = {
      ...BLEED.patient,
      patientId: 'A|B^C~D\\E&F',
      issuerOfPatientId: 'H&H',
      patientName: 'Y|a&m~a\\da^Tarou=山田^太郎=やまだ^たろう',
      accessionNumber: 'A^1|2',
    };
    const impression = 'First ^~\\&| line\r\nand a second: “Ödem”, \\F\\, 95 %';
    const message = await arrived({ ...BLEED, patient, impression }, true);
    const value = (path: string) => message.get(path).toString();
    expect([value('PID.3.1'), value('PID.3.4')]).toEqual(['A|B^C~D\\E&F', 'H&H']);
    const names = message.get('PID.5').toArray();
    expect(names.map((name) => [0, 1, 6, 7].map((index) => name.get(index).toString()))).toEqual([
      ['Y|a&m~a\\da', 'Tarou', 'L', 'A'],
      ['山田', '太郎', 'L', 'I'],
      ['やまだ', 'たろう', 'L', 'P'],
    ]);
    expect([value('OBR.2.1'), value('OBR.18')]).toEqual(['A^1|2', 'A^1|2']);
    expect(observation(message, '121073')?.get('5').toString()).toBe(impression);
  });

  it.each([
    ['no order', { ...BLEED.patient, accessionNumber: undefined }],
    ['no patient ID', { ...BLEED.patient, patientId: undefined }],
    ['no name', { ...BLEED.patient, patientName: undefined }],
    ['an empty name', { ...BLEED.patient, patientName: '^^' }],
    ['nothing', {}],
  ])('is as the standard has it where the images name %s', async (_, patient) => {
    const known = Object.entries(patient).filter(([, value]) => value !== undefined);
    await arrived({ ...BLEED, patient: Object.fromEntries(known) }, true);
  });

  it('is as the standard has it for the longest of its own codes', async () => {
    const reason = {
      code: 'inference-answer-invalid',
      text: `The inference process gave an answer that is none${': ä'.repeat(200)}`,
    };
    const message = await arrived({ ...NOT_READ, reason });
    expect(observation(message, 'REASON')?.get('5.2').toString()).toContain('The inference');
  });
});

describe('the check by the dictionary', () => {
  it.each([
    ['|2.5.1|', '|9.9|', 'MSH-12.1 Version ID is not in table 104: 9.9'],
    ['|P|2.5.1', '||2.5.1', 'MSH-11 Processing ID is required'],
    ['\rOBR|1|', '\rNTE|1|', 'MSH ORC NTE OBX'],
    ['||CT|F', '||CT|Q', 'OBR-25 Result Status is not in table 123: Q'],
    ['||CT|F', '||CT|F~C', 'OBR-25 is repeated'],
    ['|NM|', '|XY|', 'OBX-5 has a data type XY that there is none of'],
    ['|94.0|', '|much|', 'OBX-5 Observation Value is no NM: much'],
    ['|94.0|', '|9^4|', 'OBX-5 Observation Value has parts: 9'],
    ['^SCT|', '^SNOMED|', 'is not in table 396: SNOMED'],
  ])('finds %s turned into %s', async (right, wrong, problem) => {
    await using server = await serverOf('AA');
    const text = observationResult(BLEED, at(0));
    expect(text).toContain(right);
    const receiver = { host: '127.0.0.1', port: server.port, timeoutMs: 20_000 };
    const answered = () => ({ type: 'stored', comment: '' }) as const;
    const signal = AbortSignal.timeout(30_000);
    await sendByMllp(text.replace(right, wrong), receiver, answered, signal);
    const [message] = server.messages;
    expect(message && hl7Problems(message).join('\n')).toContain(problem);
  });
});

describe('the answers of another implementation of HL7 v2', () => {
  it.each([
    ['AA', { type: 'stored', comment: 'AA' }],
    ['AE', { type: 'failed', failureClass: 'transient', code: 'hl7-ae' }],
    ['AR', { type: 'failed', failureClass: 'permanent', code: 'hl7-ar' }],
  ] as const)('%s counts', async (code, expected) => {
    await using server = await serverOf(code);
    expect(await tell(at(server.port), BLEED)).toMatchObject(expected);
  });

  it('settle the deliveries of a node: taken at the second attempt, and a dead letter', async () => {
    await using willing = await serverOf('AE', 'AA');
    await using strict = await serverOf('AR');
    await using folder = await temporaryFolder();
    const channel = (port: number) =>
      `{ hl7: { host: 127.0.0.1, port: ${port}, patientData: true }, retryFirstSeconds: 0.1 }`;
    const settings = settingsIn(
      folder.path,
      `
completeness: { likelySeconds: 0.1, unknownSeconds: 1, studyQuietSeconds: 1 }
channels:
  willing: ${channel(willing.port)}
  strict: ${channel(strict.port)}
routes: [{ name: tell, notify: { to: [willing, strict] } }]
`,
    );
    const study = headPhantomStudy({ seed: 3 });
    await using node = await startNode(settings);
    await sendTo(node, [study.localizer.part10]);
    const { deliveries } = await untilReported(node, study.studyInstanceUid);
    expect(
      deliveries.map(({ destination, state, failureCode }) => [destination, state, failureCode]),
    ).toEqual([
      ['willing', 'delivered', null],
      ['strict', 'dead', 'hl7-ar'],
    ]);
    expect(strict.messages).toHaveLength(1);
    const [first, second, ...more] = willing.messages;
    expect(first?.toString()).toBe(second?.toString());
    expect(more).toEqual([]);
    expect(first && hl7Problems(first)).toEqual([]);
  });
});
