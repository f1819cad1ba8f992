import { chmod, mkdtemp, readFile, rm, watch, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Systemd, watchdogIntervalMs } from '../../../src/systemd.js';

const log = pino({ level: 'silent' });
let folder: string;
let said: string;

/** A systemd-notify that writes down its arguments; the real one needs systemd as PID 1. */
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vigil-systemd-'));
  said = join(folder, 'said');
  const program = join(folder, 'systemd-notify');
  await writeFile(program, `#!/bin/sh\necho "$@" >> '${said}'\n`);
  await chmod(program, 0o755);
});
afterEach(() => rm(folder, { recursive: true }));

const environment = (more = {}) => ({
  PATH: `${folder}:${process.env['PATH']}`,
  NOTIFY_SOCKET: '/run/systemd/notify',
  ...more,
});
const heard = async () => (await readFile(said, 'utf8')).trim().split('\n');

describe('Systemd', () => {
  it('tells what happens, in order, without waiting for each', async () => {
    const systemd = new Systemd({ log, env: environment() });
    systemd.ready('listening on 11112');
    systemd.reloading();
    systemd.ready('configuration read');
    systemd.status('2 analyses wait');
    systemd.stopping();
    await systemd[Symbol.asyncDispose]();
    expect(await heard()).toEqual([
      'READY=1 STATUS=listening on 11112',
      'RELOADING=1',
      'READY=1 STATUS=configuration read',
      'STATUS=2 analyses wait',
      'STOPPING=1',
    ]);
  });

  it('feeds the watchdog from ready on', async () => {
    await writeFile(said, '');
    const watching = new AbortController();
    const changes = watch(said, { signal: watching.signal });
    await using systemd = new Systemd({ log, env: environment({ WATCHDOG_USEC: '20000' }) });
    await systemd.ready('ready');
    for await (const _ of changes) {
      if ((await heard()).filter((line) => line === 'WATCHDOG=1').length >= 2) break;
    }
  });

  it('does nothing without a socket', async () => {
    const systemd = new Systemd({ log, env: { PATH: folder } });
    await systemd.ready('ready');
    await systemd[Symbol.asyncDispose]();
    await expect(heard()).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('works on where the program is missing', async () => {
    const systemd = new Systemd({ log, env: { PATH: '/nonexistent', NOTIFY_SOCKET: '/run/x' } });
    await systemd.ready('ready');
    await systemd[Symbol.asyncDispose]();
    await systemd[Symbol.asyncDispose]();
  });
});

describe('watchdogIntervalMs', () => {
  it.each([
    [{}, undefined],
    [{ WATCHDOG_USEC: '30000000' }, 15_000],
    [{ WATCHDOG_USEC: '0' }, undefined],
    [{ WATCHDOG_USEC: 'x' }, undefined],
    [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: `${process.pid}` }, 15_000],
    [{ WATCHDOG_USEC: '30000000', WATCHDOG_PID: '1' }, undefined],
  ])('%j is %j', (env, interval) => {
    expect(watchdogIntervalMs(env)).toBe(interval);
  });
});
