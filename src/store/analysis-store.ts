import type { Finding, Reason } from '../domain/finding.js';
import { type LostTries, waitAfterCutOff } from '../domain/lost-tries.js';
import type { RoutingDecision } from '../domain/routing.js';
import { LONGEST_YIELD_MS, OUTCOMES, type Suspicion } from '../domain/urgency.js';
import * as sql from './analysis-queries.js';
import type { AnalysisWork, ReportWork } from './analysis-work.js';
import { REPORT_ONCE_MORE } from './damage-queries.js';
import type { Catalog } from './database.js';
import { eventWriter } from './events.js';
import { ReportObjects, type WrittenObject } from './report-objects.js';
import { routingRecord } from './routing-record.js';
import { SET_SELECTION_DUE } from './series-queries.js';

/** Why an analysis is reported once more without pictures. */
export const PICTURES_FAILED = {
  code: 'pictures-failed',
  text: 'Pictures that the report before refers to cannot be made',
};

/** The rows of analyses and of the reports made from them. */
export class AnalysisStore {
  readonly objects: ReportObjects;
  readonly #catalog: Catalog;
  readonly #event: ReturnType<typeof eventWriter>;

  constructor(catalog: Catalog) {
    this.objects = new ReportObjects(catalog);
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

  hasObject(sopInstanceUid: string): boolean {
    return this.objects.has(sopInstanceUid);
  }

  /** Commits objects of a report, more of which follow, each with its deliveries. */
  advanceReport(
    work: ReportWork,
    objects: readonly WrittenObject[],
    decision: RoutingDecision,
  ): void {
    this.#catalog
      .transaction(() => this.objects.insert(work, objects, decision, Date.now()))
      .immediate();
  }

  /** Whether objects of the report are committed already, and may be at a PACS. */
  isAdvanced({ analysisId }: ReportWork): boolean {
    return this.objects.count(analysisId) > 0;
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
        this.objects.insert(work, objects, decision, at);
        for (const routed of decision.deliveries) this.objects.insertOriginals(work, routed, at);
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
            objects: this.objects.count(analysisId),
            routes: routes.join(','),
            ...(unsent === undefined ? {} : { why: unsent }),
          },
        });
      })
      .immediate();
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
