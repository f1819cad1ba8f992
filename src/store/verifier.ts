import { stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type { Log } from '../log.js';
import * as sql from './damage-queries.js';
import type { DamagedFile, DamageStore, FileKind } from './damage-store.js';
import type { Catalog } from './database.js';
import { checkFile, type FileProblem, Pace } from './file-check.js';
import { filesUnder } from './files-under.js';
import { SET_ASIDE_FOLDER } from './instance-files.js';

/** A row's file, as the queries name its columns. */
interface FileRow {
  /** Where the next page begins after this row. */
  readonly key: string;
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number | null;
  readonly studyInstanceUid: string;
  readonly sopInstanceUid: string;
}

/** How far a pass has come. */
export interface VerifyProgress {
  readonly startedAt: number;
  readonly phase: FileKind | 'orphan';
  /** The last row's key. */
  readonly after: string;
  readonly files: number;
  readonly bytes: number;
}

export interface VerifyResult {
  readonly startedAt: number;
  readonly files: number;
  readonly bytes: number;
  /** All that is damaged or unknown now, whenever it was found. */
  readonly damaged: readonly DamagedFile[];
}

const PAGE = 64;
/** A file is under way between its disk and its row for less; what is damaged stays so. */
const SECOND_LOOK_MS = 1000;
/** A result's file is written before its row, which a full disk may hold up. */
const ORPHAN_AGE_MS = 60 * 60 * 1000;

const ROWS: Readonly<Record<FileKind, { page: string; one: string; of: 'dataset' | 'file' }>> = {
  instance: { page: sql.INSTANCE_FILES, one: sql.HAS_INSTANCE_FILE, of: 'dataset' },
  conflict: { page: sql.CONFLICT_FILES, one: sql.HAS_CONFLICT_FILE, of: 'dataset' },
  result: { page: sql.RESULT_FILES, one: sql.HAS_RESULT_FILE, of: 'file' },
};
const KINDS: readonly FileKind[] = ['instance', 'conflict', 'result'];

/**
 * Checks every file of the archive against its row's checksum, and every file's right to be there against the rows. A
 * finding counts when it is seen twice, and is written down; nothing is removed or mended here.
 */
export class Verifier {
  readonly #catalog: Catalog;
  readonly #folder: string;
  readonly #damage: DamageStore;
  readonly #log: Log;
  readonly #onChange: () => void;

  constructor(options: {
    catalog: Catalog;
    folder: string;
    damage: DamageStore;
    /** A file was found damaged, or whole again. */
    onChange?: () => void;
    log: Log;
  }) {
    this.#catalog = options.catalog;
    this.#folder = options.folder;
    this.#damage = options.damage;
    this.#onChange = options.onChange ?? (() => {});
    this.#log = options.log;
  }

  /** A whole pass from the beginning. @throws AbortError, and the catalog's errors */
  run(bytesPerSecond: number, signal?: AbortSignal): Promise<VerifyResult> {
    return this.#pass(beginning(), new Pace(bytesPerSecond, signal), () => {});
  }

  /** A pass that takes up where the last one was cut off, even by a crash. @throws as `run` */
  resume(bytesPerSecond: number, signal: AbortSignal): Promise<VerifyResult> {
    const last = this.#catalog.prepare(sql.VERIFY_PROGRESS).get() as VerifyProgress | undefined;
    const save = this.#catalog.prepare(sql.SAVE_VERIFY_PROGRESS);
    return this.#pass(last ?? beginning(), new Pace(bytesPerSecond, signal), (progress) => {
      save.run(progress);
    });
  }

  /** Whether a pass was cut off that `resume` would take up. */
  isUnfinished(): boolean {
    return this.#catalog.prepare(sql.VERIFY_PROGRESS).get() !== undefined;
  }

  /**
   * Checks the files of one study, because one of them has failed a stage. Resolves to whether the disk refuses to read
   * some of them, which may pass.
   */
  async checkStudy(studyInstanceUid: string, signal?: AbortSignal): Promise<boolean> {
    const pace = new Pace(Number.POSITIVE_INFINITY, signal);
    for (const kind of ['instance', 'result'] as const) {
      const query = kind === 'instance' ? sql.STUDY_INSTANCE_FILES : sql.STUDY_RESULT_FILES;
      const rows = this.#catalog.prepare(query).all(studyInstanceUid) as FileRow[];
      await this.#checkRows(kind, rows, pace);
    }
    return this.#damage.unreadableStudies().includes(studyInstanceUid);
  }

  /** The studies with files that the disk refused to read when they were last checked. */
  unreadableStudies(): string[] {
    return this.#damage.unreadableStudies();
  }

  async #pass(
    from: VerifyProgress,
    pace: Pace,
    save: (progress: VerifyProgress) => void,
  ): Promise<VerifyResult> {
    let { startedAt, phase, after, files, bytes } = from;
    for (const kind of KINDS.slice(phase === 'orphan' ? KINDS.length : KINDS.indexOf(phase))) {
      if (kind !== phase) after = '';
      phase = kind;
      const page = this.#catalog.prepare(ROWS[kind].page);
      for (;;) {
        const rows = page.all({ after, limit: PAGE }) as FileRow[];
        const last = rows.at(-1);
        if (last === undefined) break;
        await this.#checkRows(kind, rows, pace);
        after = last.key;
        files += rows.length;
        bytes += rows.reduce((sum, row) => sum + (row.bytes ?? 0), 0);
        save({ startedAt, phase, after, files, bytes });
      }
    }
    save({ startedAt, phase: 'orphan', after: '', files, bytes });
    await this.#findOrphans(pace.signal);
    this.#damage.forgetOrphans(startedAt);
    this.#catalog.prepare(sql.FINISH_VERIFY).run(Date.now());
    return { startedAt, files, bytes, damaged: this.#damage.all() };
  }

  async #checkRows(kind: FileKind, rows: readonly FileRow[], pace: Pace): Promise<void> {
    const doubtful: FileRow[] = [];
    for (const row of rows) {
      const problem = await this.#check(kind, row, pace);
      if (problem !== undefined) doubtful.push(row);
      else if (this.#damage.whole(row.file)) this.#onChange();
    }
    if (doubtful.length === 0) return;
    await setTimeout(SECOND_LOOK_MS, undefined, { signal: pace.signal });
    for (const row of doubtful) {
      const problem = await this.#check(kind, row, pace);
      // The study may have been removed meanwhile.
      if (problem === undefined || !this.#isNamed(kind, row.sopInstanceUid, row.file)) continue;
      const { file, studyInstanceUid, sopInstanceUid } = row;
      this.#report({ file, kind, problem, studyInstanceUid, sopInstanceUid });
    }
    this.#onChange();
  }

  #check(kind: FileKind, row: FileRow, pace: Pace): Promise<FileProblem | undefined> {
    const { file, sha256, bytes } = row;
    const path = join(this.#folder, file);
    return checkFile({ path, sha256, bytes, of: ROWS[kind].of }, pace);
  }

  #isNamed(kind: FileKind, sopInstanceUid: string, file: string): boolean {
    return this.#catalog.prepare(ROWS[kind].one).get({ sopInstanceUid, file }) !== undefined;
  }

  #report(damage: DamagedFile): void {
    if (!this.#damage.found(damage)) return;
    const { kind, problem, studyInstanceUid, sopInstanceUid } = damage;
    const fields = { kind, problem, studyInstanceUid, sopInstanceUid };
    if (problem === 'orphan') this.#log.warn(fields, 'a file of the archive has no row');
    else this.#log.error(fields, 'a file of the archive is damaged, see vigil verify');
  }

  async #findOrphans(signal: AbortSignal | undefined): Promise<void> {
    const before = Date.now() - ORPHAN_AGE_MS;
    for (const kind of KINDS) {
      for await (const path of filesUnder(join(this.#folder, `${kind}s`))) {
        signal?.throwIfAborted();
        const file = relative(this.#folder, path);
        if (file.startsWith(`${SET_ASIDE_FOLDER}/`)) continue;
        const name = file.slice(file.lastIndexOf('/') + 1);
        const sopInstanceUid =
          kind === 'conflict' ? name.replace(/\.[^.]*\.dcm$/, '') : name.replace(/\.dcm$/, '');
        if (this.#isNamed(kind, sopInstanceUid, file)) continue;
        const found = await stat(path).catch(() => undefined);
        if (found === undefined || found.mtimeMs > before) continue;
        if (this.#isNamed(kind, sopInstanceUid, file)) continue;
        const studyInstanceUid = kind === 'conflict' ? null : (file.split('/')[1] ?? null);
        this.#report({ file, kind, problem: 'orphan', studyInstanceUid, sopInstanceUid });
      }
    }
  }
}

const beginning = (): VerifyProgress => ({
  startedAt: Date.now(),
  phase: 'instance',
  after: '',
  files: 0,
  bytes: 0,
});
