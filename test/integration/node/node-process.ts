import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { text } from 'node:stream/consumers';

const CLI = join(import.meta.dirname, '../../../dist/cli.js');

const KEPT_LINES = 100;

interface LogLine {
  readonly msg: string;
  readonly dicom?: number;
  readonly admin?: number;
  readonly child?: number;
}

export interface NodeProcessOptions {
  /** Put before the program's own, such as `['strace', '-f']`. */
  readonly wrapper?: readonly string[];
  /** For Node itself. */
  readonly execArgv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * The real node in a process of its own, to be killed and signalled. It leads a process group, so that a kill takes its
 * inference process with it, as a power cut does.
 */
export class NodeProcess implements AsyncDisposable {
  /** Resolves to the exit code, or null where a signal ended it. */
  readonly ended: Promise<number | null>;
  /** Resolves, when the process is gone, to what was written to file descriptor 3. */
  readonly report: Promise<string>;
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #ready: Promise<LogLine>;
  readonly #lastLines: string[] = [];
  #port = 0;
  #adminPort = 0;

  private constructor(child: ChildProcess, lines: Interface) {
    this.#child = child;
    this.#lines = lines;
    lines.on('line', (line) => {
      this.#lastLines.push(line);
      if (this.#lastLines.length > KEPT_LINES) this.#lastLines.shift();
    });
    // A group of its own would live on after whoever started it.
    const killGroup = () => this.#kill();
    process.on('exit', killGroup);
    this.ended = once(child, 'exit').then(([code]) => {
      process.off('exit', killGroup);
      return code as number | null;
    });
    this.report = text(child.stdio[3] as NodeJS.ReadableStream);
    this.#ready = untilLine(lines, (message) => message.startsWith('ready'));
    this.#ready.catch(() => {});
  }

  static spawn(configFile: string, options: NodeProcessOptions = {}): NodeProcess {
    const { wrapper = [], execArgv = [], env } = options;
    const [command = '', ...args] = [
      ...wrapper,
      process.execPath,
      ...execArgv,
      CLI,
      'start',
      '--config',
      configFile,
    ];
    const child = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'inherit', 'pipe'],
      detached: true,
      env: { ...process.env, ...env },
    });
    return new NodeProcess(
      child,
      createInterface({ input: child.stdout as NodeJS.ReadableStream }),
    );
  }

  /** Resolves when the node says that it is ready. */
  static async start(configFile: string): Promise<NodeProcess> {
    const node = NodeProcess.spawn(configFile);
    await node.ready();
    return node;
  }

  /** Where it listens, once it is ready. */
  get port(): number {
    return this.#port;
  }

  /** Of its health and metrics, once it is ready. */
  get adminPort(): number {
    return this.#adminPort;
  }

  /** The end of its log, for whoever looks into a test that failed. */
  get lastLines(): string {
    return this.#lastLines.join('\n');
  }

  /** Resolves to the port when the node says that it is ready. @throws Error where it ends before */
  async ready(): Promise<number> {
    const { dicom = 0, admin = 0 } = await this.#ready;
    this.#port = dicom;
    this.#adminPort = admin;
    return this.#port;
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves when the node logs a message that begins so. */
  logged(message: string): Promise<LogLine> {
    return untilLine(this.#lines, (text) => text.startsWith(message));
  }

  /** SIGKILL goes to the whole process group. Resolves to the exit code; null where the signal ended it. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return null;
    if (signal === 'SIGKILL') this.#kill();
    else this.#child.kill(signal);
    return this.ended;
  }

  #kill(): void {
    const { pid } = this.#child;
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGKILL');
  }
}

function untilLine(lines: Interface, fits: (message: string) => boolean): Promise<LogLine> {
  return new Promise((resolve, reject) => {
    const onLine = (text: string) => {
      // The address for the first sign-in is for people, and no line of the log.
      if (!text.startsWith('{')) return;
      const line = JSON.parse(text) as LogLine;
      if (!fits(line.msg)) return;
      lines.off('line', onLine).off('close', onClose);
      resolve(line);
    };
    const onClose = () => reject(new Error('The node ended before it said so'));
    lines.on('line', onLine).on('close', onClose);
  });
}
