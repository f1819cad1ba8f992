import type { Finding } from '../domain/finding.js';
import type { ReportWork } from './analysis-work.js';
import * as sql from './damage-queries.js';
import { DamageStore } from './damage-store.js';
import type { Catalog } from './database.js';
import { RESULT_OBJECT_FILE } from './delivery-queries.js';
import { eventWriter } from './events.js';

/** A reported analysis, and those of its objects whose files are gone or not what they were. */
export interface DamagedReport {
  readonly work: ReportWork;
  readonly objects: readonly { sopInstanceUid: string; sha256: string; seenAt: number }[];
  readonly isNewest: boolean;
}

/** Why an analysis is reported once more without being made again. */
export const REPORT_LOST = {
  code: 'report-lost',
  text: 'Files of the report before were lost and cannot be made as they were',
};

/** The rows of reports whose files are damaged. */
export class DamagedReportStore {
  readonly #catalog: Catalog;
  readonly #damage: DamageStore;
  readonly #event: ReturnType<typeof eventWriter>;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
    this.#damage = new DamageStore(catalog);
    this.#event = eventWriter(catalog);
  }

  damaged(): DamagedReport[] {
    const rows = this.#catalog.prepare(sql.DAMAGED_REPORTS).all() as (Omit<
      ReportWork,
      'finding'
    > & {
      finding: string;
      isNewest: number;
    })[];
    const objects = this.#catalog.prepare(sql.DAMAGED_OBJECTS);
    return rows.map(({ finding, isNewest, ...work }) => ({
      work: { ...work, finding: JSON.parse(finding) as Finding },
      objects: objects.all(work.analysisId) as DamagedReport['objects'],
      isNewest: isNewest === 1,
    }));
  }

  /** The object's file is whole again: what could not be sent for it is due. False where the object is gone. */
  mended(sopInstanceUid: string): boolean {
    return this.#catalog
      .transaction(() => {
        const row = this.#catalog.prepare(RESULT_OBJECT_FILE).get(sopInstanceUid) as
          | { file: string }
          | undefined;
        if (row === undefined) return false;
        this.#damage.whole(row.file);
        this.#catalog.prepare(sql.REVIVE_MENDED).run({ sopInstanceUid, at: Date.now() });
        return true;
      })
      .immediate();
  }

  /** Has the same finding reported once more; what could not be sent of the lost report is settled with it. */
  supersede({ work, objects }: DamagedReport): void {
    const at = Date.now();
    const { analysisId, studyInstanceUid, revision } = work;
    const { code, text } = REPORT_LOST;
    this.#catalog
      .transaction(() => {
        const again = { analysisId, code, text, finding: null, at };
        this.#catalog.prepare(sql.REPORT_ONCE_MORE).run(again);
        const replace = this.#catalog.prepare(sql.REPLACE_LOST);
        for (const { sopInstanceUid } of objects) replace.run({ sopInstanceUid, at });
        this.#event({ at, kind: 'report-lost', studyInstanceUid, detail: { revision } });
      })
      .immediate();
  }
}
