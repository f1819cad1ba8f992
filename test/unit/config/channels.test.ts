import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../../src/config/load-settings.js';
import { ConfigError } from '../../../src/config/problems.js';

const read = (channel: string) =>
  parseSettings(
    `channels: { one: ${channel} }\nroutes: [{ name: r, notify: { to: [one] } }]\n`,
    '/x/v.yaml',
    {},
  );

function problems(channel: string): string[] {
  try {
    read(channel);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ path, message }) => `${path} ${message}`);
  }
}

describe('a channel', () => {
  it.each([
    ['{}', /channels\.one says not how to tell/],
    ['{ hl7: { host: h }, fhir: { url: "https://h" } }', /has hl7 and fhir/],
    ['{ fhir: { url: "ftp://h" } }', /fhir\.url is no URL/],
    ['{ fhir: { url: "https://u:p@h/r4" } }', /fhir\.url has a password in it/],
    ['{ fhir: { url: "https://h/r4?x=1" } }', /fhir\.url is no base/],
    ['{ fhir: { url: "https://h", user: u } }', /fhir\.user and passwordFile go together/],
    [
      '{ fhir: { url: "https://h", user: u, passwordFile: p, tokenFile: t } }',
      /fhir\.tokenFile and user are two ways/,
    ],
    ['{ fhir: { url: "http://h", tokenFile: t } }', /fhir\.tokenFile would go .* in clear/],
    ['{ fhir: { url: "http://h", user: u, passwordFile: p } }', /fhir\.user would go .* in clear/],
    ['{ fhir: { url: "http://h", patientData: true } }', /fhir\.patientData would go .* in clear/],
    ['{ webhook: { url: "http://h", secretFile: s, patientData: true } }', /patientData would go/],
    ['{ hl7: { host: h, sendingFacility: "A|B" } }', /hl7\.sendingFacility is longer .* or has/],
    ['{ hl7: { host: h, tls: { authorities: a, key: k } } }', /hl7\.tls has only one of/],
  ])('that is %s is refused', (channel, problem) => {
    expect(problems(channel)).toEqual([expect.stringMatching(problem)]);
  });

  it('may sign in, and name patients, in clear on this machine alone', () => {
    expect(
      problems('{ fhir: { url: "http://127.0.0.1/r4", tokenFile: t, patientData: true } }'),
    ).toEqual([]);
  });

  it('has its files beside the configuration, and the base of a server without slashes at its end', () => {
    const [fhir] = read('{ fhir: { url: "https://h/r4//", tokenFile: ./t } }').settings.channels;
    expect(fhir?.protocol).toMatchObject({ url: 'https://h/r4', tokenFile: '/x/t' });
    const [ris] = read('{ hl7: { host: ris.test, tls: { authorities: a } } }').settings.channels;
    expect(ris?.protocol).toMatchObject({
      port: 2575,
      tls: { files: { authorities: '/x/a' }, serverName: 'ris.test' },
    });
  });

  it('warns of patients named by plain HL7 v2 over a network', () => {
    const warned = (channel: string) => read(channel).warnings.map(({ path }) => path);
    const path = 'channels.one.hl7.patientData';
    expect(warned('{ hl7: { host: ris.test, patientData: true } }')).toEqual([path]);
    expect(warned('{ hl7: { host: localhost, patientData: true } }')).toEqual([]);
    expect(warned('{ hl7: { host: ris.test } }')).toEqual([]);
    expect(
      warned('{ hl7: { host: ris.test, patientData: true, tls: { authorities: a } } }'),
    ).toEqual([]);
  });
});
