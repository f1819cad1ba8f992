import { join } from 'node:path';
import { mayLackSlices } from '../domain/completion.js';
import type { StudySource } from '../domain/condition.js';
import { NO_CONFLICTS, type StudyConflicts } from '../domain/conflict.js';
import { StageError } from '../domain/failure.js';
import type { Reason, SeriesVerdict } from '../domain/finding.js';
import type { InstanceHeader, StoredInstance } from '../domain/instance.js';
import type { AssociationEnd } from '../domain/received-instance.js';
import type { Selection, SelectionWork, SeriesCandidate } from '../domain/selection.js';
import {
  DROP_UNSTARTED_ANALYSES,
  FORWARD_LATE_ORIGINALS,
  FORWARDED_UNREAD,
  INSERT_ANALYSIS,
  INSERT_ORIGINALS,
  LATEST_ANALYSIS,
  STUDY_ORIGIN,
  STUDY_SOURCES,
  STUDY_VERDICTS,
} from './analysis-queries.js';
import { LISTED_INSTANCES } from './commitment-queries.js';
import { ConflictStore } from './conflict-store.js';
import { type Catalog, readingRows } from './database.js';
import { eventWriter } from './events.js';
import { COMPLETED_SERIES, REOPEN_DOUBTED_SERIES, SERIES_REPETITIONS } from './ingest-queries.js';
import type { CommittedChange } from './ingest-rows.js';
import { DISCONTINUED_SERIES, PERFORMED_INSTANCES } from './performed-step-queries.js';
import * as sql from './series-queries.js';

interface InstanceRow {
  readonly header: string;
  readonly file: string;
  readonly sha256: string;
  readonly receivedAt: number;
  readonly associationId: number;
}

/** A series that is being received, kept in memory so that a slice costs no reading of its siblings' rows. */
interface ReceivingSeries {
  readonly instances: StoredInstance[];
  /** The associations that carried each instance, by SOP Instance UID. */
  readonly carriers: Map<string, number[]>;
}

/** The rows of studies and series: how complete they are, and which of them is read. */
export class SeriesStore {
  readonly #catalog: Catalog;
  readonly #folder: string;
  readonly #event: ReturnType<typeof eventWriter>;
  readonly #conflicts: ConflictStore;
  readonly #receiving = new Map<string, ReceivingSeries>();

  constructor(catalog: Catalog, folder: string) {
    this.#catalog = catalog;
    this.#folder = folder;
    this.#event = eventWriter(catalog);
    this.#conflicts = new ConflictStore(catalog, folder);
  }

  /** Takes note of a committed group; returns the series that it concerns. */
  committed(change: CommittedChange, pathOf: (header: InstanceHeader) => string): Set<string> {
    const touched = new Set<string>();
    for (const { header, sha256, receivedAt, associationId } of change.instances) {
      touched.add(header.seriesInstanceUid);
      const series = this.#receiving.get(header.seriesInstanceUid);
      if (series === undefined) continue;
      const file = join(this.#folder, pathOf(header));
      series.instances.push({ header, file, sha256, receivedAt });
      series.carriers.set(header.sopInstanceUid, [associationId]);
    }
    for (const { sopInstanceUid, seriesInstanceUid, associationId } of change.repetitions) {
      this.#receiving.get(seriesInstanceUid)?.carriers.get(sopInstanceUid)?.push(associationId);
    }
    for (const uid of change.reopened) touched.add(uid);
    if (change.closedAssociations.length === 0) return touched;
    const closed = new Set(change.closedAssociations);
    for (const [uid, { carriers }] of this.#receiving) {
      if ([...carriers.values()].flat().some((id) => closed.has(id))) touched.add(uid);
    }
    return touched;
  }

  /**
   * Scanners have said more of these series: one that was taken for whole, and of which instances are named that never
   * came or whose procedure step was discontinued, is judged again.
   */
  doubt(seriesInstanceUids: Iterable<string>): void {
    const at = Date.now();
    const select = this.#catalog.prepare(COMPLETED_SERIES);
    this.#catalog
      .transaction(() => {
        for (const seriesInstanceUid of seriesInstanceUids) {
          const series = select.get(seriesInstanceUid) as
            | { studyInstanceUid: string; completionCode: string }
            | undefined;
          if (series === undefined || mayLackSlices(series.completionCode)) continue;
          const { listed, discontinued } = this.#told(seriesInstanceUid);
          const present = new Set(
            this.#rows(seriesInstanceUid).map(({ stored }) => stored.header.sopInstanceUid),
          );
          if (!discontinued && listed.every((uid) => present.has(uid))) continue;
          this.#catalog.prepare(REOPEN_DOUBTED_SERIES).run({ seriesInstanceUid, at });
          const { studyInstanceUid } = series;
          const why = discontinued ? 'discontinued' : 'listed-missing';
          this.#event({
            at,
            kind: 'series-reopened',
            studyInstanceUid,
            seriesInstanceUid,
            detail: { why },
          });
        }
      })
      .immediate();
  }

  receivingSeries(): string[] {
    const rows = this.#catalog.prepare(sql.RECEIVING_SERIES).all() as { uid: string }[];
    return rows.map(({ uid }) => uid);
  }

  /** The instances so far of a series that is being received; none of one that has become whole. */
  receivingInstances(seriesInstanceUid: string): readonly StoredInstance[] {
    return this.#receiving.get(seriesInstanceUid)?.instances ?? [];
  }

  evidence(seriesInstanceUid: string) {
    const times = this.#catalog.prepare(sql.SERIES_TIMES).get(seriesInstanceUid) as
      | { firstInstanceAt: number; lastInstanceAt: number }
      | undefined;
    if (times === undefined) return undefined;
    const { instances, carriers } = this.#load(seriesInstanceUid);
    const associations = this.#transfers([...carriers.values()]);
    return {
      instances: instances.map(({ header }) => header),
      associations,
      ...this.#told(seriesInstanceUid),
      ...times,
    };
  }

  completeSeries(
    seriesInstanceUid: string,
    judged: { readonly confidence: string; readonly reason: Reason },
  ): void {
    const at = Date.now();
    const { confidence, reason } = judged;
    this.#catalog
      .transaction(() => {
        const row = this.#catalog
          .prepare(sql.COMPLETE_SERIES)
          .get({ seriesInstanceUid, at, confidence, code: reason.code, text: reason.text }) as
          | { studyInstanceUid: string }
          | undefined;
        if (row === undefined) return;
        const { studyInstanceUid } = row;
        this.#catalog.prepare(sql.SET_SELECTION_DUE).run({ studyInstanceUid, at });
        this.#event({
          at,
          kind: 'series-complete',
          studyInstanceUid,
          seriesInstanceUid,
          detail: { confidence, ...reason },
        });
      })
      .immediate();
    this.#receiving.delete(seriesInstanceUid);
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
        conflicts: this.#conflicts.ofStudy(study.studyInstanceUid),
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

  /** The instances of a series in the order of arrival, with absolute paths. */
  instances(seriesInstanceUid: string): StoredInstance[] {
    return this.#rows(seriesInstanceUid).map(({ stored }) => stored);
  }

  /** What of a study's images is in doubt. @throws StageError where rows are damaged for good */
  conflicts(studyInstanceUid: string): StudyConflicts {
    return this.#conflicts.ofStudy(studyInstanceUid);
  }

  /** What became of each series of a study that has been judged. */
  verdicts(studyInstanceUid: string): SeriesVerdict[] {
    const rows = readingRows(() => this.#catalog.prepare(STUDY_VERDICTS).all(studyInstanceUid)) as {
      seriesInstanceUid: string;
      modality: string | null;
      seriesNumber: number | null;
      instances: number;
      verdict: SeriesVerdict['verdict'];
      code: string;
      text: string;
    }[];
    return rows.map((row) => ({
      seriesInstanceUid: row.seriesInstanceUid,
      ...(row.modality === null ? {} : { modality: row.modality }),
      ...(row.seriesNumber === null ? {} : { seriesNumber: row.seriesNumber }),
      instances: row.instances,
      verdict: row.verdict,
      reason: { code: row.code, text: row.text },
    }));
  }

  /**
   * The instances of any one series of a study, or those that are kept apart where it has no other: for a report on a
   * study of which nothing could be read.
   */
  anyInstances(studyInstanceUid: string): StoredInstance[] {
    const series = this.#catalog.prepare(sql.STUDY_SERIES).all(studyInstanceUid) as {
      seriesInstanceUid: string;
      modality: string | null;
      own: number;
    }[];
    const foreign = series.filter((row) => row.own === 0);
    const chosen = foreign.find((row) => row.modality === 'CT') ?? foreign[0];
    if (chosen !== undefined) return this.instances(chosen.seriesInstanceUid);
    return this.#conflicts.apartInstances(studyInstanceUid);
  }

  /** The instances of every series of a study, without those of Vigil's own objects. */
  studyInstances(studyInstanceUid: string): StoredInstance[] {
    const series = this.#catalog.prepare(sql.STUDY_SERIES).all(studyInstanceUid) as {
      seriesInstanceUid: string;
      own: number;
    }[];
    return series
      .filter(({ own }) => own === 0)
      .flatMap(({ seriesInstanceUid }) => this.instances(seriesInstanceUid));
  }

  /** Who sent slices of a study; only the AE titles of the first one where the associations' rows are lost. */
  sources(studyInstanceUid: string): StudySource[] {
    const sources = this.#catalog.prepare(STUDY_SOURCES).all(studyInstanceUid) as StudySource[];
    if (sources.length > 0) return sources;
    return this.#catalog.prepare(STUDY_ORIGIN).all(studyInstanceUid) as StudySource[];
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

  /** What scanners say of a series beside its instances. */
  #told(seriesInstanceUid: string): { listed: readonly string[]; discontinued: boolean } {
    const rows = [
      ...this.#catalog.prepare(LISTED_INSTANCES).all({ seriesInstanceUid }),
      ...this.#catalog.prepare(PERFORMED_INSTANCES).all(seriesInstanceUid),
    ] as { uid: string }[];
    const { discontinued } = this.#catalog.prepare(DISCONTINUED_SERIES).get(seriesInstanceUid) as {
      discontinued: number;
    };
    return { listed: [...new Set(rows.map(({ uid }) => uid))], discontinued: discontinued === 1 };
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
        instances: this.instances(row.seriesInstanceUid),
      }));
  }

  /** How the transfers of instances stand, each by the best of the associations that carried it. */
  #transfers(carriers: readonly (readonly number[])[]) {
    const select = this.#catalog.prepare<[number], { ended: AssociationEnd | null }>(
      sql.ASSOCIATION_END,
    );
    const ends = new Map<number, AssociationEnd | null>();
    for (const id of new Set(carriers.flat())) ends.set(id, select.get(id)?.ended ?? null);
    const counts = { open: 0, released: 0, broken: 0 };
    for (const ids of carriers) {
      const own = ids.map((id) => ends.get(id));
      if (own.includes('released')) counts.released += 1;
      else if (own.includes(null)) counts.open += 1;
      else counts.broken += 1;
    }
    return counts;
  }

  #load(seriesInstanceUid: string): ReceivingSeries {
    let series = this.#receiving.get(seriesInstanceUid);
    if (series === undefined) {
      const rows = this.#rows(seriesInstanceUid);
      series = {
        instances: rows.map(({ stored }) => stored),
        carriers: new Map(
          rows.map(({ stored, associationId }) => [stored.header.sopInstanceUid, [associationId]]),
        ),
      };
      const repetitions = this.#catalog.prepare(SERIES_REPETITIONS).all(seriesInstanceUid);
      for (const { sopInstanceUid, associationId } of repetitions as {
        sopInstanceUid: string;
        associationId: number;
      }[]) {
        series.carriers.get(sopInstanceUid)?.push(associationId);
      }
      this.#receiving.set(seriesInstanceUid, series);
    }
    return series;
  }

  #rows(seriesInstanceUid: string): { stored: StoredInstance; associationId: number }[] {
    return readingRows(() => {
      const rows = this.#catalog.prepare(sql.SERIES_INSTANCES).all(seriesInstanceUid);
      return (rows as InstanceRow[]).map(({ header, file, sha256, receivedAt, associationId }) => ({
        stored: {
          header: JSON.parse(header) as InstanceHeader,
          file: join(this.#folder, file),
          sha256,
          receivedAt,
        },
        associationId,
      }));
    });
  }
}
