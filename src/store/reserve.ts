import { existsSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** SQLite's shared memory and the first pages of its log come to less. */
const RESERVE_BYTES = 1024 * 1024;

/**
 * Opens what needs some space, though the disk be full: a file in the folder keeps that space, and is given up for it.
 * It is made again by the next start that finds room.
 * @throws what `open` throws, for another reason than space or with the reserve gone
 */
export function withReserve<T>(folder: string, open: () => T): T {
  const reserve = join(folder, 'reserve');
  let opened: T;
  try {
    opened = open();
  } catch (error) {
    if (freeBytesOf(folder) >= RESERVE_BYTES || !existsSync(reserve)) throw error;
    rmSync(reserve);
    return open();
  }
  if (!existsSync(reserve)) makeReserve(reserve);
  return opened;
}

function makeReserve(file: string): void {
  try {
    writeFileSync(file, Buffer.alloc(RESERVE_BYTES), { mode: 0o640 });
  } catch {
    // A part of it would be taken for all of it.
    rmSync(file, { force: true });
  }
}

function freeBytesOf(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}
