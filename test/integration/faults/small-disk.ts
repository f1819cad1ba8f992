import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Whether file systems can be mounted; says in one line why not. For `describe.runIf(...)`.
 * @throws Error in continuous integration: a test that is skipped there proves nothing
 */
export function requireMounts(): boolean {
  if (process.platform === 'linux' && process.getuid?.() === 0) return true;
  const message = 'tests on small disks need root on Linux, to mount a tmpfs';
  if (process.env['CI']) throw new Error(message);
  console.warn(`Skipped: ${message}`);
  return false;
}

/** A disk of its own, in memory, that is gone with its scope. */
export class SmallDisk implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async mount(megabytes: number): Promise<SmallDisk> {
    const path = await mkdtemp(join(tmpdir(), 'vigil-disk-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', path]);
    return new SmallDisk(path);
  }

  /** Takes all space but so much, as somebody else's files do. */
  fill(leftBytes = 0): void {
    const piece = Buffer.alloc(64 * 1024);
    const pieces: Buffer[] = [];
    for (;;) {
      pieces.push(piece);
      try {
        writeFileSync(this.#ballast, piece, { flag: 'a' });
      } catch {
        break;
      }
    }
    if (leftBytes === 0) return;
    const kept = Math.max(0, (pieces.length - 1) * piece.length - leftBytes);
    execFileSync('truncate', ['-s', String(kept), this.#ballast]);
  }

  /** As an operating system does with a disk that fails; refused while a file is open for writing. */
  remount(mode: 'ro' | 'rw'): void {
    execFileSync('mount', ['-o', `remount,${mode}`, this.path]);
  }

  /** Gives the space back. */
  empty(): void {
    rmSync(this.#ballast, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    execFileSync('umount', ['-l', this.path]);
    await rm(this.path, { recursive: true, force: true });
  }

  get #ballast(): string {
    return join(this.path, 'ballast');
  }
}
