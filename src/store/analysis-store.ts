import type { Finding, Reason } from '../domain/finding.js';
import { type LostTries, waitAfterCutOff } from '../domain/lost-tries.js';
import { type MadeObjectRow, sendableKind } from '../domain/result-object.js';
import type { RoutedObject, RoutingDecision } from '../domain/routing.js';
import { deliveryRank, LONGEST_YIELD_MS, OUTCOMES, type Suspicion } from '../domain/urgency.js';
import * as sql from './analysis-queries.js';
import { REPORT_ONCE_MORE } from './damage-queries.js';
import type { Catalog } from './database.js';
import { INSERT_DELIVERY } from './delivery-queries.js';
import { eventWriter } from './events.js';
import { SET_SELECTION_DUE } from './series-queries.js';

/** An analysis that a worker has claimed; `attempts` counts this one. */
export interface AnalysisWork {
  readonly analysisId: number;
  readonly studyInstanceUid: string;
  readonly revision: number;
  /** Null where no series of the study is eligible. */
  readonly seriesInstanceUid: string | null;
  /** Why the series was taken for whole. */
  readonly triggerCode: string;
  readonly attempts: number;
}

export interface ReportWork extends AnalysisWork {
  /** When the finding was made, ms since the epoch. */
  readonly analysedAt: number;
  readonly finding: Finding;
}

interface ReportDocument {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly studyInstanceUid: string;
}

/** The report that a new revision takes the place of. */
export interface PredecessorReport extends ReportDocument {
  /** What peers have in its place that do not take its SOP class. */
  readonly fallback?: ReportDocument;
}

/** Why an analysis is reported once more without pictures. */
export const PICTURES_FAILED = {
  code: 'pictures-failed',
  text: 'Pictures that the report before refers to cannot be made',
};

/** A result object whose file is durable; `file` is relative to the storage folder. */
export interface WrittenObject {
  readonly object: MadeObjectRow;
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** The rows of analyses and of the reports made from them. */
export class AnalysisStore {
  readonly #catalog: Catalog;
  readonly #event: ReturnType<typeof eventWriter>;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
    this.#event = eventWriter(catalog);
  }

  /** At the start: gives back what the last run had claimed, and notes what it was cut off in. */
  recover(now = Date.now()): void {
    this.#catalog
      .transaction(() => {
        this.#catalog.prepare(sql.COUNT_CUT_OFFS).run();
        const cutOff = this.#catalog.prepare(sql.CUT_OFF_ANALYSES).all() as {
          analysisId: number;
          cutOffs: number;
        }[];
        const postpone = this.#catalog.prepare(sql.POSTPONE_ANALYSIS);
        for (const { analysisId, cutOffs } of cutOff) {
          const wait = waitAfterCutOff(cutOffs);
          if (wait > 0) postpone.run({ analysisId, dueAt: now + wait });
        }
        this.#catalog.prepare(sql.RELEASE_CLAIMS).run({ from: 'due', to: 'running' });
      })
      .immediate();
  }

  /** The inference process was lost with the series in its hands: durable before it gets the series again. */
  loseTry(seriesInstanceUid: string, reason: Reason): void {
    this.#catalog
      .transaction(() => {
        this.#catalog.prepare(sql.LOSE_TRY).run({ seriesInstanceUid, ...reason });
        const row = this.#catalog.prepare(sql.STUDY_OF_SERIES).get(seriesInstanceUid);
        const { studyInstanceUid } = row as { studyInstanceUid: string };
        this.#event({
          at: Date.now(),
          kind: 'inference-lost',
          studyInstanceUid,
          seriesInstanceUid,
          detail: { ...reason },
        });
      })
      .immediate();
  }

  lostTries(seriesInstanceUid: string): LostTries {
    const row = this.#catalog.prepare(sql.LOST_TRIES).get(seriesInstanceUid) as
      | { losses: number; cutOffs: number; code: string | null; text: string | null }
      | undefined;
    if (row === undefined) return { losses: 0, cutOffs: 0 };
    const { losses, cutOffs, code, text } = row;
    return { losses, cutOffs, ...(code !== null && text !== null && { reason: { code, text } }) };
  }

  /** The most urgent analysis that is due: what has waited for very long, then by suspicion, then by arrival. */
  claimAnalysis(now: number, suspicion: Suspicion = {}): AnalysisWork | undefined {
    return this.#claim('due', 'running', now, suspicion);
  }

  nextAnalysisAt(): number | undefined {
    return this.#nextAt('due');
  }

  /** Puts a failed attempt back until `dueAt`. */
  retryAnalysis(work: AnalysisWork, dueAt: number, code: string): void {
    this.#retry(work, 'running', 'due', dueAt, code);
  }

  /** As `retryAnalysis`, but the attempt does not count: nothing is wrong with the study. */
  postponeAnalysis(work: AnalysisWork, dueAt: number, code: string): void {
    this.#retry(work, 'running', 'due', dueAt, code, work.attempts - 1);
  }

  /** `inputHash` stands for what was really read: slices may have come since the series was chosen. */
  finishAnalysis(work: AnalysisWork, finding: Finding, inputHash: string): void {
    this.#finish(work, 'running', finding, inputHash);
  }

  /** The series' pixels were refused: takes the analysis back and has the study's choice made again without it. */
  refuseSeries(work: AnalysisWork, reason: Reason): void {
    const at = Date.now();
    const { analysisId, studyInstanceUid, seriesInstanceUid } = work;
    this.#catalog
      .transaction(() => {
        this.#catalog.prepare(sql.REFUSE_SERIES).run({ seriesInstanceUid, ...reason });
        this.#catalog.prepare(sql.DROP_ANALYSIS).run({ analysisId });
        this.#catalog.prepare(SET_SELECTION_DUE).run({ studyInstanceUid, at });
        this.#event({
          at,
          kind: 'series-refused',
          studyInstanceUid,
          seriesInstanceUid: seriesInstanceUid ?? undefined,
          detail: { ...reason },
        });
      })
      .immediate();
  }

  claimReport(now: number): ReportWork | undefined {
    const work = this.#claim('analysed', 'composing', now);
    return work && { ...work, finding: JSON.parse(work.finding) as Finding };
  }

  nextReportAt(): number | undefined {
    return this.#nextAt('analysed');
  }

  retryReport(work: ReportWork, dueAt: number, code: string): void {
    this.#retry(work, 'composing', 'analysed', dueAt, code);
  }

  postponeReport(work: ReportWork, dueAt: number, code: string): void {
    this.#retry(work, 'composing', 'analysed', dueAt, code, work.attempts - 1);
  }

  /** Takes another finding in place of one that no report could be made of. */
  replaceFinding(work: ReportWork, finding: Finding): void {
    this.#finish(work, 'composing', finding, null);
  }

  /** No report can be made: the study waits for a person, visibly. */
  markStuck(work: ReportWork, code: string): void {
    const at = Date.now();
    this.#catalog
      .transaction(() => {
        this.#catalog.prepare(sql.RETRY_ANALYSIS).run({
          analysisId: work.analysisId,
          from: 'composing',
          to: 'stuck',
          dueAt: at,
          attempts: work.attempts,
        });
        this.#event({
          at,
          kind: 'report-stuck',
          studyInstanceUid: work.studyInstanceUid,
          detail: { code, revision: work.revision },
        });
      })
      .immediate();
  }

  /** What was made of an analysis. */
  madeObjects(analysisId: number): MadeObjectRow[] {
    const rows = this.#catalog.prepare(sql.MADE_OBJECTS).all(analysisId) as (Omit<
      MadeObjectRow,
      'fallbackFor'
    > & { fallbackFor: string | null })[];
    return rows.map(
      ({ fallbackFor, ...row }) =>
        ({ ...row, ...(fallbackFor !== null && { fallbackFor }) }) as MadeObjectRow,
    );
  }

  hasObject(sopInstanceUid: string): boolean {
    return this.#catalog.prepare(sql.HAS_RESULT_OBJECT).get(sopInstanceUid) !== undefined;
  }

  predecessor(work: ReportWork): PredecessorReport | undefined {
    const { studyInstanceUid, revision } = work;
    const row = this.#catalog.prepare(sql.PREDECESSOR_REPORT).get({ studyInstanceUid, revision }) as
      | (ReportDocument & {
          readonly fallbackClassUid: string | null;
          readonly fallbackUid: string | null;
          readonly fallbackSeriesUid: string | null;
        })
      | undefined;
    if (row === undefined) return undefined;
    const { fallbackClassUid, fallbackUid, fallbackSeriesUid, ...report } = row;
    if (fallbackClassUid === null || fallbackUid === null || fallbackSeriesUid === null) {
      return report;
    }
    const fallback = {
      sopClassUid: fallbackClassUid,
      sopInstanceUid: fallbackUid,
      seriesInstanceUid: fallbackSeriesUid,
      studyInstanceUid,
    };
    return { ...report, fallback };
  }

  /** Commits objects of a report, more of which follow, each with its deliveries. */
  advanceReport(
    work: ReportWork,
    objects: readonly WrittenObject[],
    decision: RoutingDecision,
  ): void {
    this.#catalog
      .transaction(() => this.#insertObjects(work, objects, decision, Date.now()))
      .immediate();
  }

  /** Commits more deliveries of a report that is made, and objects that only they need. */
  addDeliveries(
    work: ReportWork,
    objects: readonly WrittenObject[],
    deliveries: readonly RoutedObject[],
  ): void {
    const at = Date.now();
    this.#catalog
      .transaction(() => {
        this.#insertRows(work, objects, at);
        const made = this.madeObjects(work.analysisId);
        for (const routed of deliveries) {
          this.#insertDeliveries(work, made, routed, at);
          this.#insertOriginals(work, routed, at);
        }
      })
      .immediate();
  }

  /** Whether objects of the report are committed already, and may be at a PACS. */
  isAdvanced({ analysisId }: ReportWork): boolean {
    return this.#madeObjects(analysisId) > 0;
  }

  /** Ends a report whose illustrations cannot be made; where `finding` is given it is reported in its place. */
  finishUnillustrated(work: ReportWork, decision: RoutingDecision, finding?: Finding): void {
    const at = Date.now();
    const { analysisId, studyInstanceUid, revision } = work;
    this.#catalog
      .transaction(() => {
        this.finishReport(work, [], decision);
        this.#event({ at, kind: 'pictures-failed', studyInstanceUid, detail: { revision } });
        if (finding === undefined) return;
        const again = { ...PICTURES_FAILED, finding: JSON.stringify(finding), at };
        this.#catalog.prepare(REPORT_ONCE_MORE).run({ analysisId, ...again });
      })
      .immediate();
  }

  /** Commits a report's objects and one delivery for each (object, destination) that the routes ask for. */
  finishReport(
    work: ReportWork,
    objects: readonly WrittenObject[],
    decision: RoutingDecision,
  ): void {
    const at = Date.now();
    const { analysisId, studyInstanceUid, revision, finding } = work;
    const routing = routingRecord(decision);
    this.#catalog
      .transaction(() => {
        this.#insertObjects(work, objects, decision, at);
        for (const routed of decision.deliveries) this.#insertOriginals(work, routed, at);
        const row = { analysisId, at, routing: JSON.stringify(routing) };
        this.#catalog.prepare(sql.REPORTED_ANALYSIS).get(row);
        const { routes, unsent } = routing;
        this.#event({
          at,
          kind: unsent === undefined ? 'reported' : 'unsent',
          studyInstanceUid,
          detail: {
            revision,
            outcome: finding.outcome,
            objects: this.#madeObjects(analysisId),
            routes: routes.join(','),
            ...(unsent === undefined ? {} : { why: unsent }),
          },
        });
      })
      .immediate();
  }

  #insertObjects(
    work: ReportWork,
    objects: readonly WrittenObject[],
    decision: RoutingDecision,
    at: number,
  ): void {
    this.#insertRows(work, objects, at);
    const made = objects.map(({ object }) => object);
    for (const routed of decision.deliveries) this.#insertDeliveries(work, made, routed, at);
  }

  #insertRows(work: ReportWork, objects: readonly WrittenObject[], at: number): void {
    const insert = this.#catalog.prepare(sql.INSERT_RESULT_OBJECT);
    for (const { object, file, sha256, bytes } of objects) {
      insert.run({
        sopInstanceUid: object.sopInstanceUid,
        analysisId: work.analysisId,
        kind: object.kind,
        sopClassUid: object.sopClassUid,
        seriesInstanceUid: object.seriesInstanceUid,
        transferSyntaxUid: object.transferSyntaxUid,
        file,
        bytes,
        sha256,
        fallbackFor: object.fallbackFor ?? null,
        at,
      });
    }
  }

  #insertOriginals(
    { analysisId, studyInstanceUid, finding }: ReportWork,
    { kind, destination, route, priority: wanted }: RoutedObject,
    at: number,
  ): void {
    if (kind !== 'original') return;
    const priority = deliveryRank(finding.outcome, kind, wanted);
    const chosen = { studyInstanceUid, seriesInstanceUid: finding.seriesInstanceUid ?? null };
    this.#catalog.prepare(sql.INSERT_ORIGINALS).run({ ...chosen, analysisId, at });
    const row = { destination, route, priority, at };
    this.#catalog.prepare(sql.INSERT_ORIGINAL_DELIVERIES).run({ ...chosen, ...row });
  }

  #insertDeliveries(
    { finding }: ReportWork,
    objects: readonly MadeObjectRow[],
    { kind, destination, route, priority: wanted, transferSyntax }: RoutedObject,
    at: number,
  ): void {
    const priority = deliveryRank(finding.outcome, kind, wanted);
    const row = { destination, route, priority, at };
    const insert = this.#catalog.prepare(INSERT_DELIVERY);
    for (const object of objects) {
      if (sendableKind(object) !== kind) continue;
      const { sopInstanceUid } = object;
      insert.run({ ...row, sopInstanceUid, transferSyntax: transferSyntax ?? null });
    }
  }

  #madeObjects(analysisId: number): number {
    const row = this.#catalog.prepare(sql.COUNT_MADE_OBJECTS).get(analysisId);
    return (row as { objects: number }).objects;
  }

  #claim(from: string, to: string, now: number, suspicion: Suspicion = {}) {
    this.#catalog.prepare(sql.RELEASE_CLAIMS).run({ from, to });
    const order = {
      overdue: now - LONGEST_YIELD_MS,
      outcomes: JSON.stringify(OUTCOMES),
      suspicion: JSON.stringify(suspicion),
    };
    return this.#catalog.prepare(sql.CLAIM_ANALYSIS).get({ from, to, now, ...order }) as
      | (AnalysisWork & { analysedAt: number; finding: string })
      | undefined;
  }

  #nextAt(state: string): number | undefined {
    const row = this.#catalog.prepare(sql.NEXT_ANALYSIS).get(state) as { dueAt: number | null };
    return row.dueAt ?? undefined;
  }

  #retry(
    work: AnalysisWork,
    from: string,
    to: string,
    dueAt: number,
    code: string,
    attempts = work.attempts,
  ): void {
    this.#catalog
      .transaction(() => {
        this.#catalog
          .prepare(sql.RETRY_ANALYSIS)
          .run({ analysisId: work.analysisId, from, to, dueAt, attempts });
        this.#event({
          at: Date.now(),
          kind: 'analysis-retried',
          studyInstanceUid: work.studyInstanceUid,
          detail: { code, attempts: work.attempts, revision: work.revision },
        });
      })
      .immediate();
  }

  #finish(work: AnalysisWork, from: string, finding: Finding, inputHash: string | null): void {
    const at = Date.now();
    const { analysisId, studyInstanceUid, revision } = work;
    this.#catalog
      .transaction(() => {
        const { outcome, reason } = finding;
        const row = { analysisId, from, at, outcome, inputHash, finding: JSON.stringify(finding) };
        this.#catalog.prepare(sql.FINISH_ANALYSIS).get(row);
        if (outcome !== 'failed' && finding.seriesInstanceUid !== undefined) {
          this.#catalog.prepare(sql.FORGET_LOST_TRIES).run(finding.seriesInstanceUid);
        }
        this.#event({
          at,
          kind: 'analysis-finished',
          studyInstanceUid,
          seriesInstanceUid: finding.seriesInstanceUid,
          detail: { revision, outcome, ...(reason ? { code: reason.code } : {}) },
        });
      })
      .immediate();
  }
}

/** What the catalog keeps of a routing decision. */
export interface RoutingRecord {
  /** Names of the routes whose actions were done. */
  readonly routes: readonly string[];
  readonly undecided?: RoutingDecision['undecided'];
  /** Why nothing is sent, for people; absent where something is. */
  readonly unsent?: string;
}

function routingRecord(decision: RoutingDecision): RoutingRecord {
  const { matched, used, undecided, deliveries, withheld } = decision;
  const why = withheld && `${withheld.how} by ${withheld.route}: ${withheld.reason}`;
  return {
    routes: [...matched, ...(used === undefined ? [] : [used])],
    ...(undecided.length > 0 && { undecided }),
    ...(deliveries.length === 0 && { unsent: why ?? 'no route holds' }),
  };
}
