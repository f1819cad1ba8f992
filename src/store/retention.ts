import { renameSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Log } from '../log.js';
import { DELETE_OLD_COMMITMENTS } from './commitment-queries.js';
import { CONFLICT_FILES_OF_STUDY } from './conflict-queries.js';
import type { Catalog } from './database.js';
import { eventWriter } from './events.js';
import * as sql from './queries.js';

export interface RetentionLimits {
  readonly maxAgeMs: number;
  readonly minFreeBytes: number;
}

/** Folders of the archive that hold one folder for each study. */
const STUDY_FOLDERS = ['instances', 'results'];

/**
 * Removes studies that are older than the limit, then the oldest ones while the disk has less free space than it
 * should. Never removed: what is being received, read, reported or is not delivered yet, and what is in a conflict that
 * nobody has settled.
 * should, and requests for commitment that no instance is left of. Never removed: what is being received, read, reported or is not delivered yet, and what is in conflict.
 */
export class Retention {
  readonly #catalog: Catalog;
  readonly #folder: string;
  readonly #freeBytes: () => Promise<number>;
  readonly #log: Log;

  constructor(options: {
    catalog: Catalog;
    folder: string;
    freeBytes: () => Promise<number>;
    log: Log;
  }) {
    this.#catalog = options.catalog;
    this.#folder = options.folder;
    this.#freeBytes = options.freeBytes;
    this.#log = options.log;
  }

  /** Finishes removals that a crash cut off. */
  async recover(): Promise<void> {
    await mkdir(this.#trash, { recursive: true });
    const rows = this.#catalog.prepare(sql.STUDIES_BEING_REMOVED).all();
    for (const { studyInstanceUid } of rows as { studyInstanceUid: string }[]) {
      this.#remove(studyInstanceUid, 'interrupted');
    }
    await this.#emptyTrash();
  }

  /** One pass; returns how many studies were removed. */
  async run(limits: RetentionLimits, now: number): Promise<number> {
    let removed = 0;
    for (const uid of this.#removable(now - limits.maxAgeMs, 1000)) {
      this.#remove(uid, 'age');
      removed += 1;
    }
    await this.#emptyTrash();
    this.#catalog.prepare(DELETE_OLD_COMMITMENTS).run({ before: now - limits.maxAgeMs });
    while ((await this.#freeBytes()) < limits.minFreeBytes) {
      const [uid] = this.#removable(now, 1);
      if (uid === undefined) {
        this.#log.warn('free space is under its limit and no study may be removed');
        break;
      }
      this.#remove(uid, 'space');
      removed += 1;
      await this.#emptyTrash();
    }
    return removed;
  }

  get #trash(): string {
    return join(this.#folder, 'trash');
  }

  #removable(before: number, limit: number): string[] {
    const rows = this.#catalog.prepare(sql.REMOVABLE_STUDIES).all({ before, limit });
    return (rows as { studyInstanceUid: string }[]).map((row) => row.studyInstanceUid);
  }

  /**
   * Moves the files away and deletes the rows without giving up the thread, so that no instance of the study can be
   * committed in between; the mark lets the next start finish what a crash cut off.
   */
  #remove(studyInstanceUid: string, why: 'age' | 'space' | 'interrupted'): void {
    const event = eventWriter(this.#catalog);
    this.#catalog.prepare(sql.MARK_REMOVING).run(studyInstanceUid);
    for (const folder of STUDY_FOLDERS) {
      const name = `${folder}-${studyInstanceUid}-${Date.now()}`;
      moveIfThere(join(this.#folder, folder, studyInstanceUid), join(this.#trash, name));
    }
    const apart = this.#catalog.prepare(CONFLICT_FILES_OF_STUDY).all(studyInstanceUid);
    for (const { file } of apart as { file: string }[]) {
      moveIfThere(join(this.#folder, file), join(this.#trash, basename(file)));
    }
    this.#catalog
      .transaction(() => {
        for (const statement of sql.DELETE_STUDY_ROWS) {
          this.#catalog.prepare(statement).run(studyInstanceUid);
        }
        event({ at: Date.now(), kind: 'study-removed', studyInstanceUid, detail: { why } });
      })
      .immediate();
  }

  async #emptyTrash(): Promise<void> {
    await rm(this.#trash, { recursive: true, force: true });
    await mkdir(this.#trash, { recursive: true });
  }
}

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
