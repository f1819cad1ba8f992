import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigConflictError } from '../../../src/config/change-errors.js';
import { loadSettings } from '../../../src/config/load-settings.js';
import { type ChangeNote, ConfigVersions } from '../../../src/config-versions.js';
import { temporaryFolder } from '../node/node-rig.js';

const ALICE: ChangeNote = { who: 'alice', how: 'command', reason: 'less noise' };
const BOB: ChangeNote = { who: 'bob', how: 'api', reason: 'more noise' };
/** A comment, and a spelling that no writer of YAML would choose. */
const text = (level: string) => `# the night shift's\nlog:   { "level" : ${level} } # here\n`;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let file: string;
let versions: ConfigVersions;
beforeEach(async () => {
  folder = await temporaryFolder();
  file = join(folder.path, 'vigil.yaml');
  await writeFile(file, text('info'));
  versions = new ConfigVersions(file, {});
});
afterEach(() => folder[Symbol.asyncDispose]());

const started = async (how: 'start' | 'file' = 'start') =>
  versions.noteInForce(await loadSettings(file, {}), how);
const onDisk = () => readFile(file, 'utf8');
/** Of each version, newest first: its number, and what is asked for. */
const told = async (...keys: ('who' | 'how' | 'reason' | 'rollbackTo')[]) =>
  (await versions.history(10)).map((one) => [one.version, ...keys.map((key) => one[key])]);

describe('versions of the configuration', () => {
  it('are kept when a node starts with a text that is not the newest, and over restarts', async () => {
    await started();
    await started();
    expect(await told('who', 'how', 'reason')).toEqual([[1, 'file', 'start', 'the first start']]);
    await writeFile(file, text('warn'));
    await started();
    expect(await told('who', 'reason')).toEqual([
      [2, 'file', 'edited in the file'],
      [1, 'file', 'the first start'],
    ]);
    expect((await versions.find('1')).text).toBe(text('info'));
  });

  it('are applied to the byte, with who, when and why, and taken note of when they are in force', async () => {
    await started();
    const begun = Date.now();
    const { version, changed } = await versions.apply(text('debug'), '1', ALICE);
    expect([version, changed]).toMatchObject([
      { version: 2, who: 'alice', reason: 'less noise' },
      true,
    ]);
    expect(version.appliedAt).toBeGreaterThanOrEqual(begun);
    expect(version.inForceAt).toBeUndefined();
    expect(await onDisk()).toBe(text('debug'));
    await started('file');
    const [newest, ...older] = await versions.history(10);
    expect(newest).toMatchObject({ version: 2, who: 'alice' });
    expect(newest?.inForceAt).toBeGreaterThanOrEqual(begun);
    expect(older).toHaveLength(1);
  });

  it('do not overwrite what somebody else has applied: the conflict names who, what and why', async () => {
    await started();
    const { hash } = await versions.current();
    await versions.apply(text('debug'), hash, ALICE);
    const late = await versions.apply(text('trace'), hash, BOB).catch((error: unknown) => error);
    expect(late).toBeInstanceOf(ConfigConflictError);
    expect(late).toMatchObject({ since: [{ version: 2, who: 'alice', reason: 'less noise' }] });
    expect((late as Error).message).toMatch(/version 2 by alice at 20.*: less noise/);
    expect(await onDisk()).toBe(text('debug'));
    await expect(versions.apply(text('trace'), 'abcdef123', BOB)).rejects.toThrow(/is not version/);
  });

  it('do not overwrite an edit of the file that no node has seen, and keep it', async () => {
    await started();
    await writeFile(file, text('loud'));
    const conflict = versions.apply(text('trace'), '1', BOB);
    await expect(conflict).rejects.toMatchObject({ since: [{ version: 2, who: 'file' }] });
    expect((await versions.find('2')).text).toBe(text('loud'));
  });

  it('of two that are applied at once from the same one, one is', async () => {
    await started();
    const levels = ['fatal', 'error', 'warn', 'debug', 'trace'];
    const tries = await Promise.allSettled(
      levels.map((level) => new ConfigVersions(file, {}).apply(text(level), '1', ALICE)),
    );
    const won = tries.findIndex(({ status }) => status === 'fulfilled');
    expect(tries.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(await onDisk()).toBe(text(levels[won] ?? ''));
    expect(await versions.history(10)).toHaveLength(2);
  });

  it('are refused with everything that is wrong, and nothing is written', async () => {
    await started();
    const bad =
      'log: { level: loud }\nnode: { port: 99999 }\nroutes: [{ name: a, send: { to: [b] } }]\n';
    await expect(versions.apply(bad, '1', ALICE)).rejects.toMatchObject({
      code: 'config-invalid',
      problems: [{ path: 'log.level' }, { path: 'node.port' }, { path: 'routes[0].send.to[0]' }],
    });
    expect(await onDisk()).toBe(text('info'));
    expect(await versions.history(10)).toHaveLength(1);
  });

  it('are rolled back, also over a file that is no YAML any more', async () => {
    await started();
    await versions.apply(text('debug'), '1', ALICE);
    await writeFile(file, 'log: { level: [');
    const { version } = await versions.rollback('1', BOB);
    expect(version).toMatchObject({ version: 4, rollbackTo: 1, who: 'bob' });
    expect(await onDisk()).toBe(text('info'));
    expect((await versions.find('3')).text).toBe('log: { level: [');
    await expect(versions.rollback('99', BOB)).rejects.toMatchObject({ code: 'no-version' });
  });

  it('say which keys need a restart, and that nothing has changed', async () => {
    await started();
    const moved = `${text('info')}node: { port: 4242 }\n`;
    expect(await versions.apply(moved, '1', ALICE)).toMatchObject({ restartNeeded: ['node.port'] });
    expect(await versions.apply(moved, '2', BOB)).toMatchObject({
      changed: false,
      restartNeeded: [],
    });
    expect(await told('who')).toEqual([
      [2, 'alice'],
      [1, 'file'],
    ]);
  });

  it('lie in the storage folder of a file whose other sections are faulty', async () => {
    await mkdir(join(folder.path, 'store'));
    await writeFile(file, 'storage: { folder: ./store }\n');
    await started();
    await writeFile(file, 'storage: { folder: ./store }\nlog: { level: loud }\nnode: [\n');
    expect(await versions.history(10)).toHaveLength(1);
  });

  it('cannot be applied before the first start', async () => {
    const elsewhere = `storage: { folder: ./nowhere }\n${text('info')}`;
    await writeFile(file, elsewhere);
    const { hash } = await versions.current();
    await expect(versions.apply(text('debug'), hash, ALICE)).rejects.toMatchObject({
      code: 'no-history',
    });
    expect(await onDisk()).toBe(elsewhere);
  });

  it('leave no trace where the file cannot be changed from here', async () => {
    const mounted = join(folder.path, '..2026_11_25');
    await mkdir(mounted);
    await writeFile(join(mounted, 'vigil.yaml'), text('info'));
    await rm(file);
    await symlink(join('..2026_11_25', 'vigil.yaml'), file);
    await started();
    await expect(versions.apply(text('warn'), '1', ALICE)).rejects.toMatchObject({
      code: 'config-not-writable',
    });
    expect(await versions.history(10)).toHaveLength(1);
  });
});
