import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { readFileMeta } from '../dicom/file-meta.js';
import { allFinite, type HuImage, readHuImage } from '../dicom/hu-image.js';
import { PixelError } from '../dicom/pixel-error.js';
import { StageError } from '../domain/failure.js';
import type { ImageReference, SlabInput } from './engine-protocol.js';
import { averageImages } from './preprocess.js';
import { Recent } from './recent.js';

/** Neighbouring slabs are read again as channels of the next one. */
const SLABS_KEPT = 8;
/** A CT's usual image and its header: fresh memory for each file costs several times what reading it does. */
const FILE_BYTES = 1024 * 1024;

/** Reads slabs from Part 10 files as HU images, turned to display. */
export class SlabReader {
  readonly #slabs = new Recent<HuImage>(SLABS_KEPT);
  /** Memory of images that nobody has any more: fresh memory costs more than filling it. */
  readonly #spare: Float32Array[] = [];
  /** Images that are kept no more, but may be among those of the last `read`. */
  #dropped: HuImage[] = [];
  /** Frames of one object follow one another, and a multi-frame file is large. */
  #file: { readonly path: string; readonly bytes: Uint8Array } | undefined;
  readonly #memory = new Uint8Array(FILE_BYTES);

  /** The images of `groups`, in that order; good until the next call, which comes after this one. @throws StageError */
  async read({ groups }: SlabInput): Promise<HuImage[]> {
    for (const image of this.#dropped) this.#spareMemory(image.hu);
    this.#dropped = [];
    const images: HuImage[] = [];
    for (const group of groups) images.push(await this.#slab(group));
    return images;
  }

  async #slab(group: readonly ImageReference[]): Promise<HuImage> {
    const key = group.map(({ file, frame }) => `${file}#${frame}`).join('|');
    const known = this.#slabs.get(key);
    if (known) return known;
    const images: HuImage[] = [];
    for (const reference of group) images.push(await this.#image(reference));
    const slab = averageImages(images);
    if (group.length > 1) for (const { hu } of images) this.#spareMemory(hu);
    if (group.length > 1 && !allFinite(slab.hu)) {
      throw new StageError('pixels-not-finite', 'permanent', 'The mean of slices is no number');
    }
    const dropped = this.#slabs.set(key, slab);
    if (dropped !== undefined) this.#dropped.push(dropped);
    return slab;
  }

  async #image({ file, sha256, frame, geometry }: ImageReference): Promise<HuImage> {
    if (this.#file?.path !== file) {
      // Its bytes are overwritten, also where the next file turns out to be unreadable.
      this.#file = undefined;
      this.#file = { path: file, bytes: bytesOf(file, sha256, this.#memory) };
    }
    const into = this.#spare.pop();
    try {
      const image = await readHuImage(this.#file.bytes, geometry, frame, into);
      // A turned image is in other memory.
      if (into?.length === image.hu.length && image.hu !== into) this.#spareMemory(into);
      return image;
    } catch (cause) {
      if (!(cause instanceof PixelError)) throw cause;
      throw new StageError(`pixels-${cause.code}`, 'permanent', cause.message, { cause });
    }
  }

  #spareMemory(hu: Float32Array): void {
    if (this.#spare.length < SLABS_KEPT) this.#spare.push(hu);
  }
}

/**
 * The bytes of a Part 10 file, in `memory` where they fit. What is not what the scanner sent must not be read as a picture of
 * this patient.
 */
function bytesOf(file: string, sha256: string, memory: Uint8Array): Uint8Array {
  const bytes = read(file, memory);
  const dataset = bytes.subarray(readFileMeta(bytes)?.datasetOffset ?? bytes.length);
  if (createHash('sha256').update(dataset).digest('hex') !== sha256) {
    throw new StageError(
      'slice-altered',
      'permanent',
      'A stored slice is not as it was received: its checksum differs',
    );
  }
  return bytes;
}

function read(file: string, memory: Uint8Array): Uint8Array {
  try {
    return readInto(file, memory);
  } catch (cause) {
    const { code, errno } = cause as NodeJS.ErrnoException;
    // What no file system said, or a lack of memory, is nothing about the slice.
    if (errno === undefined || code === 'ENOMEM') throw cause;
    const gone = code === 'ENOENT';
    throw new StageError(
      gone ? 'slice-missing' : 'slice-unreadable',
      gone ? 'permanent' : 'transient',
      gone ? 'A stored slice is no longer there' : 'A stored slice cannot be read',
      { cause },
    );
  }
}

/** Waits for the disk: whoever reads slabs has nothing else to do meanwhile. */
function readInto(file: string, memory: Uint8Array): Uint8Array {
  const descriptor = openSync(file, 'r');
  try {
    const { size } = fstatSync(descriptor);
    const bytes = size <= memory.length ? memory : new Uint8Array(size);
    let length = 0;
    while (length < size) {
      const read = readSync(descriptor, bytes, length, size - length, length);
      if (read === 0) break;
      length += read;
    }
    return bytes.subarray(0, length);
  } finally {
    closeSync(descriptor);
  }
}
