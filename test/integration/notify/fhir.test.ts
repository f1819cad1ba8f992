import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Notification } from '../../../src/domain/notification.js';
import { type FhirChannel, fhir } from '../../../src/notify/fhir.js';
import { temporaryFolder } from '../node/node-rig.js';
import { FhirServer, type Resource } from './fhir-server.js';
import { HookServer } from './hook-server.js';
import { BLEED, NOT_READ } from './notifications.js';

const at = (url: string, more: Partial<FhirChannel> = {}): FhirChannel => ({
  type: 'fhir',
  url,
  timeoutMs: 20_000,
  patientData: false,
  ...more,
});
const tell = (channel: FhirChannel, notification: Notification = BLEED) =>
  fhir(channel)(notification, AbortSignal.timeout(30_000));

async function kept(
  notification: Notification,
  more: Partial<FhirChannel> = {},
): Promise<Resource> {
  await using server = await FhirServer.start();
  expect(await tell(at(server.url, more), notification)).toEqual({
    type: 'stored',
    comment: 'HTTP 201',
  });
  const [report = {}] = server.reports.values();
  return report;
}

const outcomeOf = (report: Resource) => (report['contained'] as Resource[])[0] ?? {};

describe('a DiagnosticReport', () => {
  it('has study, order, answer, classes with their probabilities, model and report', async () => {
    const report = await kept(BLEED);
    expect(report).toMatchObject({
      status: 'final',
      basedOn: [{ identifier: { value: 'ACC-99' } }],
      effectiveDateTime: '2026-03-02',
      issued: '2026-03-02T01:14:07.000Z',
      imagingStudy: [{ identifier: { system: 'urn:dicom:uid', value: 'urn:oid:1.2.3.4' } }],
      conclusion: BLEED.impression,
      conclusionCode: [{ coding: [{ system: 'http://snomed.info/sct', code: '1386000' }] }],
      performer: [{ display: 'vigil-ich-small 1.0.0' }],
    });
    expect(report['contained']).toMatchObject([
      {
        id: 'outcome',
        status: 'final',
        valueCodeableConcept: { coding: [{ code: 'POSITIVE' }], text: BLEED.headline },
        interpretation: [{ coding: [{ code: 'AA' }] }],
      },
      {
        id: 'class-subdural',
        valueCodeableConcept: { coding: [{ display: 'Present' }] },
        component: [{ valueQuantity: { value: 94, code: '%' } }],
      },
      { id: 'class-any', component: [{ valueQuantity: { value: 97 } }] },
      { id: 'algorithm-name', valueString: 'vigil-ich-small' },
      { id: 'algorithm-version', valueString: '1.0.0' },
      { id: 'report-1', valueString: 'urn:oid:2.25.99' },
    ]);
  });

  it('names no patient unless it is to', async () => {
    const without = JSON.stringify(await kept(BLEED));
    expect(without).not.toMatch(/Müller|4711|1949|Sch|subject/);
    const patient = { ...BLEED.patient, issuerOfPatientId: 'HOSPITAL' };
    const report = await kept({ ...BLEED, patient }, { patientData: true });
    expect(report['subject']).toEqual({
      type: 'Patient',
      identifier: { value: 'PID-4711', assigner: { display: 'HOSPITAL' } },
      display: 'Müller, Jürgen',
    });
    const nameless = await kept({ ...BLEED, patient: {} }, { patientData: true });
    expect(nameless).not.toHaveProperty('subject');
    expect(nameless).not.toHaveProperty('basedOn');
  });

  it('has no date that is none', async () => {
    const report = await kept({ ...BLEED, patient: { studyDate: '2026.03' } });
    expect(report).not.toHaveProperty('effectiveDateTime');
  });

  it.each([
    ['failed', 'error'],
    ['not-eligible', 'not-performed'],
  ] as const)(
    'of a %s study has no answer, also in place of an earlier one',
    async (outcome, why) => {
      for (const revision of [1, 2]) {
        const report = await kept({ ...NOT_READ, outcome, revision });
        expect(report).toMatchObject({ status: 'cancelled', conclusion: NOT_READ.impression });
        expect(report).not.toHaveProperty('conclusionCode');
        expect(outcomeOf(report)).toMatchObject({
          status: 'cancelled',
          dataAbsentReason: {
            coding: [{ code: why }, { code: outcome.toUpperCase() }],
            text: NOT_READ.headline,
          },
          note: [{ text: 'No axial series (no-axial)' }],
        });
        expect(outcomeOf(report)).not.toHaveProperty('interpretation');
        expect(JSON.stringify(report)).not.toMatch(/Absent"|"N"/);
      }
    },
  );

  it('of a later revision takes the place of the one before; another study has its own', async () => {
    await using server = await FhirServer.start();
    await tell(at(server.url));
    const later = { ...BLEED, uid: '2.25.3', revision: 2, outcome: 'negative' } as const;
    expect(await tell(at(server.url), later)).toMatchObject({ comment: 'HTTP 200' });
    const [report = {}, ...others] = server.reports.values();
    expect(others).toEqual([]);
    expect(report['status']).toBe('amended');
    expect(outcomeOf(report)).toMatchObject({
      status: 'amended',
      interpretation: [{ coding: [{ code: 'N' }] }],
    });
    await tell(at(server.url), { ...BLEED, studyInstanceUid: '1.2.3.5' });
    expect(server.reports.size).toBe(2);
  });

  it('is there once where the answer was lost and it is told again', async () => {
    await using server = await FhirServer.start({ hushed: 1 });
    expect(await tell(at(server.url))).toMatchObject({
      failureClass: 'ambiguous',
      code: 'answer-lost',
    });
    expect(await tell(at(server.url))).toMatchObject({ type: 'stored' });
    expect(server.reports.size).toBe(1);
    const [first, second] = server.requests;
    expect(first?.body).toBe(second?.body);
    expect(first?.path).toBe(second?.path);
    expect(first?.path).not.toMatch(/1\.2\.3\.4|ACC/);
  });

  it('goes with a token or a sign-in, which are read anew each time', async () => {
    await using folder = await temporaryFolder();
    const secret = join(folder.path, 'secret');
    await using server = await FhirServer.start();
    await writeFile(secret, 'a.b-c\n');
    await tell(at(server.url, { tokenFile: secret }));
    await writeFile(secret, 'pässword');
    await tell(at(server.url, { user: 'vigil', passwordFile: secret }));
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer a.b-c',
      `Basic ${Buffer.from('vigil:pässword').toString('base64')}`,
    ]);
    await writeFile(secret, 'two\nlines');
    for (const tokenFile of [secret, '/nowhere/token']) {
      expect(await tell(at(server.url, { tokenFile }))).toMatchObject({
        failureClass: 'transient',
        code: 'secret-unreadable',
      });
    }
    expect(server.requests).toHaveLength(2);
  });

  it.each([
    [503, 'transient'],
    [429, 'transient'],
    [401, 'permanent'],
    [412, 'permanent'],
    [422, 'permanent'],
  ])('that is answered %i has failed, %s', async (status, failureClass) => {
    await using hook = await HookServer.start({
      answer: (_, response) =>
        response.writeHead(status).end('{"resourceType":"OperationOutcome"}'),
    });
    expect(await tell(at(hook.url))).toMatchObject({ failureClass, code: `http-${status}` });
  });

  it('that gets no answer, garbage, or no server is tried again', async () => {
    await using silent = await HookServer.start({ answer: () => {} });
    expect(await tell(at(silent.url, { timeoutMs: 300 }))).toMatchObject({
      failureClass: 'ambiguous',
    });
    await using garbage = await HookServer.start({
      answer: (_, response) => response.socket?.end('not HTTP at all\r\n\r\n'),
    });
    expect(await tell(at(garbage.url))).toMatchObject({ failureClass: 'ambiguous' });
    expect(await tell(at('http://127.0.0.1:1/r4'))).toMatchObject({
      failureClass: 'transient',
      code: 'connection-refused',
    });
  });
});
