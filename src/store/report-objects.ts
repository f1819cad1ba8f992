import { type MadeObjectRow, sendableKind } from '../domain/result-object.js';
import type { RoutedObject, RoutingDecision } from '../domain/routing.js';
import { deliveryRank } from '../domain/urgency.js';
import * as sql from './analysis-queries.js';
import type { ReportWork } from './analysis-work.js';
import type { Catalog } from './database.js';
import { INSERT_DELIVERY } from './delivery-queries.js';

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

/** A result object whose file is durable; `file` is relative to the storage folder. */
export interface WrittenObject {
  readonly object: MadeObjectRow;
  readonly file: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** The rows of what was made of analyses, and of what is to be delivered of it. */
export class ReportObjects {
  readonly #catalog: Catalog;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /** What was made of an analysis. */
  of(analysisId: number): MadeObjectRow[] {
    const rows = this.#catalog.prepare(sql.MADE_OBJECTS).all(analysisId) as (Omit<
      MadeObjectRow,
      'fallbackFor'
    > & { fallbackFor: string | null })[];
    return rows.map(
      ({ fallbackFor, ...row }) =>
        ({ ...row, ...(fallbackFor !== null && { fallbackFor }) }) as MadeObjectRow,
    );
  }

  count(analysisId: number): number {
    const row = this.#catalog.prepare(sql.COUNT_MADE_OBJECTS).get(analysisId);
    return (row as { objects: number }).objects;
  }

  has(sopInstanceUid: string): boolean {
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

  /** Commits more deliveries of a report that is made, and objects that only they need. */
  add(
    work: ReportWork,
    objects: readonly WrittenObject[],
    deliveries: readonly RoutedObject[],
  ): void {
    const at = Date.now();
    this.#catalog
      .transaction(() => {
        this.#insertRows(work, objects, at);
        const made = this.of(work.analysisId);
        for (const routed of deliveries) {
          this.#insertDeliveries(work, made, routed, at);
          this.insertOriginals(work, routed, at);
        }
      })
      .immediate();
  }

  /** Within the transaction that makes the report's next step true. */
  insert(
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

  /** Has the study's images forwarded where that is what is routed; within a transaction, as `insert`. */
  insertOriginals(
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
}
