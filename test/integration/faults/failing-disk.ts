import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, openSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCE = fileURLToPath(new URL('./fail-io.c', import.meta.url));

/**
 * Whether a C compiler is there for what stands between the node and its disk; says in one line why not.
 * @throws Error in continuous integration: a test that is skipped there proves nothing
 */
export function requireCompiler(): boolean {
  if (process.platform === 'linux' && spawnSync('cc', ['--version']).status === 0) return true;
  const message = 'tests on failing disks need Linux and a C compiler, cc';
  if (process.env['CI']) throw new Error(message);
  console.warn(`Skipped: ${message}`);
  return false;
}

type Errno = 'EIO' | 'EROFS' | 'ENOSPC';

/** What fails, and how; what is left out works. */
export interface Fault {
  readonly write?: Errno;
  readonly sync?: Errno;
  readonly read?: Errno;
  /** Making, opening for writing and renaming. */
  readonly entry?: Errno;
}

/** As `struct fault` of fail-io.c has it. */
const SIZE = 256;
const FAILED_AT = 16;
const PART_AT = 20;

/** Makes system calls of processes that run with its environment fail, from one moment to another. */
export class FailingDisk {
  readonly env: Readonly<Record<string, string>>;
  readonly #control: string;

  /** Compiles what fails into a folder. */
  constructor(folder: string) {
    const library = join(folder, 'fail-io.so');
    execFileSync('cc', ['-shared', '-fPIC', '-O2', '-o', library, SOURCE, '-ldl']);
    this.#control = join(folder, 'fail-io.control');
    writeFileSync(this.#control, Buffer.alloc(SIZE));
    this.env = { LD_PRELOAD: library, FAIL_IO: this.#control };
  }

  /** From now on, for paths that hold `part`. */
  fail(fault: Fault, part: string): void {
    const bytes = Buffer.alloc(SIZE);
    for (const [i, name] of (['write', 'sync', 'read', 'entry'] as const).entries()) {
      const errno = fault[name];
      if (errno !== undefined) bytes.writeInt32LE(constants.errno[errno], 4 * i);
    }
    bytes.write(part, PART_AT);
    this.#write(bytes);
  }

  heal(): void {
    this.#write(Buffer.alloc(SIZE));
  }

  /** Calls that failed since `fail`. */
  get failed(): number {
    const bytes = Buffer.alloc(SIZE);
    const file = openSync(this.#control, 'r');
    readSync(file, bytes, 0, SIZE, 0);
    closeSync(file);
    return bytes.readInt32LE(FAILED_AT);
  }

  #write(bytes: Buffer): void {
    const file = openSync(this.#control, 'r+');
    writeSync(file, bytes, 0, SIZE, 0);
    closeSync(file);
  }
}
