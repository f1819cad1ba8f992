import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readHuImage } from '../../../src/dicom/hu-image.js';
import type { Frame, StoredInstance } from '../../../src/domain/instance.js';
import type { ImageReference } from '../../../src/infer/engine-protocol.js';
import { averageImages } from '../../../src/infer/preprocess.js';
import { SlabReader } from '../../../src/infer/slab-reader.js';
import { headSeriesIn } from './head-series-files.js';

let folder: string;
let series: StoredInstance[];
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'vigil-slabs-'));
  series = await headSeriesIn(folder, '1.1', 24);
});
afterAll(() => rm(folder, { recursive: true }));

/** Every third image is turned: its pixels go into other memory than it was read to. */
function reference(index: number): ImageReference {
  const { header, file, sha256 } = series[index] as StoredInstance;
  const stored = header.frames[0] as Frame;
  const geometry: Frame =
    index % 3 === 0 ? { ...stored, imageOrientationPatient: [-1, 0, 0, 0, -1, 0] } : stored;
  return { sopInstanceUid: header.sopInstanceUid, file, sha256, frame: 1, geometry };
}

async function fresh(group: readonly ImageReference[]) {
  const images = await Promise.all(
    group.map(async ({ file, geometry }) => readHuImage(await readFile(file), geometry)),
  );
  return averageImages(images).hu;
}

it.each([
  ['single images', 1, 1],
  ['means of two', 2, 1],
  ['more neighbours than are kept', 1, 10],
])('reads %s as they are, though memory is used again', async (_, thickness, neighbours) => {
  const slabs = Array.from({ length: series.length / thickness }, (_, slab) =>
    Array.from({ length: thickness }, (_, i) => reference(slab * thickness + i)),
  );
  const reader = new SlabReader();
  for (let round = 0; round < 2; round += 1) {
    for (let first = 0; first + neighbours <= slabs.length; first += 1) {
      const groups = slabs.slice(first, first + neighbours);
      const images = await reader.read({ key: `${first}`, groups, center: 0, channels: [] });
      for (const [i, image] of images.entries()) {
        const expected = await fresh(groups[i] as ImageReference[]);
        expect(Buffer.compare(Buffer.from(image.hu.buffer), Buffer.from(expected.buffer))).toBe(0);
      }
    }
  }
});
