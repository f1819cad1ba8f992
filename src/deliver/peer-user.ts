import { readFile } from 'node:fs/promises';
import type { UserIdentity } from './user-items.js';

/** The user that a peer is told of (PS3.7 D.3.3.7). */
export interface PeerUser {
  readonly name: string;
  /** Absolute path of a file whose first line is the passcode; the name alone is stated where absent. */
  readonly passcodeFile?: string | undefined;
  /** Whether the peer must say that it has checked the user. */
  readonly mustConfirm: boolean;
}

/** A passcode that the peer could be told in full; PS3.7 Table D.3-14 has 2 bytes for the length of item and field. */
const LONGEST_PASSCODE = 1024;

/** A passcode file that cannot be used; the message says what is wrong with it. */
export class PasscodeFileError extends Error {
  readonly code = 'passcode-file';

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PasscodeFileError';
  }
}

/** Reads the passcode anew, so that a changed one needs no restart. @throws PasscodeFileError */
export async function userIdentityOf(user: PeerUser): Promise<UserIdentity> {
  const { name, passcodeFile, mustConfirm } = user;
  return {
    name,
    positiveResponseRequested: mustConfirm,
    ...(passcodeFile !== undefined && { passcode: await readPasscode(passcodeFile) }),
  };
}

async function readPasscode(file: string): Promise<Buffer> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    throw new PasscodeFileError(`${file} cannot be read (${code})`, { cause });
  }
  const [line = ''] = bytes.toString('latin1').split(/\r?\n/, 1);
  if (line === '') throw new PasscodeFileError(`${file} has no passcode in its first line`);
  if (line.length > LONGEST_PASSCODE) {
    throw new PasscodeFileError(
      `${file} has a first line of more than ${LONGEST_PASSCODE} bytes: it is taken as the passcode`,
    );
  }
  return Buffer.from(line, 'latin1');
}
