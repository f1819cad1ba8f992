import { createHash } from 'node:crypto';
import { readFileMeta } from '../../../src/dicom/file-meta.js';
import { part10Of, samples16 } from '../pixels/part10.js';

export interface PhantomOptions {
  readonly size?: number;
  /** Semi-axes of the head in pixels, of a 256 x 256 image. */
  readonly width?: number;
  readonly height?: number;
  readonly skullHu?: number;
  readonly brainHu?: number;
  /** A round bleed off the middle. */
  readonly bleedHu?: number;
}

/** HU of a slice through a round head with skull and brain, in air. */
export function headSlice(options: PhantomOptions = {}): Float32Array {
  const { size = 256, width = 84, height = 100, skullHu = 1000, brainHu = 32, bleedHu } = options;
  return Float32Array.from({ length: size * size }, (_, i) => {
    const x = (i % size) - size / 2;
    const y = Math.floor(i / size) - size / 2;
    const radius = Math.hypot(x / width, y / height);
    if (radius > 1) return -1000;
    if (radius > 0.96) return 20;
    const noise = ((i * 7919) % 13) - 6;
    if (radius > 0.88) return skullHu;
    const bleeds = bleedHu !== undefined && Math.hypot(x - 30, y) < 20;
    return (bleeds ? bleedHu : brainHu) + noise;
  });
}

/** The same as a Part 10 file with Rescale Intercept -1024, which its header has to tell. */
export function headPart10(sopInstanceUid: string, options: PhantomOptions = {}): Buffer {
  const { size = 256 } = options;
  const stored = [...headSlice(options)].map((hu) => hu + 1024);
  return part10Of({
    rows: size,
    columns: size,
    bitsStored: 12,
    pixels: samples16(stored),
    more: { '00080018': sopInstanceUid },
  });
}

/** Hex SHA-256 of the dataset of a Part 10 file, as the catalog knows it. */
export function datasetSha256(part10: Buffer): string {
  return createHash('sha256')
    .update(part10.subarray(readFileMeta(part10)?.datasetOffset))
    .digest('hex');
}
