import type Database from 'better-sqlite3';
import { LATEST_EVENT, NEW_EVENTS, STUDIES_WITH_SLICES } from './operations-queries.js';

/** Up to where somebody has been told of changes. */
export interface ChangeCursor {
  readonly eventId: number;
  /** Of the newest slice that was told of, milliseconds since the epoch. */
  readonly sliceAt: number;
}

export interface Change {
  readonly eventId: number;
  readonly kind: 'study' | 'delivery' | 'operations';
  readonly studyInstanceUid?: string;
}

export interface Changes {
  readonly cursor: ChangeCursor;
  /** In the order of their events. */
  readonly changes: readonly Change[];
  /** There are more than anybody wants to hear one by one. */
  readonly tooMany: boolean;
}

const MOST = 500;
/** Slices are committed in groups, a little after their times. */
const OVERLAP_MS = 1000;
const OF_DELIVERIES = /^(stored|delivered|delivery-.*|resend)$/;

/**
 * What has happened since, from what every stage commits anyway: its events, and when slices came. SQLite itself says
 * whether anybody has committed at all, this node or a command beside it.
 */
export class LiveChanges {
  readonly #catalog: Database.Database;
  #version: unknown;

  /** @param catalog a connection that others write beside, and never this one */
  constructor(catalog: Database.Database) {
    this.#catalog = catalog;
  }

  /** Where a listener begins who wants to hear of what comes from now on. */
  now(): ChangeCursor {
    const row = this.#catalog.prepare(LATEST_EVENT).get() as { eventId: number };
    return { ...row, sliceAt: Date.now() };
  }

  /** As `since`, but without a look where nobody has committed since the last one. */
  next(cursor: ChangeCursor): Changes {
    const version = this.#catalog.pragma('data_version', { simple: true });
    if (version === this.#version) return { cursor, changes: [], tooMany: false };
    this.#version = version;
    return this.since(cursor);
  }

  since({ eventId, sliceAt }: ChangeCursor): Changes {
    const events = this.#catalog.prepare(NEW_EVENTS).all({ after: eventId, limit: MOST + 1 }) as {
      eventId: number;
      kind: string;
      studyInstanceUid: string | null;
    }[];
    const studies = this.#catalog
      .prepare(STUDIES_WITH_SLICES)
      .all({ since: sliceAt - OVERLAP_MS, limit: MOST }) as {
      studyInstanceUid: string;
      lastInstanceAt: number;
    }[];
    const last = events.at(-1)?.eventId ?? eventId;
    const told = new Map<string, Change>();
    for (const event of events) {
      const kind = kindOf(event);
      const uid = event.studyInstanceUid;
      const change = {
        eventId: event.eventId,
        kind,
        ...(uid !== null && { studyInstanceUid: uid }),
      };
      told.set(`${kind} ${uid}`, change);
    }
    for (const { studyInstanceUid } of studies) {
      const key = `study ${studyInstanceUid}`;
      if (!told.has(key)) told.set(key, { eventId: last, kind: 'study', studyInstanceUid });
    }
    const newest = Math.max(sliceAt, ...studies.map(({ lastInstanceAt }) => lastInstanceAt));
    return {
      cursor: { eventId: last, sliceAt: newest },
      changes: [...told.values()].sort((a, b) => a.eventId - b.eventId),
      tooMany: events.length > MOST,
    };
  }
}

function kindOf(event: { kind: string; studyInstanceUid: string | null }): Change['kind'] {
  if (event.studyInstanceUid === null) return 'operations';
  return OF_DELIVERIES.test(event.kind) ? 'delivery' : 'study';
}
