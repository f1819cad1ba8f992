import type { Outcome } from '../domain/finding.js';
import { positiveRates, quantile, type RatedResult } from '../domain/result-statistics.js';
import { sourceActivity } from '../domain/source-activity.js';
import type { Catalog } from './database.js';
import * as sql from './operations-queries.js';
import {
  COMPARED_SINCE,
  CONTRADICTED_SINCE,
  SECOND_READINGS_DUE,
} from './second-reading-queries.js';
import { SERIES_LABELS, STUDY_MS_TO_REPORT } from './worklist-queries.js';

const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;
/** Series that kernels and thicknesses are counted of. */
const MOST_SERIES = 2000;
/** Of a longer list a person reads the beginning. */
const MOST_CONTRADICTIONS = 20;

/** What the node has done of late, from the catalog's rows. */
export class OperationsStore {
  readonly #catalog: Catalog;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  /** At `now`; the destinations are those whose last success is asked for. */
  report(now: number, destinations: readonly string[]) {
    const since = now - DAY;
    const images = this.#all<{ hour: number; aeTitle: string; images: number }>(
      sql.IMAGES_BY_HOUR,
      { since },
    );
    const perSource = new Map<string, number>();
    for (const { aeTitle, images: n } of images) {
      perSource.set(aeTitle, (perSource.get(aeTitle) ?? 0) + n);
    }
    return {
      throughput: this.#throughput(now, images),
      timeToReport: this.#timeToReport(since),
      lastSuccess: destinations.map((name) => ({ name, at: this.#lastSuccess(name) })),
      sources: sourceActivity(
        this.#all<{ aeTitle: string; openedAt: number; ended: string | null }>(
          sql.ASSOCIATIONS_SINCE,
          { since: now - 14 * DAY },
        ),
        now,
      ).map((source) => ({ ...source, images24h: perSource.get(source.aeTitle) ?? 0 })),
      results: { ...this.#results(now), ...this.#mix(now - 7 * DAY) },
      secondReadings: this.#secondReadings(now - 30 * DAY),
    };
  }

  #throughput(now: number, images: readonly { hour: number; images: number }[]) {
    const since = now - DAY;
    const studies = this.#all<{ hour: number; studies: number }>(sql.STUDIES_BY_HOUR, { since });
    const reports = this.#all<{ hour: number; reports: number }>(sql.REPORTS_BY_HOUR, { since });
    const last = Math.floor(now / HOUR);
    return Array.from({ length: 24 }, (_, i) => {
      const hour = last - 23 + i;
      const ofHour = images.filter((line) => line.hour === hour);
      return {
        hour: hour * HOUR,
        images: ofHour.reduce((sum, line) => sum + line.images, 0),
        studies: studies.find((line) => line.hour === hour)?.studies ?? 0,
        reports: reports.find((line) => line.hour === hour)?.reports ?? 0,
      };
    });
  }

  #timeToReport(since: number) {
    const ask = this.#catalog.prepare(STUDY_MS_TO_REPORT);
    const times = this.#all<{ uid: string }>(sql.STUDIES_SINCE, { since })
      .flatMap(({ uid }) => (ask.get({ uid }) as { ms: number | null }).ms ?? [])
      .sort((a, b) => a - b);
    return {
      studies: times.length,
      p50Ms: quantile(times, 0.5) ?? null,
      p99Ms: quantile(times, 0.99) ?? null,
    };
  }

  #lastSuccess(destination: string): number | null {
    const row = this.#catalog.prepare(sql.LAST_SUCCESS).get(destination) as
      | { at: number }
      | undefined;
    return row?.at ?? null;
  }

  #results(now: number) {
    const rows = this.#all<{ receivedAt: number; outcome: Outcome; probability: number | null }>(
      sql.RESULTS_SINCE,
      { since: now - 30 * DAY },
    );
    return positiveRates(rows satisfies readonly RatedResult[], now);
  }

  #secondReadings(since: number) {
    return {
      due: this.#all<{ reader: string; due: number }>(SECOND_READINGS_DUE, {}),
      compared: this.#all<{ reader: string; deciding: Outcome; outcome: Outcome; studies: number }>(
        COMPARED_SINCE,
        { since },
      ),
      contradicted: this.#all<{
        reader: string;
        studyInstanceUid: string;
        deciding: Outcome;
        outcome: Outcome;
        readAt: number;
      }>(CONTRADICTED_SINCE, { since, limit: MOST_CONTRADICTIONS }),
    };
  }

  #mix(since: number) {
    const labels = this.#catalog.prepare(SERIES_LABELS);
    const kernels = new Map<string, number>();
    const thicknesses = new Map<string, number>();
    const count = (counts: Map<string, number>, value: string) =>
      counts.set(value, (counts.get(value) ?? 0) + 1);
    const series = this.#all<{ uid: string }>(sql.READ_SERIES_SINCE, { since, limit: MOST_SERIES });
    for (const { uid } of series) {
      const row = labels.get(uid) as
        | { kernel: string | null; thicknessMm: number | null }
        | undefined;
      if (row === undefined) continue;
      count(kernels, row.kernel ?? 'not stated');
      count(thicknesses, row.thicknessMm === null ? 'not stated' : row.thicknessMm.toFixed(1));
    }
    return { kernels: lines(kernels), thicknessesMm: lines(thicknesses) };
  }

  #all<Row>(query: string, parameters: object): Row[] {
    return this.#catalog.prepare(query).all(parameters) as Row[];
  }
}

/** The most frequent first. */
function lines(counts: ReadonlyMap<string, number>) {
  return [...counts]
    .map(([value, series]) => ({ value, series }))
    .sort((a, b) => b.series - a.series || a.value.localeCompare(b.value));
}
