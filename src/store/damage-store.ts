import { FORGET_INPUT } from './analysis-queries.js';
import * as sql from './damage-queries.js';
import type { Catalog } from './database.js';
import { eventWriter } from './events.js';
import type { FileProblem } from './file-check.js';
import { SET_SELECTION_DUE } from './series-queries.js';

/** A file of the archive that is not as its row says, or that no row names. */
export interface DamagedFile {
  /** Relative to the storage folder. */
  readonly file: string;
  readonly kind: FileKind;
  readonly problem: FileProblem | 'orphan';
  readonly studyInstanceUid: string | null;
  readonly sopInstanceUid: string | null;
}

export type FileKind = 'instance' | 'conflict' | 'result';

/** Failures of an analysis that a file brought about, which another reading can mend once the file is whole again. */
const MENDED_BY_FILE = ['slice-missing', 'slice-altered', 'slice-unreadable'];

/** The rows of files that are damaged or that nobody knows. */
export class DamageStore {
  readonly #catalog: Catalog;
  readonly #event: ReturnType<typeof eventWriter>;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
    this.#event = eventWriter(catalog);
  }

  /** Writes a finding down; returns whether it is news. */
  found(damage: DamagedFile): boolean {
    const at = Date.now();
    return this.#catalog
      .transaction(() => {
        const known = this.#catalog.prepare(sql.KNOWN_DAMAGE).get(damage.file) as
          | { problem: string }
          | undefined;
        this.#catalog.prepare(sql.UPSERT_DAMAGE).run({ ...damage, at });
        if (known?.problem === damage.problem) return false;
        const { kind, problem, studyInstanceUid, sopInstanceUid } = damage;
        this.#event({
          at,
          kind: 'file-damaged',
          studyInstanceUid: studyInstanceUid ?? undefined,
          detail: { file: kind, problem, sopInstanceUid },
        });
        return true;
      })
      .immediate();
  }

  /**
   * A file is as it should be. Where it was not before, and the study could not be read for that, the study is read
   * again; returns whether there is such a study.
   */
  whole(file: string): boolean {
    const at = Date.now();
    return this.#catalog
      .transaction(() => {
        const row = this.#catalog.prepare(sql.DELETE_DAMAGE).get(file) as
          | Pick<DamagedFile, 'kind' | 'studyInstanceUid' | 'sopInstanceUid'>
          | undefined;
        if (row === undefined) return false;
        const { kind, studyInstanceUid, sopInstanceUid } = row;
        this.#event({
          at,
          kind: 'file-restored',
          studyInstanceUid: studyInstanceUid ?? undefined,
          detail: { file: kind, sopInstanceUid },
        });
        const finding = this.#catalog.prepare(sql.LATEST_FAILURE).get(studyInstanceUid) as
          | { code: string | null }
          | undefined;
        if (!MENDED_BY_FILE.includes(finding?.code ?? '')) return false;
        this.#catalog.prepare(SET_SELECTION_DUE).run({ studyInstanceUid, at });
        this.#catalog.prepare(FORGET_INPUT).run({ studyInstanceUid });
        return true;
      })
      .immediate();
  }

  /** The studies with files that the disk refuses to read. */
  unreadableStudies(): string[] {
    const rows = this.#catalog.prepare(sql.UNREADABLE_STUDIES).all();
    return (rows as { studyInstanceUid: string }[]).map((row) => row.studyInstanceUid);
  }

  /** Forgets the orphans that were not seen since, for a pass that has seen all files since. */
  forgetOrphans(seenBefore: number): void {
    this.#catalog.prepare(sql.DELETE_OLD_ORPHANS).run(seenBefore);
  }

  all(): DamagedFile[] {
    return this.#catalog.prepare(sql.DAMAGED_FILES).all() as DamagedFile[];
  }
}
