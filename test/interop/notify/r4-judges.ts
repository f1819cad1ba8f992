import JSONSchemaValidator from '@asymmetrik/fhir-json-schema-validator';
import { Fhir } from 'fhir';

type Element = Readonly<Record<string, unknown>>;

const profiles = new Fhir();
const schema = new JSONSchemaValidator();

/**
 * Everything that breaks a rule of FHIR R4; empty where nothing does. The profiles know what is required, codes and types
 * of references, HL7's JSON Schema the form of each value; the invariants are in neither.
 */
export function r4Problems(report: Element): string[] {
  const { messages } = profiles.validate(report, { errorOnUnexpected: true });
  return [
    ...messages
      .filter(({ severity }) => severity === 'error' || severity === 'fatal')
      .map(({ location, message }) => `${location}: ${message}`),
    ...(schema.validate(report) ?? []).map(({ dataPath, message }) => `${dataPath} ${message}`),
    ...invariantProblems(report),
  ];
}

/** Both with their numbers as text: what conversion to XML and back leaves of a report, and the report. */
export function throughXml(report: Element): readonly [after: unknown, before: unknown] {
  const asText = (_: string, value: unknown) => (typeof value === 'number' ? `${value}` : value);
  const plain = (value: unknown) => JSON.parse(JSON.stringify(value, asText));
  return [plain(profiles.xmlToObj(profiles.objToXml(report))), plain(report)];
}

function invariantProblems(report: Element): string[] {
  const contained = (report['contained'] ?? []) as Element[];
  const results = (report['result'] ?? []) as { reference?: string }[];
  const ids = contained.map(({ id }) => `#${String(id)}`);
  return [
    ...(new Set(ids).size === ids.length ? [] : ['contained ids are not unique']),
    ...(ids.join() === results.map(({ reference }) => reference).join() ? [] : ['dom-3']),
    ...contained.flatMap((one) => {
      const values = Object.keys(one).filter((key) => key.startsWith('value'));
      if (values.length > 1) return ['more than one value[x]'];
      return 'dataAbsentReason' in one && values.length > 0 ? ['obs-6'] : [];
    }),
    ...(hasEmpty(report) ? ['ele-1'] : []),
  ];
}

function hasEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === null;
  return Object.keys(value).length === 0 || Object.values(value).some(hasEmpty);
}
