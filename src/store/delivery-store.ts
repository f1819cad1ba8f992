import { join } from 'node:path';
import {
  type DeliveryEvent,
  type DeliverySettlement,
  type DeliveryState,
  nextDeliveryState,
} from '../domain/delivery-state.js';
import type { SendSyntax } from '../domain/routing.js';
import { type Priority, priorityOf } from '../domain/urgency.js';
import type { Catalog } from './database.js';
import * as sql from './delivery-queries.js';
import { type CatalogEvent, eventWriter } from './events.js';

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
  /** Hex SHA-256 of the whole file of a result, or of the dataset of an original. */
  readonly sha256?: string | undefined;
  readonly datasetSha256?: string | undefined;
  readonly priority: Priority;
  /** The one that it must go in, where the route insists. */
  readonly sendSyntax?: SendSyntax | undefined;
  readonly attempts: number;
  /** How often the destination has said that it has it not. */
  readonly looks: number;
  /** Whether an equal object of another SOP class can go in its place. */
  readonly hasFallback: boolean;
}

/** Which deliveries a person means; what is left out means any. */
export interface DeliveryFilter {
  readonly studyInstanceUid?: string | undefined;
  readonly destinations?: readonly string[] | undefined;
}

interface SelectedDelivery {
  readonly deliveryId: number;
  readonly state: DeliveryState;
  readonly studyInstanceUid: string;
  readonly destination: string;
  readonly sopInstanceUid: string;
  readonly kind: string;
}

function parameters({ studyInstanceUid, destinations }: DeliveryFilter) {
  return {
    studyInstanceUid: studyInstanceUid ?? null,
    destinations: destinations === undefined ? null : JSON.stringify(destinations),
  };
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

  /** The most urgent that are due; with `suspectsLast` those behind that an association broke on. */
  claim(destination: string, limit: number, now: number, suspectsLast = false): ClaimedDelivery[] {
    const claimed = this.#catalog
      .prepare(sql.CLAIM_DELIVERIES)
      .all({ destination, limit, now, suspectsLast: suspectsLast ? 1 : 0 }) as {
      deliveryId: number;
      sopInstanceUid: string;
      attempts: number;
      looks: number;
      priority: number;
      transferSyntax: SendSyntax | null;
      suspectSince: number;
    }[];
    // RETURNING promises no order: this is that of the claim.
    claimed.sort(
      (a, b) =>
        a.suspectSince - b.suspectSince || a.priority - b.priority || a.deliveryId - b.deliveryId,
    );
    const selectObject = this.#catalog.prepare(sql.RESULT_OBJECT_FILE);
    return claimed.map(({ deliveryId, sopInstanceUid, attempts, looks, ...row }) => {
      const { sha256, datasetSha256, ...object } = selectObject.get(sopInstanceUid) as {
        kind: string;
        sopClassUid: string;
        transferSyntaxUid: string;
        file: string;
        sha256: string | null;
        datasetSha256: string | null;
        studyInstanceUid: string;
      };
      return {
        deliveryId,
        sopInstanceUid,
        attempts,
        looks,
        ...object,
        sha256: sha256 ?? undefined,
        datasetSha256: datasetSha256 ?? undefined,
        priority: priorityOf(row.priority),
        sendSyntax: row.transferSyntax ?? undefined,
        file: join(this.#folder, object.file),
        hasFallback: this.#fallbackFor(sopInstanceUid) !== undefined,
      };
    });
  }

  /**
   * Ends what waits for a channel and was overtaken there by a later revision's notification: told after that one, an
   * old answer would be taken for the newest.
   */
  replaceOutdatedNotifications(channel: string): void {
    const at = Date.now();
    this.#catalog
      .transaction(() => {
        const rows = this.#catalog
          .prepare(sql.REPLACE_OUTDATED_NOTIFICATIONS)
          .all({ channel, at }) as { sopInstanceUid: string; studyInstanceUid: string }[];
        for (const { sopInstanceUid, studyInstanceUid } of rows) {
          const detail = { destination: channel, object: 'notification', sopInstanceUid };
          this.#event({ at, kind: DELIVERY_EVENTS.replaced, studyInstanceUid, detail });
        }
      })
      .immediate();
  }

  nextDueAt(destination: string): number | undefined {
    const row = this.#catalog.prepare(sql.NEXT_DELIVERY).get(destination) as {
      dueAt: number | null;
    };
    return row.dueAt ?? undefined;
  }

  /** Makes due at once what only waited for the destination to take objects again. */
  hasten(destination: string, now: number): void {
    this.#catalog.prepare(sql.HASTEN_DELIVERIES).run({ destination, now });
  }

  settle(delivery: ClaimedDelivery, settlement: DeliverySettlement): void {
    const at = Date.now();
    const state = nextDeliveryState('sending', toEvent(settlement)) ?? 'dead';
    const failed = settlement.type === 'failed' ? settlement : undefined;
    const code = settlement.type === 'delivered' ? undefined : settlement.code;
    const dueAt = settlement.type === 'delivered' ? settlement.proofDueAt : failed?.retryAt;
    this.#catalog
      .transaction(() => {
        const row = this.#catalog.prepare(sql.SETTLE_DELIVERY).get({
          deliveryId: delivery.deliveryId,
          state,
          dueAt: dueAt ?? null,
          settledAt: state === 'due' || state === 'stored' ? null : at,
          status: 'status' in settlement ? (settlement.status ?? null) : null,
          uncounted: failed?.uncounted ? 1 : 0,
          failureClass: failed?.failureClass ?? null,
          failureCode: code ?? null,
          comment: settlement.comment ?? null,
        }) as
          | { destination: string; route: string; priority: number; transferSyntax: string | null }
          | undefined;
        if (row === undefined) return;
        if (settlement.type === 'refused-with-fallback') {
          const sopInstanceUid = this.#fallbackFor(delivery.sopInstanceUid);
          const { destination, route, priority, transferSyntax } = row;
          this.#catalog
            .prepare(sql.INSERT_DELIVERY)
            .run({ sopInstanceUid, destination, route, priority, transferSyntax, at });
        }
        this.#event({
          at,
          kind: DELIVERY_EVENTS[state],
          studyInstanceUid: delivery.studyInstanceUid,
          detail: {
            destination: row.destination,
            object: delivery.kind,
            sopInstanceUid: delivery.sopInstanceUid,
            attempts: delivery.attempts,
            ...('status' in settlement ? { status: settlement.status } : {}),
            ...(failed === undefined ? {} : { class: failed.failureClass }),
            ...(code === undefined ? {} : { code }),
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

  /** Makes the newest report's settled deliveries to these destinations due again; returns how many. */
  resend(studyInstanceUid: string, destinations: readonly string[]): number {
    const at = Date.now();
    return this.#catalog
      .transaction(() => {
        const { changes } = this.#catalog
          .prepare(sql.RESEND_DELIVERIES)
          .run({ studyInstanceUid, destinations: JSON.stringify(destinations), at });
        this.#event({ at, kind: 'resend', studyInstanceUid, detail: { destinations, changes } });
        return changes;
      })
      .immediate();
  }

  /** Makes dead letters due again, also those of older reports; returns how many. */
  resendDead(filter: DeliveryFilter): number {
    return this.#decide(sql.DEAD_DELIVERIES, sql.REVIVE_DELIVERY, parameters(filter), {
      event: { type: 'resend' },
      kind: 'resend',
    });
  }

  /** Gives up dead letters, and what waits for a destination that is not among the configured ones, where given. */
  abandon(filter: DeliveryFilter, configured: readonly string[] | undefined): number {
    const chosen = {
      ...parameters(filter),
      configured: configured === undefined ? null : JSON.stringify(configured),
    };
    return this.#decide(sql.ABANDONABLE_DELIVERIES, sql.ABANDON_DELIVERY, chosen, {
      event: { type: 'abandon' },
      kind: 'delivery-abandoned',
    });
  }

  /** What a person decides on the deliveries that a query selects, each with its event; returns how many. */
  #decide(
    select: string,
    update: string,
    chosen: Record<string, string | null>,
    decision: { readonly event: DeliveryEvent; readonly kind: CatalogEvent['kind'] },
  ): number {
    const at = Date.now();
    return this.#catalog
      .transaction(() => {
        const rows = this.#catalog.prepare(select).all(chosen) as SelectedDelivery[];
        for (const {
          deliveryId,
          state,
          studyInstanceUid,
          destination,
          sopInstanceUid,
          kind,
        } of rows) {
          const next = nextDeliveryState(state, decision.event) ?? state;
          this.#catalog.prepare(update).run({ deliveryId, state: next, at });
          const detail = { destination, object: kind, sopInstanceUid, was: state };
          this.#event({ at, kind: decision.kind, studyInstanceUid, detail });
        }
        return rows.length;
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

/** How the event log calls what brought a delivery into a state. */
export const DELIVERY_EVENTS = {
  due: 'delivery-retried',
  sending: 'delivery-retried',
  stored: 'stored',
  delivered: 'delivered',
  replaced: 'delivery-replaced',
  dead: 'delivery-dead',
  abandoned: 'delivery-abandoned',
} as const satisfies Record<DeliveryState, CatalogEvent['kind']>;

function toEvent(settlement: DeliverySettlement): DeliveryEvent {
  switch (settlement.type) {
    case 'delivered':
      return { type: 'answered', proofNeeded: settlement.proofDueAt !== undefined };
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
