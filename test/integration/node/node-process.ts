import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';

const CLI = join(import.meta.dirname, '../../../dist/cli.js');

interface LogLine {
  readonly msg: string;
  readonly dicom?: number;
}

/** The real node in a process of its own, to be killed and signalled. */
export class NodeProcess implements AsyncDisposable {
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #lines: Interface;

  private constructor(child: ChildProcess, lines: Interface, port: number) {
    this.#child = child;
    this.#lines = lines;
    this.port = port;
  }

  /** Resolves when the node says that it is ready. */
  static async start(configFile: string): Promise<NodeProcess> {
    const child = spawn(process.execPath, [CLI, 'start', '--config', configFile], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout });
    const ready = await untilLine(lines, (text) => text.startsWith('ready'));
    return new NodeProcess(child, lines, ready.dicom ?? 0);
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves when the node logs a message that begins so. */
  logged(message: string): Promise<LogLine> {
    return untilLine(this.#lines, (text) => text.startsWith(message));
  }

  /** Resolves to the exit code; null where the signal ended it. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return null;
    const exited = once(this.#child, 'exit');
    this.#child.kill(signal);
    return (await exited)[0] as number | null;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.end('SIGKILL');
  }
}

function untilLine(lines: Interface, fits: (message: string) => boolean): Promise<LogLine> {
  return new Promise((resolve, reject) => {
    const onLine = (text: string) => {
      const line = JSON.parse(text) as LogLine;
      if (!fits(line.msg)) return;
      lines.off('line', onLine).off('close', onClose);
      resolve(line);
    };
    const onClose = () => reject(new Error('The node ended before it said so'));
    lines.on('line', onLine).on('close', onClose);
  });
}
