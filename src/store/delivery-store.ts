import { join } from 'node:path';
import {
  type DeliveryEvent,
  type DeliverySettlement,
  nextDeliveryState,
} from '../domain/delivery-state.js';
import type { Catalog } from './database.js';
import { eventWriter } from './events.js';
import * as sql from './queries.js';

/** A delivery that its destination's worker has claimed; `attempts` counts this one. */
export interface ClaimedDelivery {
  readonly deliveryId: number;
  readonly studyInstanceUid: string;
  readonly sopInstanceUid: string;
  readonly sopClassUid: string;
  readonly transferSyntaxUid: string;
  readonly kind: string;
  /** Absolute path of the Part 10 file. */
  readonly file: string;
  readonly attempts: number;
  /** Whether an equal object of another SOP class can go in its place. */
  readonly hasFallback: boolean;
}

/** The outbox: one row for each (object, destination). */
export class DeliveryStore {
  readonly #catalog: Catalog;
  readonly #folder: string;
  readonly #event: ReturnType<typeof eventWriter>;

  constructor(catalog: Catalog, folder: string) {
    this.#catalog = catalog;
    this.#folder = folder;
    this.#event = eventWriter(catalog);
  }

  /** Gives back what a process that is gone was sending: the destination may have it, a repeat is harmless. */
  releaseClaims(): void {
    this.#catalog.prepare(sql.RELEASE_DELIVERIES).run();
  }

  claim(destination: string, limit: number, now: number): ClaimedDelivery[] {
    const claimed = this.#catalog
      .prepare(sql.CLAIM_DELIVERIES)
      .all({ destination, limit, now }) as {
      deliveryId: number;
      sopInstanceUid: string;
      attempts: number;
      priority: number;
    }[];
    // RETURNING promises no order.
    claimed.sort((a, b) => a.priority - b.priority || a.deliveryId - b.deliveryId);
    const selectObject = this.#catalog.prepare(sql.RESULT_OBJECT_FILE);
    return claimed.map(({ deliveryId, sopInstanceUid, attempts }) => {
      const object = selectObject.get(sopInstanceUid) as {
        kind: string;
        sopClassUid: string;
        transferSyntaxUid: string;
        file: string;
        studyInstanceUid: string;
      };
      return {
        deliveryId,
        sopInstanceUid,
        attempts,
        ...object,
        file: join(this.#folder, object.file),
        hasFallback: this.#fallbackFor(sopInstanceUid) !== undefined,
      };
    });
  }

  nextDueAt(destination: string): number | undefined {
    const row = this.#catalog.prepare(sql.NEXT_DELIVERY).get(destination) as {
      dueAt: number | null;
    };
    return row.dueAt ?? undefined;
  }

  settle(delivery: ClaimedDelivery, settlement: DeliverySettlement): void {
    const at = Date.now();
    const state = nextDeliveryState('sending', toEvent(settlement));
    const detail = settlement.type === 'delivered' ? undefined : settlement.code;
    this.#catalog
      .transaction(() => {
        const row = this.#catalog.prepare(sql.SETTLE_DELIVERY).get({
          deliveryId: delivery.deliveryId,
          state,
          dueAt: settlement.type === 'failed' ? (settlement.retryAt ?? null) : null,
          settledAt: state === 'due' ? null : at,
          status: 'status' in settlement ? (settlement.status ?? null) : null,
          failureCode: detail ?? null,
          comment: settlement.comment ?? null,
        }) as { destination: string; route: string; priority: number } | undefined;
        if (row === undefined) return;
        if (settlement.type === 'refused-with-fallback') {
          const sopInstanceUid = this.#fallbackFor(delivery.sopInstanceUid);
          const { destination, route, priority } = row;
          this.#catalog
            .prepare(sql.INSERT_DELIVERY)
            .run({ sopInstanceUid, destination, route, priority, at });
        }
        this.#event({
          at,
          kind: EVENT_KINDS[state ?? 'dead'],
          studyInstanceUid: delivery.studyInstanceUid,
          detail: {
            destination: row.destination,
            object: delivery.kind,
            sopInstanceUid: delivery.sopInstanceUid,
            attempts: delivery.attempts,
            ...('status' in settlement ? { status: settlement.status } : {}),
            ...(detail === undefined ? {} : { code: detail }),
          },
        });
      })
      .immediate();
  }

  /** From the series' last slice until the first destination took the report, in ms; only for that acceptance. */
  reportLatency(sopInstanceUid: string): number | undefined {
    const row = this.#catalog.prepare(sql.REPORT_LATENCY).get(sopInstanceUid) as
      | { ms: number | null }
      | undefined;
    return row?.ms ?? undefined;
  }

  /** Makes the newest report's settled deliveries due again; returns how many. */
  resend(studyInstanceUid: string, destination: string | undefined): number {
    const at = Date.now();
    return this.#catalog
      .transaction(() => {
        const { changes } = this.#catalog
          .prepare(sql.RESEND_DELIVERIES)
          .run({ studyInstanceUid, destination: destination ?? null, at });
        this.#event({ at, kind: 'resend', studyInstanceUid, detail: { destination, changes } });
        return changes;
      })
      .immediate();
  }

  #fallbackFor(sopInstanceUid: string): string | undefined {
    const row = this.#catalog.prepare(sql.FALLBACK_FOR).get(sopInstanceUid) as
      | { sopInstanceUid: string }
      | undefined;
    return row?.sopInstanceUid;
  }
}

const EVENT_KINDS = {
  due: 'delivery-retried',
  sending: 'delivery-retried',
  delivered: 'delivered',
  replaced: 'delivery-replaced',
  dead: 'delivery-dead',
} as const;

function toEvent(settlement: DeliverySettlement): DeliveryEvent {
  switch (settlement.type) {
    case 'delivered':
      return { type: 'answered' };
    case 'refused-with-fallback':
      return { type: 'refused-with-fallback' };
    case 'failed':
      return {
        type: 'failed',
        failureClass: settlement.failureClass,
        attemptsLeft: settlement.retryAt !== undefined,
      };
  }
}
