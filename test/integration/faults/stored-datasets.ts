import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { readFileMeta } from '../../../src/dicom/file-meta.js';
import type { Acknowledgement } from '../../../src/simulate/scanner.js';

/** SOP Instance UIDs of what was answered with success. */
export function acknowledgedOf(sent: readonly Acknowledgement[]): string[] {
  return sent.filter(({ status }) => status === 0).map(({ sopInstanceUid }) => sopInstanceUid);
}

/** Each of these images that was answered with success is in the storage folder, byte for byte as it was sent. */
export function expectKept(
  storage: string,
  images: readonly Uint8Array[],
  sent: readonly Acknowledgement[],
): void {
  const stored = storedDatasets(storage);
  const acknowledged = acknowledgedOf(sent);
  for (const image of images) {
    const { sopInstanceUid, dataset } = instanceOf(image) ?? {};
    if (sopInstanceUid === undefined || !acknowledged.includes(sopInstanceUid)) continue;
    expect(dataset?.equals(stored.get(sopInstanceUid) ?? Buffer.alloc(0))).toBe(true);
  }
}

/**
 * The datasets of all slices that a node keeps, by SOP Instance UID. It may be at work: a file only ever moves from
 * the incoming folder to its place, so one that is gone from the first is found in the second.
 */
function storedDatasets(storage: string): ReadonlyMap<string, Buffer> {
  const stored = new Map<string, Buffer>();
  for (const folder of ['incoming', 'instances']) {
    for (const name of readdirSync(join(storage, folder), { recursive: true }) as string[]) {
      if (!name.endsWith('.dcm')) continue;
      const instance = instanceOf(readThere(join(storage, folder, name)));
      if (instance) stored.set(instance.sopInstanceUid, instance.dataset);
    }
  }
  return stored;
}

function readThere(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return Buffer.alloc(0);
    throw error;
  }
}

function instanceOf(part10: Uint8Array): { sopInstanceUid: string; dataset: Buffer } | undefined {
  const bytes = Buffer.from(part10);
  const meta = readFileMeta(bytes);
  return (
    meta && { sopInstanceUid: meta.sopInstanceUid, dataset: bytes.subarray(meta.datasetOffset) }
  );
}
