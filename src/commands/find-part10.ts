import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { OutgoingObject } from '../deliver/store-scu.js';
import { readFileMeta } from '../dicom/file-meta.js';

/** More than any File Meta Information that is not made to be long. */
const HEAD_BYTES = 4096;

/** A DICOMDIR is a Part 10 file, but no object that could be stored (PS3.10 8). */
const MEDIA_STORAGE_DIRECTORY = '1.2.840.10008.1.3.10';

export interface FoundFiles {
  readonly objects: readonly OutgoingObject[];
  /** Files that are no Part 10 file, or a DICOMDIR. */
  readonly skipped: number;
}

/** The objects among files and in folders at any depth, in the order of their names. @throws where a path is missing. */
export async function findPart10(paths: readonly string[]): Promise<FoundFiles> {
  const objects: OutgoingObject[] = [];
  let skipped = 0;
  for (const path of paths) {
    for await (const file of filesUnder(path)) {
      const meta = readFileMeta(await headOf(file));
      if (meta === undefined || meta.sopClassUid === MEDIA_STORAGE_DIRECTORY) skipped += 1;
      else objects.push({ ...meta, file });
    }
  }
  return { objects, skipped };
}

async function* filesUnder(path: string): AsyncGenerator<string> {
  if (!(await stat(path)).isDirectory()) {
    yield path;
    return;
  }
  const entries = await readdir(path, { withFileTypes: true });
  entries.sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  for (const entry of entries) {
    const inside = join(path, entry.name);
    if (entry.isDirectory()) yield* filesUnder(inside);
    else if (entry.isFile()) yield inside;
  }
}

async function headOf(file: string): Promise<Buffer> {
  await using handle = await open(file);
  const { buffer, bytesRead } = await handle.read({ buffer: Buffer.alloc(HEAD_BYTES) });
  return buffer.subarray(0, bytesRead);
}
