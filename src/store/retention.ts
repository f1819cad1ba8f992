import { mkdirSync, renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Log } from '../log.js';
import { DELETE_OLD_COMMITMENTS } from './commitment-queries.js';
import { CONFLICT_FILES_OF_STUDY } from './conflict-queries.js';
import type { Catalog } from './database.js';
import { eventWriter } from './events.js';
import { DELETE_OLD_STEPS } from './performed-step-queries.js';
import * as sql from './retention-queries.js';

export interface RetentionLimits {
  readonly maxAgeMs: number;
  readonly minFreeBytes: number;
}

/** Folders of the archive that hold one folder for each study. */
const STUDY_FOLDERS = ['instances', 'results'];

/**
 * Removes studies that are older than the limit, then the oldest ones while the disk has less free space than it
 * should, and forgets requests for commitment and procedure steps that nothing is left of. Never removed: what is being received, read,
 * reported or is not delivered yet, and what is in a conflict that nobody has settled.
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
    this.#tryAll(this.#beingRemoved(), 'interrupted');
    await this.#emptyTrash();
  }

  /** One pass; returns how many studies were removed. One that cannot be removed stays, and holds up no other. */
  async run(limits: RetentionLimits, now: number): Promise<number> {
    const stuck = new Set<string>();
    let removed = this.#tryAll(this.#beingRemoved(), 'interrupted', stuck);
    removed += this.#tryAll(this.#removable(now - limits.maxAgeMs, 1000), 'age', stuck);
    await this.#emptyTrash();
    for (const statement of [DELETE_OLD_COMMITMENTS, DELETE_OLD_STEPS]) {
      this.#catalog.prepare(statement).run({ before: now - limits.maxAgeMs });
    }
    while ((await this.#freeBytes()) < limits.minFreeBytes) {
      const uid = this.#removable(now, stuck.size + 1).find((one) => !stuck.has(one));
      if (uid === undefined) {
        this.#log.warn('free space is under its limit and no study may be removed');
        break;
      }
      removed += this.#tryAll([uid], 'space', stuck);
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

  #beingRemoved(): string[] {
    const rows = this.#catalog.prepare(sql.STUDIES_BEING_REMOVED).all();
    return (rows as { studyInstanceUid: string }[]).map((row) => row.studyInstanceUid);
  }

  /** Returns how many were removed; the others join the stuck ones, which are not tried again. */
  #tryAll(uids: readonly string[], why: Why, stuck = new Set<string>()): number {
    let removed = 0;
    for (const studyInstanceUid of uids) {
      if (stuck.has(studyInstanceUid)) continue;
      try {
        this.#remove(studyInstanceUid, why);
        removed += 1;
      } catch (error) {
        stuck.add(studyInstanceUid);
        this.#log.error({ err: error, studyInstanceUid }, 'a study could not be removed; it stays');
      }
    }
    return removed;
  }

  /**
   * Moves the files away and deletes the rows without giving up the thread, so that no instance of the study can be
   * committed in between; the mark lets the next start finish what a crash cut off. Where one of the two fails, the
   * files come back.
   */
  #remove(studyInstanceUid: string, why: Why): void {
    const event = eventWriter(this.#catalog);
    const moved: Move[] = [];
    mkdirSync(this.#trash, { recursive: true });
    this.#catalog.prepare(sql.MARK_REMOVING).run(studyInstanceUid);
    try {
      for (const folder of STUDY_FOLDERS) {
        const name = `${folder}-${studyInstanceUid}-${Date.now()}`;
        const from = join(this.#folder, folder, studyInstanceUid);
        const to = join(this.#trash, name);
        if (moveIfThere(from, to)) moved.push({ from, to });
      }
      const apart = this.#catalog.prepare(CONFLICT_FILES_OF_STUDY).all(studyInstanceUid);
      for (const { file } of apart as { file: string }[]) {
        const from = join(this.#folder, file);
        const to = join(this.#trash, basename(file));
        if (moveIfThere(from, to)) moved.push({ from, to });
      }
      this.#catalog
        .transaction(() => {
          for (const statement of sql.DELETE_STUDY_ROWS) {
            this.#catalog.prepare(statement).run(studyInstanceUid);
          }
          event({ at: Date.now(), kind: 'study-removed', studyInstanceUid, detail: { why } });
        })
        .immediate();
    } catch (error) {
      for (const { from, to } of moved) renameSync(to, from);
      this.#catalog.prepare(sql.UNMARK_REMOVING).run(studyInstanceUid);
      throw error;
    }
  }

  /** What stays is tried again by the next pass. */
  async #emptyTrash(): Promise<void> {
    try {
      await rm(this.#trash, { recursive: true, force: true });
    } catch (error) {
      this.#log.error({ err: error }, 'removed studies still take space: trash/ cannot be emptied');
    }
  }
}

type Why = 'age' | 'space' | 'interrupted';

interface Move {
  readonly from: string;
  readonly to: string;
}

/** Whether there was something to move. */
function moveIfThere(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return false;
  }
}
