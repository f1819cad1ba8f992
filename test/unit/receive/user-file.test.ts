import { appendFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readUserFile, UserFile } from '../../../src/receive/user-file.js';
import { PASSCODE, writeUserFile } from '../../fixtures/users.js';
import { temporaryFolder } from '../../integration/deliver/objects.js';

const waiting = () => true;
const identity = (name: string, passcode?: string) => ({
  type: passcode === undefined ? 1 : 2,
  positiveResponseRequested: false,
  primaryField: Buffer.from(name),
  secondaryField: Buffer.from(passcode ?? ''),
});

describe('a file of users', () => {
  it.each<[string, string | undefined, boolean]>([
    ['ct1', PASSCODE, true],
    ['ct1', `${PASSCODE}x`, false],
    ['ct1', '', false],
    ['ct1', undefined, false],
    ['CT1', PASSCODE, false],
    ['ct2', PASSCODE, false],
    ['', PASSCODE, false],
    ['bare', undefined, true],
    ['bare', PASSCODE, false],
    ['bare', '', false],
    ['nobody', undefined, false],
  ])('has %s with %s: %s', async (name, passcode, has) => {
    await using folder = await temporaryFolder();
    const users = new UserFile(await writeUserFile(folder.path));
    await expect(users.has(identity(name, passcode), waiting)).resolves.toBe(has);
  });

  it('holds nobody who has a passcode where all have none', async () => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'users');
    await writeFile(file, 'bare\n');
    await expect(new UserFile(file).has(identity('bare', 'x'), waiting)).resolves.toBe(false);
  });

  it('is read anew each time', async () => {
    await using folder = await temporaryFolder();
    const file = await writeUserFile(folder.path);
    const users = new UserFile(file);
    await expect(users.has(identity('ct2'), waiting)).resolves.toBe(false);
    await appendFile(file, 'ct2\n');
    await expect(users.has(identity('ct2'), waiting)).resolves.toBe(true);
  });

  it('is not looked at for a requestor that has gone', async () => {
    const users = new UserFile('/nowhere/users');
    await expect(users.has(identity('ct1'), () => false)).resolves.toBe(false);
    await expect(users.has(identity('ct1'), waiting)).rejects.toThrow('cannot be read (ENOENT)');
  });

  it.each([
    ['a passcode in clear', 'ct1:secret', 'line 1 has no argon2id hash'],
    ['another hash', 'a\nct1:$2b$12$abcdefghijklmnopqrstuv', 'line 2 has no argon2id hash'],
    ['a hash cut off', 'ct1:$argon2id$v=19$m=19456', 'line 1 has no argon2id hash'],
    ['no name', ':x', 'line 1 has no user name'],
    ['a name twice', 'a\n#\na', 'line 3 has a user name that an earlier line has'],
  ])('is refused with %s, and what it holds is not told', async (_, text, message) => {
    await using folder = await temporaryFolder();
    const file = join(folder.path, 'users');
    await writeFile(file, text);
    const error = await readUserFile(file).catch((thrown: Error) => thrown);
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toContain(message);
    expect((error as Error).message).not.toMatch(/secret|ct1|argon2id\$/);
  });
});
