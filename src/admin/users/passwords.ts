import { type Algorithm, hash, verify } from '@node-rs/argon2';

/** OWASP's Password Storage Cheat Sheet: argon2id with 19 MiB, two passes, one lane. */
const OPTIONS = {
  algorithm: 2 satisfies Algorithm.Argon2id,
  memoryCost: 19_456,
  timeCost: 2,
  parallelism: 1,
};

/** The hash in PHC form, made off the event loop. */
export function hashPassword(password: string): Promise<string> {
  return hash(password.normalize('NFC'), OPTIONS);
}

let nobodys: Promise<string> | undefined;

/** With null, a name that has no password here, it takes as long as with one and is false. */
export async function isPassword(passwordHash: string | null, password: string): Promise<boolean> {
  nobodys ??= hashPassword('the password of nobody');
  const right = await verify(passwordHash ?? (await nobodys), password.normalize('NFC'));
  return right && passwordHash !== null;
}
