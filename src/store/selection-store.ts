import { NO_CONFLICTS } from '../domain/conflict.js';
import { StageError } from '../domain/failure.js';
import type { Selection, SelectionWork, SeriesCandidate } from '../domain/selection.js';
import {
  DROP_UNSTARTED_ANALYSES,
  FORWARD_LATE_ORIGINALS,
  FORWARDED_UNREAD,
  INSERT_ANALYSIS,
  INSERT_ORIGINALS,
  LATEST_ANALYSIS,
} from './analysis-queries.js';
import type { Catalog } from './database.js';
import { eventWriter } from './events.js';
import * as sql from './series-queries.js';
import type { SeriesStore } from './series-store.js';

/** Which study needs a choice of series, and what was chosen. */
export class SelectionStore {
  readonly #catalog: Catalog;
  readonly #event: ReturnType<typeof eventWriter>;
  readonly #series: SeriesStore;

  constructor(catalog: Catalog, series: SeriesStore) {
    this.#catalog = catalog;
    this.#event = eventWriter(catalog);
    this.#series = series;
  }

  /** The study whose choice of series is due first, or when the next one is. */
  nextSelection(now: number): SelectionWork | { readonly dueAt: number | undefined } {
    const study = this.#catalog.prepare(sql.SELECTION_DUE).get({ now }) as
      | { studyInstanceUid: string; lastInstanceAt: number }
      | undefined;
    if (study === undefined) {
      const next = this.#catalog.prepare(sql.NEXT_SELECTION).get() as { dueAt: number | null };
      return { dueAt: next.dueAt ?? undefined };
    }
    const claimed = { ...study, claimedAt: now };
    try {
      const latest = this.#catalog.prepare(LATEST_ANALYSIS).get(study.studyInstanceUid) as
        | SelectionWork['latestAnalysis']
        | undefined;
      return {
        ...claimed,
        series: this.#candidates(study.studyInstanceUid),
        conflicts: this.#series.conflicts(study.studyInstanceUid),
        ...(latest === undefined ? {} : { latestAnalysis: latest }),
      };
    } catch (error) {
      if (!(error instanceof StageError)) throw error;
      return { ...claimed, series: [], conflicts: NO_CONFLICTS, damage: error };
    }
  }

  /** Commits a choice and the next stage's work item with it. */
  settleSelection(work: SelectionWork, selection: Selection): void {
    const { studyInstanceUid, claimedAt } = work;
    const at = Date.now();
    this.#catalog
      .transaction(() => {
        const dueAt = selection.type === 'wait' ? selection.until : null;
        this.#catalog.prepare(sql.SETTLE_SELECTION).run({ studyInstanceUid, claimedAt, dueAt });
        if (selection.type === 'wait') return;
        const setVerdict = this.#catalog.prepare(sql.SET_VERDICT);
        for (const { seriesInstanceUid, verdict, reason } of selection.verdicts) {
          setVerdict.run({ seriesInstanceUid, verdict, ...reason });
        }
        if (selection.type === 'keep') {
          this.#forwardLate(studyInstanceUid, at);
          return;
        }
        this.#catalog.prepare(DROP_UNSTARTED_ANALYSES).run(studyInstanceUid);
        const latest = this.#catalog.prepare(LATEST_ANALYSIS).get(studyInstanceUid) as
          | { revision: number }
          | undefined;
        this.#catalog.prepare(INSERT_ANALYSIS).run({
          studyInstanceUid,
          revision: (latest?.revision ?? 0) + 1,
          seriesInstanceUid: selection.seriesInstanceUid,
          inputHash: selection.inputHash,
          triggerCode: selection.trigger.code,
          triggerText: selection.trigger.text,
          at,
        });
        this.#event({
          at,
          kind: 'series-chosen',
          studyInstanceUid,
          seriesInstanceUid: selection.seriesInstanceUid ?? undefined,
          detail: { ...selection.trigger },
        });
      })
      .immediate();
  }

  /** Late slices that lead to no new report go where the study's other originals went. */
  #forwardLate(studyInstanceUid: string, at: number): void {
    const forwarded = this.#catalog.prepare(FORWARDED_UNREAD).get({ studyInstanceUid }) as
      | { analysisId: number }
      | undefined;
    if (forwarded === undefined) return;
    const { analysisId } = forwarded;
    const late = { studyInstanceUid, seriesInstanceUid: null, analysisId, at };
    this.#catalog.prepare(INSERT_ORIGINALS).run(late);
    this.#catalog.prepare(FORWARD_LATE_ORIGINALS).run({ studyInstanceUid, at });
  }

  #candidates(studyInstanceUid: string): SeriesCandidate[] {
    const rows = this.#catalog.prepare(sql.STUDY_SERIES).all(studyInstanceUid) as {
      seriesInstanceUid: string;
      state: string;
      completionCode: string | null;
      completionText: string | null;
      refusalCode: string | null;
      refusalText: string | null;
      own: number;
    }[];
    return rows
      .filter((row) => row.own === 0)
      .map((row) => ({
        seriesInstanceUid: row.seriesInstanceUid,
        complete: row.state === 'complete',
        ...(row.completionCode !== null && row.completionText !== null
          ? { completion: { code: row.completionCode, text: row.completionText } }
          : {}),
        ...(row.refusalCode !== null && row.refusalText !== null
          ? { refusal: { code: row.refusalCode, text: row.refusalText } }
          : {}),
        instances: this.#series.instances(row.seriesInstanceUid),
      }));
  }
}
