import { describe, expect, it } from 'vitest';
import type { Notification } from '../../../src/domain/notification.js';
import { OUTCOMES } from '../../../src/domain/urgency.js';
import { fhir } from '../../../src/notify/fhir.js';
import { FhirServer, type Resource } from '../../integration/notify/fhir-server.js';
import { BLEED } from '../../integration/notify/notifications.js';
import { findingOf } from './findings.js';
import { r4Problems, throughXml } from './r4-judges.js';

/** The report that a server has then. */
async function kept(notification: Notification, patientData: boolean): Promise<Resource> {
  await using server = await FhirServer.start();
  const tell = fhir({ type: 'fhir', url: server.url, timeoutMs: 20_000, patientData });
  const result = await tell(notification, AbortSignal.timeout(30_000));
  expect(result).toEqual({ type: 'stored', comment: 'HTTP 201' });
  const [report = {}] = server.reports.values();
  return report;
}

function expectR4(report: Resource): void {
  expect(r4Problems(report)).toEqual([]);
  const [after, before] = throughXml(report);
  expect(after).toEqual(before);
}

describe('a DiagnosticReport by the profiles and the JSON Schema of FHIR R4', () => {
  const cases = OUTCOMES.flatMap((outcome) =>
    [false, true].flatMap((patientData) =>
      [1, 2].map((revision) => ({ outcome, patientData, revision })),
    ),
  );

  it.each(cases)(
    'is right for $outcome, patientData $patientData, revision $revision',
    async ({ outcome, patientData, revision }) => {
      const report = await kept({ ...findingOf(outcome), revision }, patientData);
      expectR4(report);
    },
  );

  it.each([
    ['nothing', {}],
    ['a Patient ID alone', { patientId: '4711' }],
    ['a name alone', { patientName: 'Yamada^Tarou=山田^太郎=やまだ^たろう' }],
    ['an empty name', { patientName: '^^' }],
    ['a study date that is none', { studyDate: '2026.03' }],
    ['markup and delimiters', { patientName: '<b>"&amp;^\\|', accessionNumber: 'A|<1>&' }],
  ])('is right where the images name %s', async (_, patient) => {
    const { reports: _none, ...unreported } = { ...BLEED, patient };
    for (const notification of [{ ...BLEED, patient }, unreported]) {
      const report = await kept(notification, true);
      expectR4(report);
    }
  });

  it.each([
    ['a status that there is none of', { status: 'negative' }, 'Code "negative" not found'],
    ['no status', { status: undefined }, 'DiagnosticReport.status: Missing property'],
    ['no code', { code: undefined }, 'DiagnosticReport.code: Missing property'],
    ['a moment that is a day', { issued: '2026-03-02' }, '.issued should match pattern'],
    ['a day that is none', { effectiveDateTime: '2026.03' }, '.effectiveDateTime should match'],
    ['an element of its own', { vigil: 'x' }, 'DiagnosticReport.vigil: Unexpected property'],
    ['a number as text', { conclusion: 7 }, '.conclusion should be string'],
    ['no references', { result: undefined }, 'dom-3'],
    ['an order as patient', { subject: { type: 'ServiceRequest', display: 'x' } }, 'Invalid type'],
    ['an empty code', { code: {} }, 'ele-1'],
  ])('is wrong with %s', async (_, change, problem) => {
    const report = JSON.parse(JSON.stringify({ ...(await kept(BLEED, true)), ...change }));
    expect(r4Problems(report).join('\n')).toContain(problem);
  });

  it.each([
    ['a status that there is none of', { status: 'done' }, 'Observation.status: Code "done"'],
    ['an id with a space', { id: 'a b' }, '.contained[0]'],
    ['an answer and the reason for none', { dataAbsentReason: { text: 'x' } }, 'obs-6'],
    ['two answers', { valueString: 'x' }, 'more than one value[x]'],
  ])('is wrong with an observation with %s', async (_, change, problem) => {
    const report = await kept(BLEED, true);
    const [first, ...others] = report['contained'] as Resource[];
    const changed = { ...report, contained: [{ ...first, ...change }, ...others] };
    expect(r4Problems(changed).join('\n')).toContain(problem);
  });
});
