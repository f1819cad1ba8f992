import type { Finding } from '../domain/finding.js';
import type { RoutedObject } from '../domain/routing.js';
import type { SecondReading } from '../domain/second-reading.js';
import type { ReportWork } from './analysis-work.js';
import type { Catalog } from './database.js';
import { eventWriter } from './events.js';
import type { ReportObjects, WrittenObject } from './report-objects.js';
import * as sql from './second-reading-queries.js';
import { readingsOf } from './second-reading-rows.js';

/** A reported analysis whose series another model is to read; `attempts` counts this one. */
export interface SecondReadingWork {
  readonly reader: string;
  readonly attempts: number;
  readonly report: ReportWork & { readonly seriesInstanceUid: string };
}

/** The rows of what models beside the deciding one read. A report and each reader make one, by a trigger. */
export class SecondReadingStore {
  readonly #catalog: Catalog;
  readonly #objects: ReportObjects;
  readonly #event: ReturnType<typeof eventWriter>;

  constructor(catalog: Catalog, objects: ReportObjects) {
    this.#catalog = catalog;
    this.#objects = objects;
    this.#event = eventWriter(catalog);
  }

  /** At the start: reports from now on are read by these; what waited for others is dropped. */
  appoint(readers: readonly string[]): void {
    this.#catalog
      .transaction(() => {
        const rows = this.#catalog.prepare(sql.SECOND_READERS).all() as { name: string }[];
        for (const { name } of rows.filter((row) => !readers.includes(row.name))) {
          this.#catalog.prepare(sql.REMOVE_SECOND_READER).run(name);
          this.#catalog.prepare(sql.DROP_DUE_READINGS).run(name);
        }
        for (const name of readers) this.#catalog.prepare(sql.ADD_SECOND_READER).run(name);
      })
      .immediate();
  }

  /** Whether a study waits for the model that decides, or is read by it. */
  isTriageWaiting(now: number): boolean {
    return this.#catalog.prepare(sql.IS_TRIAGE_WAITING).get(now) !== undefined;
  }

  claim(reader: string, now: number): SecondReadingWork | undefined {
    return this.#catalog
      .transaction(() => {
        this.#catalog.prepare(sql.DROP_OUTDATED_READINGS).run(reader);
        const claimed = this.#catalog.prepare(sql.CLAIM_SECOND_READING).get({ reader, now }) as
          | { readonly analysisId: number; readonly attempts: number }
          | undefined;
        if (claimed === undefined) return undefined;
        const { finding, ...report } = this.#catalog
          .prepare(sql.REPORTED_WORK)
          .get(claimed.analysisId) as Omit<SecondReadingWork['report'], 'finding'> & {
          finding: string;
        };
        const { attempts } = claimed;
        return { reader, attempts, report: { ...report, finding: JSON.parse(finding) as Finding } };
      })
      .immediate();
  }

  /** When the next one may be claimed, milliseconds since the epoch. */
  nextAt(reader: string): number | undefined {
    const row = this.#catalog.prepare(sql.NEXT_SECOND_READING).get(reader);
    return (row as { dueAt: number | null }).dueAt ?? undefined;
  }

  retry(work: SecondReadingWork, dueAt: number): void {
    this.#put(work, dueAt, work.attempts);
  }

  /** As `retry`, but the attempt does not count: nothing is wrong with the series. */
  postpone(work: SecondReadingWork, dueAt: number): void {
    this.#put(work, dueAt, work.attempts - 1);
  }

  /** Keeps the answer, with the deliveries that it adds to those of the report. */
  finish(
    { reader, report }: SecondReadingWork,
    finding: Finding,
    deliveries: readonly RoutedObject[],
    objects: readonly WrittenObject[],
  ): void {
    const at = Date.now();
    const { analysisId, studyInstanceUid, seriesInstanceUid, revision } = report;
    const { outcome, reason, model } = finding;
    this.#catalog
      .transaction(() => {
        const row = { analysisId, reader, at, outcome, finding: JSON.stringify(finding) };
        this.#catalog.prepare(sql.FINISH_SECOND_READING).run(row);
        this.#objects.add(report, objects, deliveries);
        const routes = new Set(deliveries.map(({ route }) => route));
        this.#event({
          at,
          kind: 'second-reading',
          studyInstanceUid,
          seriesInstanceUid,
          detail: {
            reader,
            model: `${model.name} ${model.version}`,
            revision,
            outcome,
            ...(reason && { code: reason.code }),
            ...(routes.size > 0 && { routes: [...routes].join(',') }),
          },
        });
      })
      .immediate();
  }

  /** What has been read of an analysis so far. */
  readings(analysisId: number): SecondReading[] {
    return readingsOf(this.#catalog, analysisId);
  }

  #put({ reader, report }: SecondReadingWork, dueAt: number, attempts: number): void {
    const { analysisId } = report;
    this.#catalog.prepare(sql.RETRY_SECOND_READING).run({ analysisId, reader, dueAt, attempts });
  }
}
