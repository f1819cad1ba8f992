import { readFileSync } from 'node:fs';
import { parseSettings } from '../../../src/config/load-settings.js';
import { ConfigError } from '../../../src/config/problems.js';
import type { Target } from '../target.js';

const SHIPPED = readFileSync(new URL('../../../config/vigil.yaml', import.meta.url));
const WORDS = [
  'node:',
  'storage:',
  'receive:',
  'completeness:',
  'inference:',
  'report:',
  'destinations:',
  'routes:',
  'retention:',
  'admin:',
  'log:',
  'aeTitle: ',
  'port: ',
  'folder: ',
  'allowFrom: ',
  'calledAeTitles: ',
  'storageClasses: ',
  'maxPduLength: ',
  'schedule: ',
  'send:',
  'to: ',
  'when:',
  'any',
  '\n',
  '\n  ',
  '\n    - ',
  '- ',
  ': ',
  '[',
  ']',
  '{',
  '}',
  '&a ',
  '*a',
  '*a, *a',
  '<<: *a',
  '!!binary ',
  '!!map ',
  '!!set ',
  '!!js/function ',
  '---\n',
  '...\n',
  '%YAML 1.1\n',
  '? ',
  '| \n',
  '>-\n',
  '"',
  "'",
  '#',
  '\t',
  '\0',
  '\ufeff',
  '__proto__: ',
  'constructor: ',
  'null',
  '~',
  'true',
  '.inf',
  '.nan',
  '-1',
  '1e999',
  '0x10',
  '99999999999999999999',
  '"* * * * *"',
  '"0 0 31 2 *"',
  '127.0.0.1/33',
  '::/0',
  '1.2.840.10008.5.1.4.1.1.2',
  '../../etc',
].map((word) => Buffer.from(word));

/** YAML text to settings, or to problems that name a place. */
export const target: Target = {
  seeds: () => [SHIPPED, uncommented(SHIPPED), Buffer.from(MINIMAL)],
  dictionary: WORDS,
  generate: (random) =>
    Buffer.concat(Array.from({ length: 1 + random.below(40) }, () => random.pick(WORDS))),
  longest: 256 * 1024,
  memoryLimitMb: 512,
  run: (input) => {
    try {
      parseSettings(input.toString('utf8'), '/etc/vigil/vigil.yaml', {});
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      const isNamed = error.problems.every(({ message }) => message.length > 0);
      if (error.problems.length === 0 || !isNamed) throw new Error('A problem is not named');
      if (error.message.length > 1000 + 200 * input.length) throw new Error('The message explodes');
    }
  },
};

const MINIMAL = `node: { aeTitle: A, port: 11112 }
destinations:
  pacs: { aeTitle: P, host: 10.0.0.1, port: 104 }
routes:
  - send: { to: [pacs] }
`;

/** The shipped file with the keys that it only shows. */
function uncommented(yaml: Buffer): Buffer {
  return Buffer.from(yaml.toString('utf8').replace(/^(\s*)# ?(?=[\w-]+:|- )/gm, '$1'));
}
