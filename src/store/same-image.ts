import { readFileSync, statSync } from 'node:fs';
import { readFileMeta } from '../dicom/file-meta.js';
import { scanHeader } from '../dicom/header.js';
import type { InstanceHeader } from '../domain/instance.js';

/** Larger ones are not compared while others wait: they count as different. */
const MAX_BYTES = 64 * 1024 * 1024;

/**
 * Whether two Part 10 files of one SOP Instance UID are read as the same image: their pixels are the same bytes, and all
 * else that the model sees of them is equal. They may differ in what they say of patient, order or procedure, as they
 * do when a PACS corrects these and sends the image again.
 */
export function isSameImage(one: string, other: string): boolean {
  try {
    if (Math.max(statSync(one).size, statSync(other).size) > MAX_BYTES) return false;
    const [a, b] = [partsOf(one), partsOf(other)];
    return a !== undefined && b !== undefined && a.seen === b.seen && a.pixels.equals(b.pixels);
  } catch {
    // A file that is gone or cannot be read proves nothing.
    return false;
  }
}

function partsOf(file: string): { seen: string; pixels: Buffer } | undefined {
  const part10 = readFileSync(file);
  const meta = readFileMeta(part10);
  if (meta === undefined) return undefined;
  const dataset = part10.subarray(meta.datasetOffset);
  const { header, endedAt, bodyOffset } = scanHeader(dataset, meta.transferSyntaxUid);
  if (bodyOffset === undefined && (endedAt !== 'end-of-bytes' || header.frames.length > 0)) {
    return undefined;
  }
  return { seen: seenOf(header), pixels: dataset.subarray(bodyOffset ?? dataset.length) };
}

/** What makes values and places of pixels, and what the choice of series goes by beside descriptions. */
function seenOf(header: InstanceHeader): string {
  const { patient: _, studyDescription: __, seriesDescription: ___, ...seen } = header;
  return JSON.stringify(seen);
}
