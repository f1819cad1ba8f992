import { join } from 'node:path';
import { mayLackSlices } from '../domain/completion.js';
import type { Reason } from '../domain/finding.js';
import type { InstanceHeader, StoredInstance } from '../domain/instance.js';
import type { AssociationEnd } from '../domain/received-instance.js';
import { LISTED_INSTANCES } from './commitment-queries.js';
import type { Catalog } from './database.js';
import { eventWriter } from './events.js';
import { COMPLETED_SERIES, REOPEN_DOUBTED_SERIES, SERIES_REPETITIONS } from './ingest-queries.js';
import type { CommittedChange } from './ingest-rows.js';
import { DISCONTINUED_SERIES, PERFORMED_INSTANCES } from './performed-step-queries.js';
import * as sql from './series-queries.js';
import type { SeriesStore } from './series-store.js';

/** A series that is being received, kept in memory so that a slice costs no reading of its siblings' rows. */
interface ReceivingSeries {
  readonly instances: StoredInstance[];
  /** The associations that carried each instance, by SOP Instance UID. */
  readonly carriers: Map<string, number[]>;
}

/** The series that are being received: what has come of each, and that it is whole or in doubt again. */
export class ReceivingStore {
  readonly #catalog: Catalog;
  readonly #folder: string;
  readonly #event: ReturnType<typeof eventWriter>;
  readonly #series: SeriesStore;
  readonly #receiving = new Map<string, ReceivingSeries>();

  constructor(catalog: Catalog, folder: string, series: SeriesStore) {
    this.#catalog = catalog;
    this.#folder = folder;
    this.#event = eventWriter(catalog);
    this.#series = series;
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
            this.#series.instances(seriesInstanceUid).map(({ header }) => header.sopInstanceUid),
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
      const rows = this.#series.carriedInstances(seriesInstanceUid);
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
}
