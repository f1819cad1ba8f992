import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shortHash } from '../config/change-errors.js';
import { ConfigVersions } from '../config-versions.js';
import { runConfigApply } from './config-versions.js';
import { EXIT } from './exit-codes.js';

/**
 * `vigil config edit`: an editor on a copy, which is then applied. A copy that cannot be applied stays, and the command
 * that applies it when it is mended is told.
 */
export async function runConfigEdit(options: { config: string; reason: string }): Promise<number> {
  const { config, reason } = options;
  const versions = new ConfigVersions(config);
  const { text, hash } = await versions.current();
  const folder = await mkdtemp(join(tmpdir(), 'vigil-config-'));
  const copy = join(folder, 'vigil.yaml');
  await writeFile(copy, text, { mode: 0o600 });
  const code = await edit(copy);
  if (code === 0 && (await readFile(copy, 'utf8')) === text) {
    await rm(folder, { recursive: true });
    console.log('Nothing was changed');
    return EXIT.done;
  }
  const from = shortHash(hash);
  const result = code === 0 ? await applied() : EXIT.failed;
  if (result === EXIT.done) await rm(folder, { recursive: true });
  else {
    const again = `vigil config apply ${copy} --from ${from} --reason ${quoted(reason)} --config ${quoted(config)}`;
    console.error(`Nothing was applied; your copy is kept:\n  ${again}`);
  }
  return result;

  async function applied(): Promise<number> {
    try {
      return await runConfigApply({ file: copy, from, reason, config, json: false });
    } catch (error) {
      console.error((error as Error).message);
      return EXIT.usage;
    }
  }
}

/** Exit code of the editor, which may be a command with arguments. */
async function edit(file: string): Promise<number> {
  const { VISUAL, EDITOR } = process.env;
  const editor = VISUAL || EDITOR || 'vi';
  const child = spawn('/bin/sh', ['-c', `${editor} "$1"`, 'sh', file], { stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) console.error(`The editor "${editor}" ended with ${code ?? 'a signal'}`);
  return code ?? 1;
}

/** A word for the shell. */
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`;
