import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { Writable } from 'node:stream';
import { hash } from '@node-rs/argon2';
import { EXIT } from './exit-codes.js';

/**
 * `vigil hash-passcode <name>`: reads a passcode from standard input, its first line without the line's end, and prints
 * the line of a users' file (`receive.access[].users`) for it.
 */
export async function runHashPasscode(
  name: string,
  input: Readable & { readonly isTTY?: boolean } = process.stdin,
): Promise<number> {
  if (!/^[^\s:#](?:[^:\p{Cc}]*[^\s:])?$/u.test(name)) {
    console.error('A user name has no colon, begins with no # and has no space at its ends');
    return EXIT.usage;
  }
  if (input.isTTY) process.stderr.write('Passcode (is not shown): ');
  const passcode = await firstLine(input);
  if (input.isTTY) process.stderr.write('\n');
  if (passcode === '') {
    console.error('There is no passcode on standard input');
    return EXIT.usage;
  }
  console.log(`${name}:${await hash(passcode)}`);
  return EXIT.done;
}

/** On a terminal nothing of it is shown; empty where the input has none. */
async function firstLine(input: Readable & { readonly isTTY?: boolean }): Promise<string> {
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: nowhere, terminal: input.isTTY === true });
  const ended = new AbortController();
  lines.once('close', () => ended.abort());
  try {
    const [line] = await once(lines, 'line', { signal: ended.signal });
    return line;
  } catch (error) {
    if (ended.signal.aborted) return '';
    throw error;
  } finally {
    lines.close();
  }
}
