import { createHash } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { bytesOf, type MadeObject, type MadeObjectRow } from '../domain/result-object.js';
import { makeDurableFolder } from './durable-folder.js';
import type { WrittenObject } from './report-objects.js';

/** The files of what Vigil makes: `results/<study>/<sop instance>.dcm`, or `.json`, in the storage folder. */
export class ResultFiles {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Writes an object so that a crash leaves it whole or not at all; the same object again replaces itself. */
  async write(studyInstanceUid: string, object: MadeObject): Promise<WrittenObject> {
    const bytes = bytesOf(object);
    const extension = object.kind === 'notification' ? 'json' : 'dcm';
    const file = fileOf(studyInstanceUid, object.sopInstanceUid, extension);
    const path = join(this.#folder, file);
    makeDurableFolder(dirname(path));
    const handle = await open(`${path}.part`, 'w');
    try {
      await handle.writeFile(bytes);
      await handle.datasync();
    } finally {
      await handle.close();
    }
    await rename(`${path}.part`, path);
    await syncFolder(dirname(path));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { object: rowOf(object), file, sha256, bytes: bytes.length };
  }

  /** Removes a file that no row names. */
  async discard(studyInstanceUid: string, sopInstanceUid: string): Promise<void> {
    for (const extension of ['dcm', 'json']) {
      await rm(join(this.#folder, fileOf(studyInstanceUid, sopInstanceUid, extension)), {
        force: true,
      });
    }
  }
}

/** Relative to the storage folder. */
function fileOf(studyInstanceUid: string, sopInstanceUid: string, extension: string): string {
  return join('results', studyInstanceUid, `${sopInstanceUid}.${extension}`);
}

function rowOf(object: MadeObject): MadeObjectRow {
  if (object.kind === 'notification') {
    const { json: _, ...row } = object;
    return row;
  }
  const { part10: _, ...row } = object;
  return row;
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
