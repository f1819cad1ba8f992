import { join } from 'node:path';
import type { StudySource } from '../domain/condition.js';
import type { StudyConflicts } from '../domain/conflict.js';
import type { SeriesVerdict } from '../domain/finding.js';
import type { InstanceHeader, StoredInstance } from '../domain/instance.js';
import { STUDY_ORIGIN, STUDY_SOURCES, STUDY_VERDICTS } from './analysis-queries.js';
import { ConflictStore } from './conflict-store.js';
import { type Catalog, readingRows } from './database.js';
import * as sql from './series-queries.js';

interface InstanceRow {
  readonly header: string;
  readonly file: string;
  readonly sha256: string;
  readonly receivedAt: number;
  readonly associationId: number;
}

/** What the catalog knows of studies' series and their instances. */
export class SeriesStore {
  readonly #catalog: Catalog;
  readonly #folder: string;
  readonly #conflicts: ConflictStore;

  constructor(catalog: Catalog, folder: string) {
    this.#catalog = catalog;
    this.#folder = folder;
    this.#conflicts = new ConflictStore(catalog, folder);
  }

  /** The instances of a series in the order of arrival, with absolute paths. */
  instances(seriesInstanceUid: string): StoredInstance[] {
    return this.carriedInstances(seriesInstanceUid).map(({ stored }) => stored);
  }

  /** The same, each with the association that brought it first. */
  carriedInstances(seriesInstanceUid: string): { stored: StoredInstance; associationId: number }[] {
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
}
