import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Peer } from '../../../src/deliver/association.js';
import { echo } from '../../../src/deliver/echo-scu.js';
import { PasscodeFileError, userIdentityOf } from '../../../src/deliver/peer-user.js';
import { sendObjects } from '../../../src/deliver/store-scu.js';
import { PASSCODE, writeUserFile } from '../../fixtures/users.js';
import { ReceiveRig } from '../receive/receive-rig.js';
import { temporaryFolder, writeObject } from './objects.js';

/** A Vigil that asks VIGIL-2 for a user, and what calls it with a passcode of the test's. */
async function start({ asking = true } = {}) {
  const folder = await temporaryFolder();
  const users = await writeUserFile(folder.path);
  const rule = { callingAeTitle: 'VIGIL-2', from: 'any', certificate: 'any', users } as const;
  const rig = await ReceiveRig.start(asking ? { access: [rule] } : {});
  const passcodeFile = join(folder.path, 'passcode');
  const peer = (user: Omit<NonNullable<Peer['user']>, 'mustConfirm'>, mustConfirm = false) => ({
    aeTitle: 'VIGIL',
    callingAeTitle: 'VIGIL-2',
    host: '127.0.0.1',
    port: rig.port,
    user: { ...user, mustConfirm },
  });
  return {
    rig,
    folder: folder.path,
    passcodeFile,
    peer,
    [Symbol.asyncDispose]: async () => {
      await rig[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

describe('a peer that asks for a user', () => {
  it('is told the one of the configuration, for C-STORE and C-ECHO', async () => {
    await using node = await start();
    await writeFile(node.passcodeFile, `${PASSCODE}\r\n`);
    const peer = node.peer({ name: 'ct1', passcodeFile: node.passcodeFile }, true);
    await expect(echo(peer)).resolves.toBeDefined();
    const results = await sendObjects(peer, [await writeObject(node.folder, 1)]);
    expect(results).toEqual([{ type: 'stored', status: 0 }]);
    await expect(echo(node.peer({ name: 'bare' }))).resolves.toBeDefined();
  });

  it('is told a passcode that has changed, without a restart', async () => {
    await using node = await start();
    const peer = node.peer({ name: 'ct1', passcodeFile: node.passcodeFile });
    await writeFile(node.passcodeFile, 'old\n');
    await expect(echo(peer)).rejects.toMatchObject({
      code: 'association-rejected',
      failureClass: 'permanent',
      message: expect.stringContaining('the passcode is wrong'),
    });
    await writeFile(node.passcodeFile, PASSCODE);
    await expect(echo(peer)).resolves.toBeDefined();
  });

  it('is not called while there is no passcode', async () => {
    await using node = await start();
    const peer = node.peer({ name: 'ct1', passcodeFile: node.passcodeFile });
    await expect(echo(peer)).rejects.toMatchObject({
      code: 'passcode-file',
      failureClass: 'transient',
      message: `${node.passcodeFile} cannot be read (ENOENT)`,
    });
  });

  it('is guessed where no user is configured', async () => {
    await using node = await start();
    const { user: _, ...peer } = node.peer({ name: 'ct1' });
    await expect(echo(peer)).rejects.toThrow('it may ask for a user and a passcode');
  });
});

describe('a peer that asks for no user', () => {
  it('takes one that is told, but not where it must say so', async () => {
    await using node = await start({ asking: false });
    await expect(echo(node.peer({ name: 'ct1' }))).resolves.toBeDefined();
    await expect(echo(node.peer({ name: 'ct1' }, true))).rejects.toMatchObject({
      code: 'user-not-confirmed',
      failureClass: 'permanent',
    });
  });
});

describe('a passcode file', () => {
  it.each([
    ['empty', '', 'has no passcode in its first line'],
    ['of an empty first line', '\nsecret\n', 'has no passcode in its first line'],
    ['too long', 'x'.repeat(1025), 'more than 1024 bytes'],
  ])('%s is refused', async (_, text, message) => {
    await using folder = await temporaryFolder();
    const passcodeFile = join(folder.path, 'passcode');
    await writeFile(passcodeFile, text);
    const read = userIdentityOf({ name: 'ct1', passcodeFile, mustConfirm: false });
    await expect(read).rejects.toThrow(PasscodeFileError);
    await expect(read).rejects.toThrow(message);
  });
});
