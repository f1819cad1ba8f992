import { readFile } from 'node:fs/promises';

/** The secret in a file, without the line's end. Read for each use: a changed file counts at once. */
export async function readSecret(file: string): Promise<string> {
  const secret = (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
  if (secret === '') throw Object.assign(new Error('is empty'), { code: 'empty' });
  return secret;
}
