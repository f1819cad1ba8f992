import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Log } from './log.js';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Tells systemd how the service is (sd_notify(3), Type=notify). Node has no datagram sockets of AF_UNIX, so the
 * `systemd-notify` program speaks for it; the unit needs NotifyAccess=all. Without NOTIFY_SOCKET nothing is done, and
 * a failure is logged and never thrown: the service works the same without its supervisor knowing.
 */
export class Systemd implements AsyncDisposable {
  readonly #env: Environment;
  readonly #log: Log;
  #watchdog: NodeJS.Timeout | undefined;
  /** One at a time, so that STOPPING cannot overtake READY. */
  #sent: Promise<void> = Promise.resolve();

  constructor(options: { log: Log; env?: Environment }) {
    this.#env = options.env ?? process.env;
    this.#log = options.log;
  }

  /** Everything listens. From now on the watchdog is fed, as long as the event loop turns. */
  ready(status: string): Promise<void> {
    this.#feed();
    return this.#notify('READY=1', `STATUS=${status}`);
  }

  /** A line for `systemctl status`; without patient data. */
  status(status: string): Promise<void> {
    return this.#notify(`STATUS=${status}`);
  }

  /** The configuration is being read again; `ready` says when that is done. */
  reloading(): Promise<void> {
    return this.#notify('RELOADING=1');
  }

  /** The watchdog is fed on: a drain may take longer than its interval. */
  stopping(): Promise<void> {
    return this.#notify('STOPPING=1');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#watchdog);
    this.#watchdog = undefined;
    await this.#sent;
  }

  #feed(): void {
    const interval = watchdogIntervalMs(this.#env);
    if (interval === undefined || this.#watchdog !== undefined) return;
    this.#watchdog = setInterval(() => this.#notify('WATCHDOG=1'), interval);
    this.#watchdog.unref();
  }

  #notify(...states: string[]): Promise<void> {
    if (this.#env['NOTIFY_SOCKET'] === undefined) return Promise.resolve();
    this.#sent = this.#sent.then(async () => {
      try {
        await run('systemd-notify', states, { env: this.#env as NodeJS.ProcessEnv, timeout: 5000 });
      } catch (error) {
        this.#log.warn({ err: error, states }, 'systemd was not told');
      }
    });
    return this.#sent;
  }
}

const run = promisify(execFile);

/** Half of what systemd allows between two signs of life (sd_watchdog_enabled(3)); undefined where it expects none. */
export function watchdogIntervalMs(env: Environment): number | undefined {
  const { WATCHDOG_USEC, WATCHDOG_PID = `${process.pid}` } = env;
  const microseconds = Number(WATCHDOG_USEC);
  // The variables are inherited: another PID means that the supervisor watches a parent.
  if (!(microseconds > 0) || WATCHDOG_PID !== `${process.pid}`) return undefined;
  return Math.max(1, microseconds / 2000);
}
