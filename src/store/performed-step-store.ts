import {
  type NewStep,
  type PerformedSeries,
  type StepChange,
  type StepRefusal,
  type StepStanding,
  standingAfter,
} from '../domain/performed-step.js';
import type { Catalog } from './database.js';
import { eventWriter } from './events.js';
import * as sql from './performed-step-queries.js';

/** Beyond them no step is taken: they are rows that whoever may associate can make, and a disk has an end. */
const MAXIMUM_STEPS = 100_000;
const MAXIMUM_INSTANCES = 2_000_000;

/** What scanners say that they are making or have made. */
export class PerformedStepStore {
  readonly #catalog: Catalog;
  readonly #onEnded: (seriesInstanceUids: readonly string[]) => void;
  readonly #event: ReturnType<typeof eventWriter>;

  /** `onEnded` writes down, in the same transaction, what the end of a step says of its series. */
  constructor(
    catalog: Catalog,
    onEnded: (seriesInstanceUids: readonly string[]) => void = () => {},
  ) {
    this.#catalog = catalog;
    this.#onEnded = onEnded;
    this.#event = eventWriter(catalog);
  }

  create(step: NewStep): 'taken' | 'duplicate' | 'too-many' {
    const { sopInstanceUid, studyInstanceUid, callingAeTitle, hasEnd, series = [] } = step;
    return this.#catalog
      .transaction(() => {
        const { steps } = this.#totals();
        if (steps >= MAXIMUM_STEPS || !this.#hasRoomFor(series)) return 'too-many';
        const row = { sopInstanceUid, studyInstanceUid, callingAeTitle };
        const { changes } = this.#catalog
          .prepare(sql.INSERT_STEP)
          .run({ ...row, hasEnd: hasEnd ? 1 : 0, at: Date.now() });
        if (changes === 0) return 'duplicate';
        this.#writeSeries(sopInstanceUid, series);
        return 'taken';
      })
      .immediate();
  }

  change(
    sopInstanceUid: string,
    change: StepChange,
  ): 'taken' | 'unknown' | 'too-many' | StepRefusal {
    const at = Date.now();
    return this.#catalog
      .transaction(() => {
        const row = this.#catalog.prepare(sql.STEP_STANDING).get(sopInstanceUid) as
          | (Omit<StepStanding, 'hasEnd'> & {
              hasEnd: number;
              studyInstanceUid: string;
              callingAeTitle: string;
            })
          | undefined;
        if (row === undefined) return 'unknown';
        const next = standingAfter({ ...row, hasEnd: row.hasEnd === 1 }, change);
        if (typeof next === 'string') return next;
        if (!this.#hasRoomFor(change.series ?? [])) return 'too-many';
        const { state } = next;
        const hasEnd = next.hasEnd ? 1 : 0;
        this.#catalog.prepare(sql.CHANGE_STEP).run({ sopInstanceUid, state, hasEnd, at });
        if (change.series !== undefined) this.#writeSeries(sopInstanceUid, change.series);
        if (state !== 'in-progress') {
          const { studyInstanceUid, callingAeTitle } = row;
          const detail = { stepUid: sopInstanceUid, from: callingAeTitle, series: next.series };
          this.#event({ at, kind: `step-${state}`, studyInstanceUid, detail });
          this.#onEnded(this.series(sopInstanceUid));
        }
        return 'taken';
      })
      .immediate();
  }

  /** The series that a step names. */
  series(sopInstanceUid: string): string[] {
    const rows = this.#catalog.prepare(sql.STEP_SERIES).all(sopInstanceUid);
    return (rows as { seriesInstanceUid: string }[]).map((row) => row.seriesInstanceUid);
  }

  #totals(): { readonly steps: number; readonly instances: number } {
    return this.#catalog.prepare(sql.STEP_TOTALS).get() as { steps: number; instances: number };
  }

  #hasRoomFor(series: readonly PerformedSeries[]): boolean {
    return series.length === 0 || this.#totals().instances + count(series) <= MAXIMUM_INSTANCES;
  }

  /** In place of those before: a message names all that there are. */
  #writeSeries(stepUid: string, series: readonly PerformedSeries[]): void {
    this.#catalog.prepare(sql.DELETE_STEP_SERIES).run(stepUid);
    const insertSeries = this.#catalog.prepare(sql.INSERT_STEP_SERIES);
    const insertInstance = this.#catalog.prepare(sql.INSERT_STEP_INSTANCE);
    for (const { seriesInstanceUid, instances } of series) {
      insertSeries.run({ stepUid, seriesInstanceUid });
      for (const { sopInstanceUid } of instances) {
        insertInstance.run({ stepUid, seriesInstanceUid, sopInstanceUid });
      }
    }
    this.#catalog.prepare(sql.COUNT_STEP_INSTANCES).run({ stepUid, instances: count(series) });
  }
}

function count(series: readonly PerformedSeries[]): number {
  return series.reduce((sum, { instances }) => sum + instances.length, 0);
}
