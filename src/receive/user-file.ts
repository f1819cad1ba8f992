import { readFile } from 'node:fs/promises';
import { parseOptions, verify } from '@node-rs/argon2';
import { type UserIdentity, UserIdentityType } from './pdu.js';

/** A users' file that cannot be used; the message says what is wrong with it and names no user. */
export class UserFileError extends Error {
  readonly code: 'unreadable' | 'malformed';

  constructor(code: UserFileError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'UserFileError';
    this.code = code;
  }
}

/** The argon2id hash of each user's passcode (PHC string format), by name; undefined where the name alone is enough. */
export type Users = ReadonlyMap<string, string | undefined>;

/**
 * Reads a file with a user a line, `name:hash` or `name` alone; empty lines and those that begin with # are passed over.
 *
 * @throws UserFileError
 */
export async function readUserFile(file: string): Promise<Users> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new UserFileError('unreadable', `${file} cannot be read (${code})`, { cause });
  }
  const users = new Map<string, string | undefined>();
  for (const [index, line] of text.split('\n').entries()) {
    const entry = line.trim();
    if (entry === '' || entry.startsWith('#')) continue;
    const refuse = (why: string) =>
      new UserFileError('malformed', `${file}: line ${index + 1} ${why}`);
    const colon = entry.indexOf(':');
    const name = (colon < 0 ? entry : entry.slice(0, colon)).normalize('NFC');
    const hash = colon < 0 ? undefined : entry.slice(colon + 1);
    if (name === '') throw refuse('has no user name');
    if (users.has(name)) throw refuse('has a user name that an earlier line has');
    if (hash !== undefined && !isArgon2id(hash)) {
      throw refuse('has no argon2id hash behind the colon: vigil hash-passcode makes the line');
    }
    users.set(name, hash);
  }
  return users;
}

/** The users of a file, which is read anew each time: a change holds from the next association on. */
export class UserFile {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  /**
   * Whether it is a user of the file, with the right passcode (PS3.7 D.3.3.7). Resolves to false without a look at it
   * where `isWaiting` says that nobody waits for the answer any more.
   *
   * @throws UserFileError
   */
  has(identity: UserIdentity, isWaiting: () => boolean): Promise<boolean> {
    const answer = turn.then(() => isWaiting() && this.#check(identity));
    turn = answer.catch(() => {});
    return answer;
  }

  async #check({ type, primaryField, secondaryField }: UserIdentity): Promise<boolean> {
    const users = await readUserFile(this.#file);
    const name = primaryField.toString('utf8').normalize('NFC');
    const hash = users.get(name);
    if (type === UserIdentityType.Username) return users.has(name) && hash === undefined;
    // Who guesses names must not learn from the time it takes which there are.
    const compared = hash ?? [...users.values()].find((one) => one !== undefined);
    if (compared === undefined) return false;
    const fits = await verify(compared, secondaryField);
    return fits && hash !== undefined;
  }
}

/** One check at a time: each takes 19 MiB and a thread of the few that files are written with as well. */
let turn: Promise<unknown> = Promise.resolve();

function isArgon2id(hash: string): boolean {
  if (!hash.startsWith('$argon2id$')) return false;
  try {
    parseOptions(hash);
    return true;
  } catch {
    return false;
  }
}
