import { describe, expect, it } from 'vitest';
import { PASSCODE, writeUserFile } from '../../fixtures/users.js';
import { item, pdu, pdv, type RequestParts } from '../../unit/receive/pdu-bytes.js';
import { temporaryFolder } from '../deliver/objects.js';
import { CT_CONTEXT, commandPdu, RawScu, releaseRq } from './raw-scu.js';
import { ReceiveRig } from './receive-rig.js';

const VERIFICATION = '1.2.840.10008.1.1';
const RULE = { callingAeTitle: 'SCANNER', from: 'any', certificate: 'any' } as const;

/** User information item 0x58 (PS3.7 Table D.3-14). */
function identity(
  type: number,
  primary: string,
  secondary = '',
  { positiveResponse = false } = {},
): RequestParts {
  const field = (text: string) => item(0, Buffer.from(text)).subarray(2);
  const flags = Buffer.from([type, Number(positiveResponse)]);
  const value = Buffer.concat([flags, field(primary), field(secondary)]);
  return { contexts: [CT_CONTEXT], userItems: [item(0x58, value)] };
}

/** A node that wants to know the user of SCANNER, and its users' file. */
async function start(
  more: Partial<Parameters<typeof ReceiveRig.start>[0]> = {},
  users?: string,
): Promise<{ rig: ReceiveRig } & AsyncDisposable> {
  const folder = await temporaryFolder();
  const file = users ?? (await writeUserFile(folder.path));
  const rig = await ReceiveRig.start({ access: [{ ...RULE, users: file }], ...more });
  return {
    rig,
    [Symbol.asyncDispose]: async () => {
      await rig[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

const REJECTED = { type: 3, body: Buffer.from([0, 1, 2, 1]) };

/** Item 0x59 with an empty server response (PS3.7 Table D.3-15). */
const POSITIVE_RESPONSE = Buffer.from([0x59, 0, 0, 2, 0, 0]);

describe('user identity', () => {
  it('lets in a user with the right passcode, and one whose name is enough', async () => {
    await using node = await start();
    for (const parts of [identity(2, 'ct1', PASSCODE), identity(1, 'bare')]) {
      await using scu = await RawScu.connect(node.rig.port);
      const answer = await scu.associate(parts);
      expect(answer?.type).toBe(2);
      expect(answer?.body.includes(POSITIVE_RESPONSE)).toBe(false);
      scu.send(releaseRq);
      expect((await scu.next())?.type).toBe(6);
    }
  });

  it('answers positively where that is asked for', async () => {
    await using node = await start();
    await using scu = await RawScu.connect(node.rig.port);
    const parts = identity(2, 'ct1', PASSCODE, { positiveResponse: true });
    expect((await scu.associate(parts))?.body.includes(POSITIVE_RESPONSE)).toBe(true);
  });

  it.each<[string, RequestParts, RegExp]>([
    ['a wrong passcode', identity(2, 'ct1', 'guess'), /user or passcode fits no rule/],
    ['no passcode', identity(1, 'ct1'), /user or passcode fits no rule/],
    ['an unknown user', identity(2, 'ct9', PASSCODE), /user or passcode fits no rule/],
    ['no user', {}, /asks for a user, and none was stated/],
    ['a Kerberos ticket', identity(3, 'ticket'), /another type of identity/],
    ['a SAML assertion', identity(4, '<saml/>'), /another type of identity/],
    ['a JSON Web Token', identity(5, 'a.b.c'), /another type of identity/],
    ['an unknown type', identity(99, 'x'), /another type of identity/],
  ])('rejects %s as the standard says, and tells nobody what was stated', async (_, parts, why) => {
    await using node = await start();
    const rejected = node.rig.told('rejected');
    await using scu = await RawScu.connect(node.rig.port);
    expect(await scu.associate(parts)).toEqual(REJECTED);
    const [{ because }] = await rejected;
    expect(because).toMatch(why);
    expect(because).not.toMatch(/ct1|ct9|guess|correct-horse/);
  });

  it('says nothing to an identity that no rule asks for', async () => {
    await using rig = await ReceiveRig.start();
    await using scu = await RawScu.connect(rig.port);
    const answer = await scu.associate(identity(2, 'x', 'y', { positiveResponse: true }));
    expect(answer?.type).toBe(2);
    expect(answer?.body.includes(POSITIVE_RESPONSE)).toBe(false);
  });

  it('lets in by another rule of the AE title that asks for no user', async () => {
    await using node = await start({
      access: [
        { ...RULE, users: '/nowhere' },
        { ...RULE, users: 'any' },
      ],
    });
    await using scu = await RawScu.connect(node.rig.port);
    expect((await scu.associate())?.type).toBe(2);
  });

  it('puts senders off while the users cannot be read, and says why', async () => {
    await using node = await start({}, '/nowhere/users');
    const rejected = node.rig.told('rejected');
    await using scu = await RawScu.connect(node.rig.port);
    const answer = await scu.associate(identity(2, 'ct1', PASSCODE));
    expect(answer).toEqual({ type: 3, body: Buffer.from([0, 2, 3, 1]) });
    expect((await rejected)[0].because).toContain('/nowhere/users cannot be read (ENOENT)');
  });

  it('aborts who sends on before the answer, and opens no association for it', async () => {
    await using node = await start();
    await using scu = await RawScu.connect(node.rig.port);
    const value = pdv(1, { command: true, last: true }, Buffer.alloc(8));
    const answer = scu.associate(identity(2, 'ct1', PASSCODE));
    scu.send(pdu(4, value));
    expect((await answer)?.type).toBe(7);
    expect(node.rig.scp.openAssociations).toBe(0);
  });

  it('opens no more associations than the limit, though all their users are looked up at once', async () => {
    await using node = await start({ maximumAssociations: 2 });
    const scus = await Promise.all([1, 2, 3, 4].map(() => RawScu.connect(node.rig.port)));
    const answers = await Promise.all(
      scus.map((scu) => scu.associate(identity(2, 'ct1', PASSCODE))),
    );
    expect(answers.map((answer) => answer?.type).sort()).toEqual([2, 2, 3, 3]);
    for (const scu of scus) await scu[Symbol.asyncDispose]();
  });

  it('answers others while many guess', async () => {
    await using node = await start({ maximumConnections: 200 });
    await using scu = await RawScu.connect(node.rig.port);
    const contexts = [{ ...CT_CONTEXT, abstractSyntax: VERIFICATION }];
    await scu.associate({ ...identity(2, 'ct1', PASSCODE), contexts });
    const guesses = await Promise.all(
      Array.from({ length: 40 }, () => RawScu.connect(node.rig.port)),
    );
    const order: string[] = [];
    const rejections = guesses.map(async (guess, i) => {
      expect(await guess.associate(identity(2, 'ct1', `guess ${i}`))).toEqual(REJECTED);
      order.push('rejected');
    });
    await rejections[0];
    scu.send(
      commandPdu(1, [
        [0x00000002, 'UI', VERIFICATION],
        [0x00000100, 'US', 0x0030],
        [0x00000110, 'US', 7],
        [0x00000800, 'US', 0x0101],
      ]),
    );
    expect((await scu.response()).status).toBe(0);
    order.push('echoed');
    await Promise.all(rejections);
    expect(order.at(-1)).toBe('rejected');
    for (const guess of guesses) await guess[Symbol.asyncDispose]();
  });

  it('looks up nobody who has gone, and is ready for the next', async () => {
    await using node = await start();
    for (let round = 0; round < 50; round += 1) {
      const scu = await RawScu.connect(node.rig.port);
      void scu.associate(identity(2, 'ct1', PASSCODE));
      scu.socket.destroy();
    }
    await using scu = await RawScu.connect(node.rig.port);
    expect((await scu.associate(identity(2, 'ct1', PASSCODE)))?.type).toBe(2);
    expect(node.rig.scp.openAssociations).toBe(1);
    expect(node.rig.errors).toEqual([]);
  });
});
