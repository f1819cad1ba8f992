import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../../src/config/load-settings.js';
import { ConfigError, type ConfigProblem } from '../../../src/config/problems.js';

const FILE = '/etc/vigil/vigil.yaml';
const parse = (text: string, env = {}) => parseSettings(text, FILE, env);

function problemsOf(text: string, env = {}): readonly ConfigProblem[] {
  try {
    parse(text, env);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('a text that is no configuration', () => {
  it.each([
    ['nested without end', '['.repeat(20_000), /^nests deeper than 100/],
    ['nested without end by indentation', '- '.repeat(20_000), /^nests deeper than 100/],
    ['of excessive length', `# ${' '.repeat(200_000)}`, /^is 200002 characters long, more than/],
  ])('is refused where it is %s', (_, text, message) => {
    expect(problemsOf(text)).toEqual([{ path: '', message: expect.stringMatching(message) }]);
  });

  it('is refused with the first errors alone where one wrong bracket makes an error of all that follows', () => {
    const problems = problemsOf('}\n'.repeat(2000));
    expect(problems).toHaveLength(21);
    expect(problems[0]).toMatchObject({ line: 1 });
    expect(problems.at(-1)?.message).toMatch(/^is no YAML in \d+ more places/);
  });
});

describe('the admin listener', () => {
  const admin = (text: string) => problemsOf(`admin: { ${text} }`);

  it('leaves this machine only with TLS, a proxy, or without a console', () => {
    expect(admin('host: 0.0.0.0')).toMatchObject([
      { path: 'admin.host', message: expect.stringContaining('neither admin.tls nor') },
    ]);
    expect(admin('host: 0.0.0.0, tls: { certificate: a.crt, key: a.key }')).toEqual([]);
    expect(admin('host: 0.0.0.0, behindProxy: [10.0.0.1]')).toEqual([]);
    expect(admin('host: 0.0.0.0, console: false')).toEqual([]);
    for (const host of ['127.0.0.2', '"::1"', 'localhost'])
      expect(admin(`host: ${host}`)).toEqual([]);
  });

  it('says what is wrong with a URL and a range', () => {
    expect(admin('url: vigil.example')[0]).toMatchObject({
      path: 'admin.url',
      message: expect.stringContaining('is no URL'),
    });
    expect(admin('behindProxy: [10.0.0.0/99]')[0]?.path).toBe('admin.behindProxy[0]');
  });
});

describe('a good configuration', () => {
  it('fills in every default for an empty text', () => {
    const { settings } = parse('');
    expect(settings.node).toEqual({ aeTitle: 'VIGIL', host: '0.0.0.0', port: 11112 });
    expect(settings.receive.calledAeTitles).toBe('any');
    expect(settings.completeness).toEqual({
      likelyMs: 2000,
      unknownMs: 20_000,
      capMs: 600_000,
      lateFirstMs: 5000,
      lateLongestMs: 300_000,
      studyQuietMs: 20_000,
    });
    expect(settings.retention.maxAgeMs).toBe(30 * 86_400_000);
    expect(settings.destinations).toEqual([]);
  });

  it('takes a section whose every key is commented out as absent', () => {
    expect(parse('destinations:\n#  pacs:\nroutes:\n').settings).toEqual(parse('').settings);
  });

  it('resolves the folder from the file, and the model by name or from the file', () => {
    const { settings } = parse('storage: { folder: ../data }');
    expect(settings.storage.folder).toBe('/etc/data');
    expect(settings.inference.model).toBe(resolve('models/vigil-ich-small'));
    expect(parse('inference: { model: ./own }').settings.inference.model).toBe('/etc/vigil/own');
  });

  it('gives a destination what the deliverer takes', () => {
    const { settings } = parse(`
      node: { aeTitle: TRIAGE }
      destinations:
        pacs: { aeTitle: PACS, host: 10.0.0.1, port: 104, maxAttempts: 5, retryFirstSeconds: 0.5 }`);
    expect(settings.destinations).toEqual([
      {
        name: 'pacs',
        aeTitle: 'PACS',
        host: '10.0.0.1',
        port: 104,
        callingAeTitle: 'TRIAGE',
        retry: { attempts: 5, baseMs: 500, capMs: 600_000 },
        timeouts: { connectMs: 10_000, associateMs: 20_000, responseMs: 60_000 },
      },
    ]);
  });

  it('takes every object kind and every study where a route names none', () => {
    const { settings } = parse(`
      destinations: { pacs: { aeTitle: PACS, host: h, port: 104 } }
      routes: [{ name: all, send: { to: [pacs] } }]`);
    expect(settings.routing.routes).toEqual([
      {
        name: 'all',
        when: { type: 'all', of: [] },
        send: [
          {
            objects: ['sr', 'heatmap', 'summary', 'key-objects'],
            to: ['pacs'],
            priority: 'medium',
          },
        ],
        forward: [],
        stop: false,
      },
    ]);
  });

  it('hashes the text', () => {
    expect(parse('node: {}').hash).toMatch(/^[0-9a-f]{64}$/);
    expect(parse('node: {}').hash).not.toBe(parse('node: {} ').hash);
  });
});

describe('warnings', () => {
  const destination = 'destinations: { pacs: { aeTitle: PACS, host: h, port: 104 } }';
  it.each([
    ['', /results go nowhere/],
    [destination, /results go nowhere/],
    [
      `destinations: { a: { aeTitle: A, host: h, port: 1 }, b: { aeTitle: B, host: h, port: 2 } }
routes: [{ name: r, send: { to: [a] } }]`,
      /No route sends anything to destination "b"/,
    ],
    ['retention: { minFreeMb: 10 }', /receiving stops before space is made/],
    [
      'receive: { access: [{ callingAeTitle: CT1, users: ./users }] }',
      /asks for passcodes, and receive.plain lets them come without encryption/,
    ],
    [
      'destinations: { a: { aeTitle: A, host: h, port: 1, user: { name: v, passcodeFile: p } } }',
      /is sent without encryption/,
    ],
  ])('%j', (text, warning) => {
    expect(
      parse(text)
        .warnings.map(({ message }) => message)
        .join('\n'),
    ).toMatch(warning);
  });

  it('is silent about a configuration that leaves nothing to say', () => {
    const text = `${destination}\nroutes: [{ name: r, send: { to: [pacs] } }]`;
    expect(parse(text).warnings).toEqual([]);
  });
});

describe('a single problem', () => {
  it.each([
    ['node: { aeTitel: X }', 'node.aeTitel', /no known key/, 'did you mean "aeTitle"?'],
    ['nodes: {}', 'nodes', /no known key/, 'did you mean "node"?'],
    ['node: { aeTitle: 1234 }', 'node.aeTitle', /1234/, 'put it in quotes: "1234"'],
    ['node: { aeTitle: "A\\\\B" }', 'node.aeTitle', /no AE title/, undefined],
    ['node: { aeTitle: " A" }', 'node.aeTitle', /no AE title/, undefined],
    ['node: { aeTitle: ABCDEFGHIJKLMNOPQ }', 'node.aeTitle', /no AE title/, undefined],
    ['node: { port: 65536 }', 'node.port', /more than 65535/, undefined],
    ['node: { port: 1.5 }', 'node.port', /1.5, not a whole number/, undefined],
    ['node: { host: "a b" }', 'node.host', /neither a host name/, undefined],
    ['log: { level: inof }', 'log.level', /"inof"/, 'did you mean "info"?'],
    [
      'receive: { callingAeTitles: CT1 }',
      'receive.callingAeTitles',
      /"CT1"/,
      'any, or a list in brackets, such as [A, B]',
    ],
    [
      'receive: { callingAeTitles: [] }',
      'receive.callingAeTitles',
      /list of 0, less than 1/,
      undefined,
    ],
    [
      'receive: { allowFrom: [10.0.0.0/33] }',
      'receive.allowFrom[0]',
      /no address range/,
      undefined,
    ],
    [
      'receive: { storageClasses: [1.02] }',
      'receive.storageClasses[0]',
      /1.02, not a piece of text/,
      'put it in quotes: "1.02"',
    ],
    ['receive: { storageClasses: ["1.02.3"] }', 'receive.storageClasses[0]', /no UID/, undefined],
    [
      'retention: { schedule: "99 * * * *" }',
      'retention.schedule',
      /no cron expression/,
      'minute hour day-of-month month day-of-week, such as "17 * * * *"',
    ],
    [
      'completeness: { likelySeconds: 30 }',
      'completeness.likelySeconds',
      /longer than unknownSeconds/,
      'the surer Vigil is that a series is whole, the shorter the wait',
    ],
    [
      'completeness: { capSeconds: 5 }',
      'completeness.capSeconds',
      /shorter than unknownSeconds/,
      undefined,
    ],
    [
      'completeness: { lateFirstSeconds: 60, lateLongestSeconds: 30 }',
      'completeness.lateLongestSeconds',
      /shorter than lateFirstSeconds/,
      undefined,
    ],
    ['destinations: { p: { aeTitle: P, host: h } }', 'destinations.p.port', /missing/, 'a number'],
    [
      'destinations: { P P: { aeTitle: P, host: h, port: 1 } }',
      'destinations.P P',
      /no name/,
      undefined,
    ],
    [
      'destinations: { p: { aeTitle: P, host: h, port: 1, retryLongestSeconds: 1 } }',
      'destinations.p.retryLongestSeconds',
      /shorter than retryFirstSeconds/,
      undefined,
    ],
    [
      'destinations: { p: { aeTitle: P, host: h, port: 1, verifyByFind: true, verifyByCommitment: true } }',
      'destinations.p.verifyByFind',
      /verifyByCommitment is too/,
      'commitment says more: leave verifyByFind out',
    ],
    [
      'routes: [{ name: r, send: { to: [pacs] } }]',
      'routes[0].send.to[0]',
      /no destination/,
      'describe it under "destinations"',
    ],
    [
      'destinations: { pacs: { aeTitle: P, host: h, port: 1 } }\nroutes: [{ name: r, send: { to: [pasc] } }]',
      'routes[0].send.to[0]',
      /no destination/,
      'did you mean "pacs"?',
    ],
    [
      'routes: [{ name: r, when: { outcome: [positiv] }, send: { to: [] } }]',
      'routes[0].when.outcome[0]',
      /positiv/,
      'did you mean "positive"?',
    ],
    ['node: [', '', /no YAML/, undefined],
    ['- node', '', /no sections/, undefined],
  ])('%j', (text, path, message, hint) => {
    const [problem] = problemsOf(text);
    expect(problem?.path).toBe(path);
    expect(problem?.message).toMatch(message);
    expect(problem?.hint).toBe(hint);
  });
});

const BAD = `node:
  aeTitel: X
  port: 70000
completeness: { likelySeconds: 30 }
destinations:
  pacs: { aeTitle: PACS, host: pacs.example, prot: 104 }
routes:
  - name: all
    send: { to: [pasc] }
  - name: all
    send: { to: [pacs] }
`;

describe('all problems at once', () => {
  it('gives each with its path and place, in the order of the text', () => {
    expect(
      problemsOf(BAD).map(({ path, line, column }) => `${line}:${column} ${path}`),
    ).toMatchInlineSnapshot(`
      [
        "2:3 node.aeTitel",
        "3:9 node.port",
        "4:32 completeness.likelySeconds",
        "6:9 destinations.pacs.port",
        "6:46 destinations.pacs.prot",
        "9:18 routes[0].send.to[0]",
        "10:11 routes[1].name",
      ]
    `);
  });

  it('says so in a message that a person can read', () => {
    const message = (() => {
      try {
        return parse(BAD);
      } catch (error) {
        return (error as Error).message;
      }
    })();
    expect(message).toMatchInlineSnapshot(`
      "/etc/vigil/vigil.yaml: 7 problems
        line 2:3  node.aeTitel  is no known key
            hint: did you mean "aeTitle"?
        line 3:9  node.port  is 70000, more than 65535
        line 4:32  completeness.likelySeconds  is 30, longer than unknownSeconds (20)
            hint: the surer Vigil is that a series is whole, the shorter the wait
        line 6:9  destinations.pacs.port  is missing
            hint: a number
        line 6:46  destinations.pacs.prot  is no known key
            hint: did you mean "port"?
        line 9:18  routes[0].send.to[0]  is "pasc", which is no destination
            hint: did you mean "pacs"?
        line 10:11  routes[1].name  is "all", as an earlier route is"
    `);
  });

  it('names unknown destinations and names given twice also among routes that are malformed', () => {
    const text = `destinations: { pacs: { aeTitle: P, host: h, port: 1 } }
routes:
  - { name: all, whem: { outcome: positive }, send: { to: [pasc, pacs] } }
  - { name: all, forward: [{ to: [nowhere], priority: highest }] }
  - nonsense
defaultRoute: { send: { objects: [sr], to: [pascal] }, stopp: true }
`;
    expect(problemsOf(text).map(({ path, line }) => `${line} ${path}`)).toEqual([
      '3 routes[0].whem',
      '3 routes[0].send.to[0]',
      '4 routes[1].forward[0].priority',
      '4 routes[1].name',
      '4 routes[1].forward[0].to[0]',
      '5 routes[2]',
      '6 defaultRoute.stopp',
      '6 defaultRoute.send.to[0]',
    ]);
  });

  it('keeps a hostile text from taking the process along', () => {
    const bomb = ['a: &a [x,x,x,x,x,x,x,x,x]'];
    for (const [from, to] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg', 'gh']) {
      bomb.push(`${to}: &${to} [${`*${from},`.repeat(9)}]`);
    }
    expect(problemsOf(bomb.join('\n'))[0]?.message).toMatch(/no YAML/);
  });
});

describe('the environment', () => {
  const text = 'destinations: { my-pacs: { aeTitle: PACS, host: h, port: 104 } }';

  it('overrides what differs between hosts', () => {
    const { settings } = parse(text, {
      VIGIL_NODE_AE_TITLE: 'ER2',
      VIGIL_NODE_PORT: '104',
      VIGIL_STORAGE_FOLDER: '/var/lib/vigil',
      VIGIL_DESTINATIONS_MY_PACS_HOST: 'pacs.example',
      VIGIL_DESTINATIONS_MY_PACS_PORT: '4242',
    });
    expect(settings.node).toMatchObject({ aeTitle: 'ER2', port: 104 });
    expect(settings.storage.folder).toBe('/var/lib/vigil');
    expect(settings.destinations[0]).toMatchObject({
      host: 'pacs.example',
      port: 4242,
      callingAeTitle: 'ER2',
    });
  });

  it('names the variable of a bad value', () => {
    expect(problemsOf('node: { port: 1 }', { VIGIL_NODE_PORT: 'http' })).toEqual([
      { path: 'node.port', variable: 'VIGIL_NODE_PORT', message: expect.stringMatching(/"http"/) },
    ]);
  });

  it('points at what is misspelt, and lets be what orchestrators set', () => {
    const env = { VIGIL_NODE_PROT: '1', VIGIL_PORT_11112_TCP_ADDR: '10.0.0.1' };
    const warnings = parse(text, env).warnings.map(({ message }) => message);
    expect(warnings.filter((warning) => warning.includes('VIGIL_'))).toEqual([
      'VIGIL_NODE_PROT is not read; did you mean VIGIL_NODE_PORT?',
    ]);
  });

  it('leaves a section of the wrong type to be refused', () => {
    expect(problemsOf('node: 5', { VIGIL_NODE_PORT: '1' })).toMatchObject([
      { path: 'node', line: 1 },
    ]);
  });
});
