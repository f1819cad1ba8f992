import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, expect, it, vi } from 'vitest';
import { runCheckConfig } from '../../../src/commands/check-config.js';
import { runHashPasscode } from '../../../src/commands/hash-passcode.js';
import { UserFile } from '../../../src/receive/user-file.js';
import { temporaryFolder } from '../deliver/objects.js';

afterEach(() => vi.restoreAllMocks());

const said = (stream: 'log' | 'error') => {
  const lines: string[] = [];
  vi.spyOn(console, stream).mockImplementation((line: string) => void lines.push(line));
  return lines;
};

it.each(['öpen sesame', 'with a line end\n', 'of two\r\nlines\n'])(
  'vigil hash-passcode makes a line for the passcode %j, which gets its user in',
  async (input) => {
    await using folder = await temporaryFolder();
    const lines = said('log');
    await expect(runHashPasscode('ct1', Readable.from([Buffer.from(input)]))).resolves.toBe(0);
    expect(lines.join('\n')).toMatch(/^ct1:\$argon2id\$\S+$/);
    const file = join(folder.path, 'users');
    await writeFile(file, lines.join('\n'));
    const [passcode = ''] = input.split(/\r?\n/);
    const identity = (secondary: string) => ({
      type: 2,
      positiveResponseRequested: false,
      primaryField: Buffer.from('ct1'),
      secondaryField: Buffer.from(secondary),
    });
    const users = new UserFile(file);
    await expect(users.has(identity(passcode), () => true)).resolves.toBe(true);
    await expect(users.has(identity(`${passcode}!`), () => true)).resolves.toBe(false);
  },
);

it.each([
  ['ct1', '', 'There is no passcode on standard input'],
  ['ct1', '\nsecond', 'There is no passcode on standard input'],
  ['a:b', 'secret', 'A user name has no colon'],
  ['#a', 'secret', 'A user name has no colon'],
  [' a', 'secret', 'A user name has no colon'],
  ['', 'secret', 'A user name has no colon'],
])('vigil hash-passcode refuses the user %j with the passcode %j', async (name, input, message) => {
  const [lines, errors] = [said('log'), said('error')];
  await expect(runHashPasscode(name, Readable.from([Buffer.from(input)]))).resolves.toBe(2);
  expect(lines).toEqual([]);
  expect(errors.join('\n')).toContain(message);
});

it('vigil check-config reads the files of users and passcodes, and tells nothing of what they hold', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'vigil.yaml');
  await writeFile(join(folder.path, 'users'), 'ct1:in-clear\n');
  await writeFile(
    file,
    `receive: { access: [{ callingAeTitle: CT1, users: ./users }] }
destinations: { pacs: { aeTitle: P, host: h, port: 104, user: { name: v, passcodeFile: ./none } } }
`,
  );
  const errors = said('error');
  await expect(runCheckConfig({ file, json: false })).resolves.toBe(2);
  const text = errors.join('\n');
  expect(text).toContain('receive.access[0].users');
  expect(text).toContain('line 1 has no argon2id hash');
  expect(text).toContain('destinations.pacs.user.passcodeFile');
  expect(text).toContain('cannot be read (ENOENT)');
  expect(text).not.toContain('in-clear');
});

it('vigil check-config reads the files that Vigil signs in with, and names the setting of one that is unusable', async () => {
  await using folder = await temporaryFolder();
  const file = join(folder.path, 'vigil.yaml');
  await writeFile(join(folder.path, 'empty'), '\n');
  await writeFile(join(folder.path, 'good'), 'secret\n');
  await writeFile(
    file,
    `channels:
  on-call: { email: { host: h, from: a@b.test, to: [a@b.test], user: u, passwordFile: ./none } }
  program: { webhook: { url: "https://h/x", secretFile: ./empty, authorities: ./none.crt } }
  server: { fhir: { url: "https://h/r4", tokenFile: . } }
  other: { fhir: { url: "https://h/r4", user: u, passwordFile: ./good } }
  ris: { hl7: { host: h, tls: { authorities: ./none.crt } } }
admin:
  url: https://vigil.test
  oidc: { issuer: "https://login.test", clientId: v, clientSecretFile: ./none, roles: { viewer: [r] } }
`,
  );
  const errors = said('error');
  await expect(runCheckConfig({ file, json: false })).resolves.toBe(2);
  const text = errors.join('\n');
  expect(text).toMatch(/channels\.on-call\.email\.passwordFile.* cannot be read \(ENOENT\)/);
  expect(text).toMatch(/channels\.program\.webhook\.secretFile.* is empty/);
  expect(text).toMatch(/channels\.program\.webhook\.authorities.* cannot be read \(ENOENT\)/);
  expect(text).toMatch(/channels\.server\.fhir\.tokenFile.* cannot be read \(EISDIR\)/);
  expect(text).toMatch(/channels\.ris\.hl7\.tls\.authorities.* cannot be read \(ENOENT\)/);
  expect(text).toMatch(/admin\.oidc\.clientSecretFile.* cannot be read \(ENOENT\)/);
  expect(text).not.toContain('channels.other');
});
