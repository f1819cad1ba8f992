import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../../src/config/load-settings.js';
import { ConfigError } from '../../../src/config/problems.js';
import type { StudyFacts } from '../../../src/domain/condition.js';
import { decideRouting } from '../../../src/domain/routing.js';

const DESTINATIONS = `destinations:
  pacs: { aeTitle: PACS, host: h, port: 104 }
  ws: { aeTitle: WS, host: h, port: 105 }
`;
const READERS = `
inference: { secondReaders: { candidate: { model: ./candidate }, other: { model: ./other } } }
`;
const settings = (routes: string) =>
  parseSettings(`${DESTINATIONS}${routes}${READERS}`, '/x/v.yaml', {});

const slice = (attributes: Record<string, string | string[]>) => ({
  values: (keyword: string) => [attributes[keyword] ?? []].flat(),
});

const FACTS: StudyFacts = {
  outcome: 'positive',
  reason: undefined,
  classes: [
    { name: 'subdural', probability: 0.7, presence: 'present' },
    { name: 'epidural', probability: 0.1, presence: 'absent' },
    { name: 'any', probability: 0.95, presence: 'present' },
  ],
  model: { name: 'vigil-ich-small', version: '1.0.0' },
  secondReadings: [
    {
      reader: 'candidate',
      outcome: 'undetermined',
      classes: [
        { name: 'epidural', probability: 0.6, presence: 'present' },
        { name: 'any', probability: 0.4, presence: 'undetermined' },
      ],
    },
  ],
  series: [
    {
      seriesInstanceUid: '1',
      modality: 'CT',
      instances: 3,
      verdict: 'analysed',
      reason: { code: 'chosen', text: '' },
    },
    {
      seriesInstanceUid: '2',
      modality: 'SR',
      instances: 1,
      verdict: 'not-eligible',
      reason: { code: 'not-ct', text: '' },
    },
  ],
  sources: [{ callingAeTitle: 'CT1', calledAeTitle: 'VIGIL', address: '10.1.2.3' }],
  localTime: { weekday: 'sat', minutes: 23 * 60 + 30 },
  slices: [
    slice({
      SliceThickness: '5',
      SeriesDescription: 'HEAD 5.0 SOFT',
      ImageType: ['ORIGINAL', 'AXIAL'],
    }),
    slice({ SliceThickness: '5.0', SeriesDescription: 'HEAD 5.0 SOFT', KVP: '120' }),
    slice({ SliceThickness: '1.25', SeriesDescription: 'head thin', KVP: '' }),
  ],
};

const holds = (when: string, facts: StudyFacts = FACTS): boolean | string => {
  const { routing } = settings(
    `routes: [{ name: r, when: ${when}, send: { to: [pacs] } }]`,
  ).settings;
  const { matched, undecided } = decideRouting(routing, facts);
  return undecided[0]?.reason.code ?? matched.length > 0;
};

describe('a condition', () => {
  it.each([
    ['{}', true],
    ['{ outcome: positive }', true],
    ['{ outcome: [failed, negative] }', false],
    ['{ urgency: immediate }', true],
    ['{ urgency: [prompt, routine] }', false],
    ['{ class: subdural }', true],
    ['{ class: epidural }', false],
    ['{ probability: { min: 0.9 } }', true],
    ['{ probability: { of: subdural, min: 0.5, max: 0.69 } }', false],
    ['{ model: { name: vigil-ich-small, version: [1.0.0, 1.1.0] } }', true],
    ['{ model: { version: 2.0.0 } }', false],
    ['{ secondReader: {} }', true],
    ['{ secondReader: { name: other } }', false],
    ['{ secondReader: { outcome: [negative, undetermined] } }', true],
    ['{ secondReader: { name: [candidate, other], outcome: positive } }', false],
    ['{ secondReader: { class: epidural } }', true],
    ['{ secondReader: { class: any } }', false],
    ['{ outcome: positive, not: { secondReader: { outcome: positive } } }', true],
    ['{ callingAeTitle: CT1, calledAeTitle: [VIGIL] }', true],
    ['{ callingAeTitle: CT1, calledAeTitle: [OTHER] }', false],
    ['{ address: 10.1.0.0/16 }', true],
    ['{ address: ["fd00::/8", 10.1.2.4] }', false],
    ['{ weekday: [sat, sun] }', true],
    ['{ weekday: mon }', false],
    ['{ time: { from: "22:00", to: "07:00" } }', true],
    ['{ time: { from: "07:00", to: "23:30" } }', false],
    ['{ time: { from: "23:30", to: "23:31" } }', true],
    ['{ series: { verdict: not-eligible, modality: SR } }', true],
    ['{ series: { verdict: not-eligible, modality: CT } }', false],
    ['{ series: { reason: not-ct } }', true],
    ['{ reason: too-few-slices }', false],
    ['{ attributes: { SeriesDescription: HEAD 5.0 SOFT } }', true],
    ['{ attributes: { SeriesDescription: head 5.0 soft } }', false],
    ['{ attributes: { SeriesDescription: { matches: "(?i)^HEAD", slices: all } } }', true],
    ['{ attributes: { SeriesDescription: { matches: "^HEAD", slices: all } } }', false],
    ['{ attributes: { SeriesDescription: { matches: thin, slices: first } } }', false],
    ['{ attributes: { SliceThickness: 5 } }', true],
    ['{ attributes: { SliceThickness: { equals: 5, slices: all } } }', false],
    ['{ attributes: { SliceThickness: { min: 1, max: 5, slices: all } } }', true],
    ['{ attributes: { SliceThickness: { max: 1 } } }', false],
    ['{ attributes: { ImageType: AXIAL } }', true],
    ['{ attributes: { KVP: { present: true } } }', true],
    ['{ attributes: { KVP: { present: true, slices: all } } }', false],
    ['{ attributes: { KVP: { present: false } } }', true],
    ['{ attributes: { KVP: [100, 120] , ImageType: ORIGINAL } }', true],
    ['{ attributes: { SeriesDescription: { min: 0 } } }', false],
    ['{ attributes: { PatientAge: { max: 18 } } }', false],
    ['{ not: { attributes: { PatientAge: { max: 18 } } } }', true],
    ['{ any: [{ outcome: failed }, { weekday: sat }] }', true],
    ['{ all: [{ outcome: positive }, { not: { weekday: sat } }] }', false],
    ['{ outcome: positive, any: [{ class: epidural }, { all: [{ class: subdural }] }] }', true],
  ])('%s', (when, expected) => {
    expect(holds(when)).toBe(expected);
  });

  it('cannot be judged where a header that matters cannot be read', () => {
    const facts = { ...FACTS, slices: [...FACTS.slices, undefined] };
    expect(holds('{ attributes: { KVP: 120 } }', facts)).toBe(true);
    expect(holds('{ attributes: { KVP: 80 } }', facts)).toBe('header-unreadable');
    expect(holds('{ outcome: failed, attributes: { KVP: 80 } }', facts)).toBe(false);
  });

  it('cannot be judged by an address that is lost', () => {
    const facts = { ...FACTS, sources: [{ callingAeTitle: 'CT1', calledAeTitle: 'VIGIL' }] };
    expect(holds('{ address: 10.1.0.0/16 }', facts)).toBe('address-lost');
    expect(holds('{ callingAeTitle: CT1 }', facts)).toBe(true);
  });
});

describe('a second reader', () => {
  it('that there is not is named with its place and the nearest that there is', () => {
    const text = `
routes:
  - name: r
    when: { any: [{ outcome: failed }, { not: { secondReader: { name: [other, candidat] } } }] }
    send: { to: [pacs] }`;
    expect(() => settings(text)).toThrow(ConfigError);
    try {
      settings(text);
    } catch (error) {
      expect((error as ConfigError).problems).toMatchObject([
        {
          path: 'routes[0].when.any[1].not.secondReader.name[1]',
          message: 'is "candidat", which is no second reader',
          hint: 'did you mean "candidate"?',
          line: 7,
        },
      ]);
    }
  });
});

describe('actions', () => {
  it('give each destination its own options, and forward the originals', () => {
    const { routing } = settings(`
routes:
  - name: r
    send:
      - { objects: [sr], to: [pacs], priority: high }
      - { objects: [comprehensive-sr], to: [ws], transferSyntax: ImplicitVRLittleEndian }
    forward: { to: [ws], priority: low }`).settings;
    expect(decideRouting(routing, FACTS).deliveries).toEqual([
      { kind: 'sr', destination: 'pacs', route: 'r', priority: 'high' },
      {
        kind: 'comprehensive-sr',
        destination: 'ws',
        route: 'r',
        priority: 'medium',
        transferSyntax: 'ImplicitVRLittleEndian',
      },
      { kind: 'original', destination: 'ws', route: 'r', priority: 'low' },
    ]);
  });
});

describe('a mistake', () => {
  const problems = (routes: string) => {
    try {
      settings(routes);
    } catch (error) {
      if (error instanceof ConfigError) return error.problems;
      throw error;
    }
    throw new Error('no problem was found');
  };
  const route = (text: string) => problems(`routes: [{ name: r, ${text} }]`);

  it.each([
    [
      'when: { outcome: positve }, send: { to: [pacs] }',
      'when.outcome',
      'did you mean "positive"?',
    ],
    ['when: { outcom: positive }, send: { to: [pacs] }', 'when.outcom', 'did you mean "outcome"?'],
    [
      'when: { any: [{ weekdy: sat }] }, send: { to: [pacs] }',
      'when.any[0].weekdy',
      'did you mean "weekday"?',
    ],
    [
      'when: { attributes: { SeriesDescripton: x } }, send: { to: [pacs] }',
      'when.attributes.SeriesDescripton',
      'did you mean "SeriesDescription"?',
    ],
    ['send: { to: [pasc] }', 'send.to[0]', 'did you mean "pacs"?'],
    ['forward: [{ to: [pacs] }, { to: [wss] }]', 'forward[1].to[0]', 'did you mean "ws"?'],
    ['send: { to: [pacs], priority: hgh }', 'send.priority', 'did you mean "high"?'],
  ])('%s is refused with a hint', (text, path, hint) => {
    expect(route(text)).toMatchObject([{ path: `routes[0].${path}`, hint, line: 4 }]);
  });

  it.each([
    ['when: { time: { from: "7:00", to: "22:00" } }, drop: abc', /no time of day/],
    ['when: { attributes: { PixelData: { present: true } } }, drop: abc', /no attribute/],
    ['when: { attributes: { KVP: { matches: "(?=a)" } } }, drop: abc', /no regular expression/],
    ['when: { attributes: { KVP: {} } }, drop: abc', /asks for nothing/],
    ['when: { attributes: { KVP: { min: 5, max: 4 } } }, drop: abc', /min 5 above max 4/],
    ['when: { probability: {} }, drop: abc', /asks for nothing/],
    ['when: { address: 10.1.0.0/33 }, drop: abc', /no address range/],
    ['when: {}', /does nothing/],
    ['drop: abc, shadow: abc', /both shadow and drop/],
    ['drop: ""', /characters long/],
    ['notify: { to: [mail] }, drop: abc', /no channel/],
    ['notify: { to: [pacs] }, drop: abc', /no channel/],
  ])('%s is refused', (text, message) => {
    expect(route(text)).toMatchObject([{ message: expect.stringMatching(message) }]);
  });

  it('does not hide another one', () => {
    const text = `
routes:
  - name: default
    when: { outcome: positve, class: bleeding }
    send: { to: [nowhere] }
  - name: b
    when: { attributes: { Foo: 1 } }
    send: { objects: [], to: [pacs] }
fallbackRoute: { send: { to: [nobody] } }`;
    expect(problems(text).map(({ path }) => path)).toEqual([
      'routes[0].name',
      'routes[0].when.outcome',
      'routes[0].when.class',
      'routes[0].send.to[0]',
      'routes[1].when.attributes.Foo',
      'routes[1].send.objects',
      'fallbackRoute.send.to[0]',
    ]);
  });
});

describe('a warning', () => {
  const warnings = (routes: string) =>
    settings(routes).warnings.map(({ path, message }) => `${path} ${message}`);
  const toBoth = 'defaultRoute: { send: { to: [pacs, ws] } }';

  it('is given where a study that matters may go nowhere', () => {
    const some = 'routes: [{ name: r, when: { outcome: positive }, send: { to: [pacs, ws] } }]';
    expect(warnings(some)).toEqual([
      'routes No study that is undetermined, failed, not-eligible is sent: there may be no route that holds',
    ]);
    expect(warnings(`${some}\n${toBoth}`)).toEqual([]);
  });

  it('names the route that withholds it', () => {
    const text = 'routes: [{ name: trial, when: { callingAeTitle: CT9 }, shadow: a trial }]';
    expect(warnings(`${text}\n${toBoth}`)).toEqual([
      'routes[0] Not every study that is positive, undetermined, failed, not-eligible is sent: "trial" withholds it',
    ]);
  });

  it.each([
    ['{ outcome: positive, urgency: routine }'],
    ['{ weekday: [sat, sun], not: { weekday: [fri, sat, sun] } }'],
    ['{ outcome: failed, probability: { min: 0.5 } }'],
    ['{ all: [{ probability: { min: 0.9 } }, { probability: { max: 0.5 } }] }'],
    ['{ attributes: { KVP: 120 }, not: { attributes: { KVP: 120 } } }'],
    ['{ callingAeTitle: CT1, not: { callingAeTitle: [CT1, CT2] } }'],
    [
      '{ all: [{ time: { from: "08:00", to: "12:00" } }, { time: { from: "13:00", to: "18:00" } }] }',
    ],
  ])('is given for a route that never holds: %s', (when) => {
    const text = `routes: [{ name: r, when: ${when}, send: { to: [pacs] } }]\n${toBoth}`;
    expect(warnings(text)).toEqual(['routes[0] Route "r" never holds']);
  });

  it('is given for a route behind one that stops, for one that adds nothing, and for options that do not count', () => {
    const text = `
routes:
  - { name: a, send: { objects: [sr, summary], to: [pacs] } }
  - { name: b, when: { outcome: positive }, send: { objects: [sr], to: [pacs] } }
  - { name: c, send: { objects: [sr, heatmap], to: [pacs, ws], priority: high }, stop: true }
  - { name: d, when: { class: subdural }, send: { to: [ws] } }`;
    expect(warnings(text)).toEqual([
      'routes[1] Route "b" adds nothing: routes before it send the same',
      'routes[2] Route "c" gives other options for what "a" sends to the same destination',
      'routes[3] Route "d" never holds',
    ]);
  });

  it('is still given where there are too many combinations to try all', () => {
    const many = Array.from(
      { length: 16 },
      (_, i) => `{ name: r${i}, when: { attributes: { KVP: ${i} } }, send: { to: [pacs, ws] } }`,
    );
    const text = `routes: [{ name: t, when: { callingAeTitle: CT9 }, drop: a trial }, ${many.join(', ')}]`;
    const given = warnings(text).join('\n');
    expect(given).toMatch(/too many unlike questions/);
    expect(given).toMatch(/Not every study that is .* "t" withholds it/);
  });
});
