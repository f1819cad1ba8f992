import { readFile } from 'node:fs/promises';
import type { SendResult } from '../domain/send-result.js';
import { failed } from './channel.js';

/** The secret in a file, without the line's end. Read for each use: a changed file counts at once. */
export async function readSecret(file: string): Promise<string> {
  const secret = (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
  if (secret === '') throw Object.assign(new Error('is empty'), { code: 'empty' });
  return secret;
}

/** What a channel reads for each notification: a secret, and certificates in PEM that the receiver's may lead to. */
export interface ChannelFiles {
  readonly secret?: string | undefined;
  readonly authorities?: Buffer | undefined;
}

/** Reads the files, given by absolute paths, or says how telling has failed. */
export async function readChannelFiles(
  secretFile: string | undefined,
  authorities: string | undefined,
): Promise<ChannelFiles | Extract<SendResult, { type: 'failed' }>> {
  try {
    return {
      secret: secretFile && (await readSecret(secretFile)),
      authorities: authorities === undefined ? undefined : await readFile(authorities),
    };
  } catch (error) {
    const { code = 'unknown' } = error as NodeJS.ErrnoException;
    return failed('transient', 'secret-unreadable', `A file of the channel is unusable (${code})`);
  }
}
