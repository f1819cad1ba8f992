import { createHash } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ResultObject } from '../domain/result-object.js';
import type { WrittenObject } from './analysis-store.js';
import { makeDurableFolder } from './durable-folder.js';

/** The files of Vigil's own objects: `results/<study>/<sop instance>.dcm` in the storage folder. */
export class ResultFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Writes an object so that a crash leaves it whole or not at all; the same object again replaces itself. */
  async write(studyInstanceUid: string, object: ResultObject): Promise<WrittenObject> {
    const { part10, ...rest } = object;
    const file = fileOf(studyInstanceUid, object.sopInstanceUid);
    const path = join(this.#folder, file);
    makeDurableFolder(dirname(path));
    const handle = await open(`${path}.part`, 'w');
    try {
      await handle.writeFile(part10);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(`${path}.part`, path);
    await syncFolder(dirname(path));
    const sha256 = createHash('sha256').update(part10).digest('hex');
    return { object: rest, file, sha256, bytes: part10.length };
  }

  /** Removes a file that no row names. */
  async discard(studyInstanceUid: string, sopInstanceUid: string): Promise<void> {
    await rm(join(this.#folder, fileOf(studyInstanceUid, sopInstanceUid)), { force: true });
  }
}

/** Relative to the storage folder. */
function fileOf(studyInstanceUid: string, sopInstanceUid: string): string {
  return join('results', studyInstanceUid, `${sopInstanceUid}.dcm`);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
