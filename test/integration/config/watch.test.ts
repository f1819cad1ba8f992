import { EventEmitter, once } from 'node:events';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadSettings } from '../../../src/config/load-settings.js';
import { ConfigError } from '../../../src/config/problems.js';
import { applicable, type ConfigChange, ConfigWatcher } from '../../../src/config/watch.js';
import { checkText } from '../../../src/config-check.js';

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vigil-config-'));
  file = join(folder, 'vigil.yaml');
  await writeFile(file, 'log: { level: info }\n');
});
afterEach(() => rm(folder, { recursive: true }));

/** A started watcher, and the next thing that it says. */
async function follow() {
  const said = new EventEmitter();
  const watcher = new ConfigWatcher({
    loaded: await loadSettings(file, {}),
    env: {},
    check: checkText,
    onChange: (change) => said.emit('said', change),
    onProblem: (error) => said.emit('said', error),
  });
  await watcher.start();
  const next = async () => (await once(said, 'said'))[0] as ConfigChange | Error;
  const heard: (ConfigChange | Error)[] = [];
  said.on('said', (what) => heard.push(what));
  return { watcher, next, heard };
}

function levelOf(change: ConfigChange | Error): string {
  if (change instanceof Error) throw change;
  return change.loaded.settings.log.level;
}

describe('a file that changes while Vigil runs', () => {
  it('is in force when it was written in place', async () => {
    const { watcher, next } = await follow();
    await using _ = watcher;
    const change = next();
    await writeFile(file, 'log: { level: debug }\n');
    expect(levelOf(await change)).toBe('debug');
  });

  it('is in force when it was renamed into place, again and again', async () => {
    const { watcher, next } = await follow();
    await using _ = watcher;
    for (const level of ['debug', 'warn', 'trace']) {
      const change = next();
      await writeFile(`${file}.new`, `log: { level: ${level} }\n`);
      await rename(`${file}.new`, file);
      expect(levelOf(await change)).toBe(level);
    }
  });

  it('is in force when a link in its path was turned to another folder', async () => {
    for (const [version, level] of [
      ['v1', 'info'],
      ['v2', 'debug'],
    ] as const) {
      await mkdir(join(folder, version));
      await writeFile(join(folder, version, 'vigil.yaml'), `log: { level: ${level} }\n`);
    }
    await symlink('v1', join(folder, 'current'));
    await rm(file);
    await symlink(join('current', 'vigil.yaml'), file);
    const { watcher, next } = await follow();
    await using _ = watcher;
    const change = next();
    await symlink('v2', join(folder, 'current.new'));
    await rename(join(folder, 'current.new'), join(folder, 'current'));
    expect(levelOf(await change)).toBe('debug');
  });

  it('is in force when it is a link and what it leads to was written in place', async () => {
    const target = join(folder, 'elsewhere', 'own.yaml');
    await mkdir(join(folder, 'elsewhere'));
    await rename(file, target);
    await symlink(target, file);
    const { watcher, next } = await follow();
    await using _ = watcher;
    const change = next();
    await writeFile(target, 'log: { level: debug }\n');
    expect(levelOf(await change)).toBe('debug');
  });

  it('leaves the running configuration in force when it is bad, and says so once', async () => {
    const { watcher, next, heard } = await follow();
    await using _ = watcher;
    const problem = next();
    await writeFile(file, 'log: { level: loud }\n');
    expect(await problem).toBeInstanceOf(ConfigError);
    const change = next();
    await writeFile(file, 'log: { level: info }\n');
    expect(levelOf(await change)).toBe('info');
    expect(heard).toHaveLength(2);
  });

  it('is not in force where it names a model package that the next start would not find', async () => {
    const { watcher, next } = await follow();
    await using _ = watcher;
    const problem = next();
    await writeFile(file, 'inference: { model: ./nowhere }\nlog: { level: debug }\n');
    expect(await problem).toMatchObject({ problems: [{ path: 'inference.model' }] });
  });

  it('is not read in halves', async () => {
    const { watcher, next, heard } = await follow();
    await using _ = watcher;
    const change = next();
    await writeFile(file, 'log: { level: de');
    await writeFile(file, 'log: { level: debug }\n');
    expect(levelOf(await change)).toBe('debug');
    expect(heard).toHaveLength(1);
  });
});

describe('reload', () => {
  it('reads the file though nothing changed', async () => {
    const { watcher, heard } = await follow();
    await using _ = watcher;
    await watcher.reload();
    expect(heard).toHaveLength(1);
  });

  it('reports a file that is gone, every time it is asked', async () => {
    const { watcher, heard } = await follow();
    await using _ = watcher;
    await rm(file);
    await watcher.reload();
    await watcher.reload();
    expect(heard.filter((what) => what instanceof ConfigError)).toHaveLength(2);
  });

  it('can be asked for before the start and after the stop, and stopped twice', async () => {
    const { watcher } = await follow();
    await watcher.start();
    await watcher.stop();
    await watcher.stop();
    await watcher.reload();
  });
});

describe('keys that need a restart', () => {
  it('keep their running values and are named', async () => {
    const running = (await loadSettings(file, {})).settings;
    await writeFile(
      file,
      'node: { port: 104 }\nreceive: { idleSeconds: 5 }\nstorage: { minFreeMb: 1 }\nreport: { researchText: Research }\n',
    );
    const next = (await loadSettings(file, {})).settings;
    const { settings, restartNeeded } = applicable(running, next);
    expect(restartNeeded).toEqual(['node.port', 'storage.minFreeMb', 'receive.idleSeconds']);
    expect(settings.node).toEqual(running.node);
    expect(settings.receive).toEqual(running.receive);
    expect(settings.storage).toEqual(running.storage);
    expect(settings.report).toEqual({ researchText: 'Research' });
  });

  it('are named again with the next change, until the restart', async () => {
    const { watcher, heard } = await follow();
    await using _ = watcher;
    await writeFile(file, 'node: { port: 104 }\n');
    await watcher.reload();
    await watcher.reload();
    expect(heard.map((what) => (what as ConfigChange).restartNeeded)).toEqual([
      ['node.port'],
      ['node.port'],
    ]);
  });
});
