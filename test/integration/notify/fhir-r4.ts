/** What FHIR R4 asks of a DiagnosticReport with its Observations contained, as far as Vigil uses it. */

type Element = Readonly<Record<string, unknown>>;

const REPORT_STATUS =
  /^(registered|partial|preliminary|final|amended|corrected|appended|cancelled)$/;
const OBSERVATION_STATUS = /^(registered|preliminary|final|amended|corrected|cancelled)$/;
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})$/;
const DATE = /^\d{4}(-\d{2}(-\d{2})?)?$/;
const ID = /^[A-Za-z0-9\-.]{1,64}$/;
const ABSOLUTE_URI = /^(https?:\/\/|urn:)[^\s|]+$/;

const REPORT_ELEMENTS =
  'resourceType id contained identifier basedOn status category code subject effectiveDateTime issued performer result imagingStudy conclusion conclusionCode';
const OBSERVATION_ELEMENTS =
  'resourceType id status code valueCodeableConcept valueString dataAbsentReason interpretation note component';

/** Everything that breaks a rule of the standard; empty where nothing does. */
export function r4Problems(report: Element): string[] {
  const problems: string[] = [];
  const check = (isGood: boolean, what: string) => {
    if (!isGood) problems.push(what);
  };
  const known = (one: Element, elements: string) => {
    for (const key of Object.keys(one)) check(elements.split(' ').includes(key), `element ${key}`);
  };
  known(report, REPORT_ELEMENTS);
  check(report['resourceType'] === 'DiagnosticReport', 'resourceType');
  check(REPORT_STATUS.test(String(report['status'])), 'status (1..1, required binding)');
  check(INSTANT.test(String(report['issued'])), 'issued (instant)');
  const { effectiveDateTime } = report as { effectiveDateTime?: string };
  check(effectiveDateTime === undefined || DATE.test(effectiveDateTime), 'effective (dateTime)');
  check(isConcept(report['code']), 'code (1..1)');
  const contained = (report['contained'] ?? []) as Element[];
  const results = (report['result'] ?? []) as { reference?: string }[];
  const ids = contained.map(({ id }) => String(id));
  check(new Set(ids).size === ids.length, 'contained ids are unique');
  // dom-3: what is contained is referred to; and what is referred to within is contained.
  check(
    ids.map((id) => `#${id}`).join() === results.map(({ reference }) => reference).join(),
    'dom-3',
  );
  for (const one of contained) {
    known(one, OBSERVATION_ELEMENTS);
    check(one['resourceType'] === 'Observation', 'contained resourceType');
    check(ID.test(String(one['id'])), `id ${String(one['id'])}`);
    check(OBSERVATION_STATUS.test(String(one['status'])), 'observation status');
    check(isConcept(one['code']), 'observation code (1..1)');
    const values = Object.keys(one).filter((key) => key.startsWith('value'));
    check(values.length <= 1, 'value[x] (0..1)');
    check(!('dataAbsentReason' in one && values.length > 0), 'obs-6');
    check(values.length > 0 || 'dataAbsentReason' in one, 'neither value nor the reason for none');
  }
  visit(report, check);
  return problems;
}

function isConcept(value: unknown): boolean {
  const { coding, text } = (value ?? {}) as { coding?: unknown[]; text?: string };
  return (coding?.length ?? 0) > 0 || (text ?? '') !== '';
}

/** What holds for every element: nothing is empty (ele-1), systems are absolute, codes have no spaces at the ends. */
function visit(value: unknown, check: (isGood: boolean, what: string) => void): void {
  check(value !== null && value !== undefined && value !== '', 'an empty value');
  if (typeof value !== 'object' || value === null) return;
  check(Object.keys(value).length > 0, 'ele-1');
  const { system, code } = value as { system?: unknown; code?: unknown };
  if (system !== undefined) check(ABSOLUTE_URI.test(String(system)), `system ${String(system)}`);
  if (typeof code === 'string') check(/^\S+( \S+)*$/.test(code), `code ${code}`);
  for (const one of Object.values(value)) visit(one, check);
}
