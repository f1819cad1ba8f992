import type { ConflictKind } from '../domain/conflict.js';
import type { DestinationBacklog } from '../domain/delivery-backlog.js';
import type { DeliveryState } from '../domain/delivery-state.js';
import type { FailureClass } from '../domain/failure.js';
import type { Finding, KeySlice, Outcome } from '../domain/finding.js';
import type { StepState } from '../domain/performed-step.js';
import type { ObjectKind } from '../domain/result-object.js';
import type { SecondReading } from '../domain/second-reading.js';
import { FORGET_INPUT, FORGET_STUDYS_LOST_TRIES } from './analysis-queries.js';
import { STUDY_COMMITMENTS } from './commitment-queries.js';
import { STUDY_CONFLICTS } from './conflict-queries.js';
import { LAST_VERIFICATION, STUDY_DAMAGE } from './damage-queries.js';
import type { DamagedFile } from './damage-store.js';
import type { Catalog } from './database.js';
import { eventWriter } from './events.js';
import { STUDY_STEPS } from './performed-step-queries.js';
import type { RoutingRecord } from './routing-record.js';
import { readingsOf } from './second-reading-rows.js';
import { SET_SELECTION_DUE, STUDY_SERIES } from './series-queries.js';
import * as sql from './status-queries.js';

/** How much work waits at each stage, and what waits for a person. */
export interface CatalogCounts {
  readonly seriesReceiving: number;
  readonly studiesToChoose: number;
  readonly analysesDue: number;
  readonly reportsDue: number;
  readonly analysesStuck: number;
  readonly deliveriesDue: number;
  readonly deliveriesUnproven: number;
  readonly deliveriesDead: number;
  readonly commitmentsDue: number;
  readonly commitmentsDead: number;
  /** Those that nobody has settled. */
  readonly conflicts: number;
  /** Files that are not as their rows say, and files without a row. */
  readonly damagedFiles: number;
  readonly orphanFiles: number;
}

export interface LastVerification {
  readonly startedAt: number;
  readonly finishedAt: number | null;
  readonly files: number;
  readonly bytes: number;
}

/** SQLite has no booleans. */
type AsRow<T, Flag extends keyof T> = Omit<T, Flag> & { readonly [key in Flag]: 0 | 1 };

export interface StudyLine {
  readonly studyInstanceUid: string;
  readonly createdAt: number;
  readonly lastInstanceAt: number;
  readonly callingAeTitle: string;
  readonly instances: number;
  readonly revision: number | null;
  readonly state: string | null;
  readonly outcome: string | null;
  /** Whether a conflict waits for a person. */
  readonly conflict: boolean;
  /** Why nothing of it is sent; null where something is, or before its report. */
  readonly unsent: string | null;
}

/** A delivery that was given up, and why. */
export interface DeadLetter {
  readonly settledAt: number;
  readonly destination: string;
  readonly kind: string;
  readonly sopInstanceUid: string;
  readonly attempts: number;
  readonly status: number | null;
  readonly failureClass: FailureClass | null;
  readonly failureCode: string | null;
  readonly studyInstanceUid: string;
}

/** How much a route has asked for that is not delivered yet. */
export interface OpenRoute {
  readonly route: string;
  readonly destination: string;
  readonly deliveries: number;
}

type FindingLine = Omit<Finding, 'keySlices'> & {
  readonly keySlices: readonly Omit<KeySlice, 'heatMap'>[];
};

export interface AnalysisLine {
  readonly analysisId: number;
  readonly revision: number;
  readonly seriesInstanceUid: string | null;
  readonly state: 'due' | 'running' | 'analysed' | 'composing' | 'reported' | 'stuck';
  readonly outcome: Outcome | null;
  readonly triggerCode: string;
  readonly triggerText: string;
  readonly createdAt: number;
  readonly analysedAt: number | null;
  readonly reportedAt: number | null;
  readonly finding: FindingLine | null;
  /** Which routes held; null before the report. */
  readonly routing: RoutingRecord | null;
  /** What other models have said of the series so far. */
  readonly secondReadings: readonly SecondReading[];
}

export interface EventLine {
  readonly at: number;
  readonly kind: string;
  readonly seriesInstanceUid: string | null;
  readonly associationId: number | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

type AnalysisRow = Omit<AnalysisLine, 'finding' | 'routing' | 'secondReadings'> & {
  readonly finding: string | null;
  readonly routing: string | null;
};
type EventRow = Omit<EventLine, 'detail'> & { readonly detail: string };

/** Everything that the catalog knows of a study, as its rows say it. */
export interface StudyDetail {
  readonly studyInstanceUid: string;
  readonly callingAeTitle: string;
  readonly calledAeTitle: string;
  readonly createdAt: number;
  readonly lastInstanceAt: number;
  readonly series: readonly {
    readonly seriesInstanceUid: string;
    readonly modality: string | null;
    readonly seriesNumber: number | null;
    /** Whether it holds objects of Vigil's own that a peer has sent back. */
    readonly own: boolean;
    readonly state: 'receiving' | 'complete';
    readonly revision: number;
    readonly instances: number;
    readonly confidence: 'proven' | 'likely' | 'unknown' | null;
    readonly completionCode: string | null;
    readonly completionText: string | null;
    readonly verdict: 'analysed' | 'eligible' | 'not-eligible' | null;
    readonly verdictCode: string | null;
    readonly verdictText: string | null;
  }[];
  readonly analyses: readonly AnalysisLine[];
  readonly objects: readonly {
    readonly sopInstanceUid: string;
    readonly revision: number;
    readonly kind: ObjectKind;
    readonly sopClassUid: string;
    readonly file: string;
    readonly bytes: number;
    readonly fallbackFor: string | null;
    readonly createdAt: number;
  }[];
  readonly deliveries: readonly {
    readonly deliveryId: number;
    readonly sopInstanceUid: string;
    readonly kind: ObjectKind | 'original';
    readonly destination: string;
    readonly route: string;
    readonly state: DeliveryState;
    readonly attempts: number;
    readonly looks: number;
    readonly dueAt: number;
    readonly settledAt: number | null;
    readonly status: number | null;
    readonly failureClass: FailureClass | null;
    readonly failureCode: string | null;
    readonly comment: string | null;
  }[];
  /** What scanners say that they have made for this study. */
  readonly steps: readonly {
    readonly sopInstanceUid: string;
    readonly callingAeTitle: string;
    readonly state: StepState;
    readonly createdAt: number;
    readonly changedAt: number;
    readonly series: number;
    readonly instances: number;
  }[];
  /** What scanners asked Vigil to commit to, of instances of this study. */
  readonly commitments: readonly {
    readonly transactionUid: string;
    readonly callingAeTitle: string;
    readonly requestedAt: number;
    readonly instances: number;
    readonly state: 'due' | 'reported' | 'dead';
    readonly attempts: number;
    readonly dueAt: number;
    readonly settledAt: number | null;
    /** Of the instances, when last looked at; null before. */
    readonly failed: number | null;
    readonly failureCode: string | null;
  }[];
  /** Of the images that name the study, and of those of other studies that have its UIDs. */
  readonly conflicts: readonly {
    readonly sopInstanceUid: string;
    readonly kind: ConflictKind;
    readonly studyInstanceUid: string;
    readonly firstStudyInstanceUid: string;
    readonly file: string | null;
    readonly receivedAt: number;
    readonly settledAt: number | null;
  }[];
  readonly damage: readonly (DamagedFile & { readonly foundAt: number })[];
  readonly events: readonly EventLine[];
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

  /** The last check of all files, or undefined where there was none; `finishedAt` is null while it is under way. */
  lastVerification(): LastVerification | undefined {
    return this.#catalog.prepare(LAST_VERIFICATION).get() as LastVerification | undefined;
  }

  /** What is open at each destination, also at those that the configuration names no more. */
  backlog(): DestinationBacklog[] {
    return this.#catalog.prepare(sql.DESTINATION_BACKLOG).all() as DestinationBacklog[];
  }

  openRoutes(): OpenRoute[] {
    return this.#catalog.prepare(sql.OPEN_ROUTES).all() as OpenRoute[];
  }

  /** The most urgent first. */
  deadLetters(limit: number): DeadLetter[] {
    return this.#catalog.prepare(sql.DEAD_LETTERS).all(limit) as DeadLetter[];
  }

  recentStudies(limit: number): StudyLine[] {
    const rows = this.#catalog.prepare(sql.RECENT_STUDIES).all(limit) as AsRow<
      StudyLine,
      'conflict'
    >[];
    return rows.map((row) => ({ ...row, conflict: row.conflict === 1 }));
  }

  /** Everything known of a study, or undefined where it is not in the catalog. */
  study(studyInstanceUid: string): StudyDetail | undefined {
    const all = <Row>(query: string) =>
      this.#catalog.prepare<[string], Row>(query).all(studyInstanceUid);
    const [study] = all<StudyDetail>(sql.STUDY);
    if (study === undefined) return undefined;
    return {
      ...study,
      series: all<AsRow<StudyDetail['series'][number], 'own'>>(STUDY_SERIES).map((row) => ({
        ...row,
        own: row.own === 1,
      })),
      analyses: all<AnalysisRow>(sql.STUDY_ANALYSES).map((row) => ({
        ...row,
        finding: row.finding === null ? null : withoutHeatMaps(JSON.parse(row.finding)),
        routing: row.routing === null ? null : (JSON.parse(row.routing) as RoutingRecord),
        secondReadings: readingsOf(this.#catalog, row.analysisId),
      })),
      objects: all(sql.STUDY_OBJECTS),
      deliveries: all(sql.STUDY_DELIVERIES),
      commitments: all(STUDY_COMMITMENTS),
      steps: all(STUDY_STEPS),
      conflicts: this.#catalog
        .prepare(STUDY_CONFLICTS)
        .all({ studyInstanceUid }) as StudyDetail['conflicts'],
      damage: all(STUDY_DAMAGE),
      events: all<EventRow>(sql.STUDY_EVENTS).map((row) => ({
        ...row,
        detail: JSON.parse(row.detail),
      })),
    };
  }

  /** Studies that have a finding and whose last slice came since then (milliseconds since the epoch), oldest first. */
  analysedSince(at: number): string[] {
    const rows = this.#catalog.prepare(sql.ANALYSED_SINCE).all(at) as {
      studyInstanceUid: string;
    }[];
    return rows.map(({ studyInstanceUid }) => studyInstanceUid);
  }

  /** The newest finding of a study, when it was made, and what other models have said since. */
  analysed(studyInstanceUid: string) {
    const row = this.#catalog
      .prepare<
        [string],
        { analysisId: number; finding: string; analysedAt: number; lastInstanceAt: number }
      >(sql.ANALYSED_STUDY)
      .get(studyInstanceUid);
    if (row === undefined) return undefined;
    const { analysisId, finding, ...times } = row;
    return {
      ...times,
      studyInstanceUid,
      finding: JSON.parse(finding) as Finding,
      secondReadings: readingsOf(this.#catalog, analysisId),
    };
  }

  /** The newest finding of a study that has one. */
  finding(studyInstanceUid: string): Finding | undefined {
    const row = this.#catalog
      .prepare<[string], { finding: string }>(sql.LAST_FINDING)
      .get(studyInstanceUid);
    return row && (JSON.parse(row.finding) as Finding);
  }

  /** Asks for the study's choice of series to be made and analysed again, though nothing new has come. */
  requestReanalysis(studyInstanceUid: string): boolean {
    const at = Date.now();
    return this.#catalog
      .transaction(() => {
        const { changes } = this.#catalog.prepare(SET_SELECTION_DUE).run({ studyInstanceUid, at });
        if (changes === 0) return false;
        this.#catalog.prepare(FORGET_INPUT).run({ studyInstanceUid });
        this.#catalog.prepare(FORGET_STUDYS_LOST_TRIES).run(studyInstanceUid);
        eventWriter(this.#catalog)({ at, kind: 'reanalyse', studyInstanceUid });
        return true;
      })
      .immediate();
  }
}

/** The maps' thousands of numbers are for the report stage, not for reading. */
function withoutHeatMaps(finding: Finding): FindingLine {
  const keySlices = finding.keySlices.map(({ heatMap: _, ...keySlice }) => keySlice);
  return { ...finding, keySlices };
}
