import type { Finding } from '../domain/finding.js';
import type { Catalog } from './database.js';
import { eventWriter } from './events.js';
import * as sql from './queries.js';

/** How much work waits at each stage, and what waits for a person. */
export interface CatalogCounts {
  readonly seriesReceiving: number;
  readonly studiesToChoose: number;
  readonly analysesDue: number;
  readonly reportsDue: number;
  readonly analysesStuck: number;
  readonly deliveriesDue: number;
  readonly deliveriesDead: number;
  readonly conflicts: number;
}

export interface StudyLine {
  readonly studyInstanceUid: string;
  readonly createdAt: number;
  readonly lastInstanceAt: number;
  readonly callingAeTitle: string;
  readonly instances: number;
  readonly revision: number | null;
  readonly state: string | null;
  readonly outcome: string | null;
}

/** What the admin side reads: the same rows that the stages work on. */
export class StatusStore {
  readonly #catalog: Catalog;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  counts(): CatalogCounts {
    return this.#catalog.prepare(sql.COUNTS).get() as CatalogCounts;
  }

  recentStudies(limit: number): StudyLine[] {
    return this.#catalog.prepare(sql.RECENT_STUDIES).all(limit) as StudyLine[];
  }

  /** Everything known of a study, or undefined where it is not in the catalog. */
  study(studyInstanceUid: string) {
    const all = (query: string) => this.#catalog.prepare(query).all(studyInstanceUid);
    const study = this.#catalog.prepare(sql.STUDY).get(studyInstanceUid);
    if (study === undefined) return undefined;
    const parse = (row: unknown, key: 'finding' | 'detail') => {
      const text = (row as Record<string, string | null>)[key];
      return { ...(row as object), [key]: text === null ? null : JSON.parse(text ?? 'null') };
    };
    return {
      ...study,
      series: all(sql.STUDY_SERIES),
      analyses: all(sql.STUDY_ANALYSES).map((row) => withoutHeatMaps(parse(row, 'finding'))),
      objects: all(sql.STUDY_OBJECTS),
      deliveries: all(sql.STUDY_DELIVERIES),
      conflicts: all(sql.STUDY_CONFLICTS),
      events: all(sql.STUDY_EVENTS).map((row) => parse(row, 'detail')),
    };
  }

  /** Asks for the study's choice of series to be made and analysed again, though nothing new has come. */
  requestReanalysis(studyInstanceUid: string): boolean {
    const at = Date.now();
    return this.#catalog
      .transaction(() => {
        const { changes } = this.#catalog
          .prepare(sql.SET_SELECTION_DUE)
          .run({ studyInstanceUid, at });
        if (changes === 0) return false;
        this.#catalog.prepare(sql.FORGET_INPUT).run({ studyInstanceUid });
        eventWriter(this.#catalog)({ at, kind: 'reanalyse', studyInstanceUid });
        return true;
      })
      .immediate();
  }
}

/** The maps' thousands of numbers are for the report stage, not for reading. */
function withoutHeatMaps(analysis: object): object {
  const { finding } = analysis as { finding: Finding | null };
  if (finding === null) return analysis;
  const keySlices = finding.keySlices.map(({ heatMap: _, ...keySlice }) => keySlice);
  return { ...analysis, finding: { ...finding, keySlices } };
}
