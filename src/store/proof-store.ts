import {
  type DeliveryState,
  nextDeliveryState,
  type ProofSettlement,
} from '../domain/delivery-state.js';
import type { PatientIdentity } from '../domain/patient.js';
import { INSERT_REFILED } from './conflict-queries.js';
import { studyPatient } from './conflict-store.js';
import type { Catalog } from './database.js';
import * as sql from './delivery-queries.js';
import { DELIVERY_EVENTS } from './delivery-store.js';
import { eventWriter } from './events.js';

/** A delivery that was answered with success and is to be proven. */
export interface StoredDelivery {
  readonly deliveryId: number;
  readonly sopClassUid: string;
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
  readonly kind: string;
  readonly looks: number;
  /** Times that the destination could not be asked. */
  readonly unasked: number;
  /** Of the request for storage commitment whose report is waited for. */
  readonly transactionUid: string | null;
  readonly patient: PatientIdentity;
}

type StoredRow = Omit<StoredDelivery, 'patient'>;

/** The deliveries in state `stored`: what the destination took and has yet to show. */
export class ProofStore {
  readonly #catalog: Catalog;
  readonly #event: ReturnType<typeof eventWriter>;
  readonly #patientOf: ReturnType<typeof studyPatient>;

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
    this.#event = eventWriter(catalog);
    this.#patientOf = studyPatient(catalog);
  }

  storedDue(destination: string, limit: number, now: number): StoredDelivery[] {
    const rows = this.#catalog.prepare(sql.STORED_DELIVERIES).all({ destination, limit, now });
    return (rows as StoredRow[]).map((row) => this.#withPatient(row));
  }

  nextLookAt(destination: string): number | undefined {
    const row = this.#catalog.prepare(sql.NEXT_LOOK).get(destination) as { dueAt: number | null };
    return row.dueAt ?? undefined;
  }

  beginCommitment(
    transactionUid: string,
    deliveries: readonly StoredDelivery[],
    overdueAt: number,
  ): void {
    const name = this.#catalog.prepare(sql.INSERT_ASKED_COMMITMENT);
    const mark = this.#catalog.prepare(sql.AWAIT_COMMITMENT);
    this.#catalog
      .transaction(() => {
        for (const { deliveryId } of deliveries) {
          name.run({ transactionUid, deliveryId });
          mark.run({ transactionUid, deliveryId, overdueAt });
        }
      })
      .immediate();
  }

  awaiting(destination: string, transactionUid: string): StoredDelivery[] | undefined {
    const rows = this.#catalog
      .prepare(sql.ASKED_DELIVERIES)
      .all({ destination, transactionUid }) as (StoredRow & { state: DeliveryState })[];
    if (rows.length === 0) return undefined;
    return rows.filter(({ state }) => state === 'stored').map((row) => this.#withPatient(row));
  }

  settleProof(delivery: StoredDelivery, settlement: ProofSettlement): void {
    const { deliveryId, studyInstanceUid, sopInstanceUid, kind } = delivery;
    if (settlement.type === 'put-off') {
      const { lookAt, code, counted, unasked } = settlement;
      const counts = { missed: counted ? 1 : 0, unasked: unasked ? 1 : 0 };
      this.#catalog.prepare(sql.PUT_OFF_LOOK).run({ deliveryId, lookAt, code, ...counts });
      return;
    }
    const at = Date.now();
    const missing = settlement.type === 'not-there' ? settlement : undefined;
    const attemptsLeft = missing?.retryAt !== undefined;
    const state =
      nextDeliveryState(
        'stored',
        missing === undefined ? { type: 'proven' } : { type: 'not-there', attemptsLeft },
      ) ?? 'dead';
    this.#catalog
      .transaction(() => {
        const row = this.#catalog.prepare(sql.SETTLE_PROOF).get({
          deliveryId,
          state,
          dueAt: missing?.retryAt ?? null,
          settledAt: attemptsLeft ? null : at,
          missed: missing === undefined ? 0 : 1,
          failureClass: missing === undefined ? null : attemptsLeft ? 'transient' : 'permanent',
          failureCode: missing?.code ?? null,
        }) as { destination: string } | undefined;
        if (row === undefined) return;
        if (settlement.type === 'proven' && settlement.refiled) {
          this.#raiseRefiled(delivery, row.destination, at);
        }
        this.#event({
          at,
          kind: DELIVERY_EVENTS[state],
          studyInstanceUid,
          detail: {
            destination: row.destination,
            object: kind,
            sopInstanceUid,
            ...(missing && { code: missing.code, looks: delivery.looks + 1 }),
          },
        });
      })
      .immediate();
  }

  #withPatient(row: StoredRow): StoredDelivery {
    return { ...row, patient: this.#patientOf(row.studyInstanceUid) ?? { id: '' } };
  }

  /** Once for a study, as long as nobody has settled it. */
  #raiseRefiled(delivery: StoredDelivery, destination: string, at: number): void {
    const { studyInstanceUid, sopInstanceUid } = delivery;
    const row = { studyInstanceUid, sopInstanceUid, at };
    if (this.#catalog.prepare(INSERT_REFILED).run(row).changes === 0) return;
    const detail = { conflict: 'report-refiled', sopInstanceUid, destination };
    this.#event({ at, kind: 'conflict', studyInstanceUid, detail });
  }
}
