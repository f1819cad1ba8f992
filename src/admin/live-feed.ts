import type { Log } from '../log.js';
import type { LiveEvent } from './api/schemas/events.js';

/** Up to where a listener has been told. */
interface Cursor {
  readonly eventId: number;
  readonly sliceAt: number;
}

export interface ChangeSource {
  now(): Promise<Cursor>;
  /** What came since, nothing where nobody has committed anything. */
  next(cursor: Cursor): Promise<Changes>;
  /** What came since, whoever has asked before. */
  since(cursor: Cursor): Promise<Changes>;
}

interface Changes {
  readonly cursor: Cursor;
  readonly changes: readonly (LiveEvent & { readonly eventId: number })[];
  readonly tooMany: boolean;
}

export interface SentEvent {
  /** For Last-Event-ID. */
  readonly id: number;
  readonly event: LiveEvent;
}

type Listener = (sent: SentEvent) => void;

/** How soon a change shows. Milliseconds. */
const LOOK_MS = 300;
/** The sums of the operations page move with everything: they are told of no more often than this. */
const OPERATIONS_MS = 5000;

/** Tells those who listen of what is committed, in this process or beside it; it looks only while somebody does. */
export class LiveFeed {
  readonly #source: ChangeSource;
  readonly #log: Log;
  readonly #listeners = new Set<Listener>();
  #cursor: Cursor | undefined;
  #timer: NodeJS.Timeout | undefined;
  #operationsAt = 0;

  constructor(source: ChangeSource, log: Log) {
    this.#source = source;
    this.#log = log;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  /** Returns what ends it. With the id of the last event that was heard, what was missed since comes first. */
  async listen(listener: Listener, lastId?: number): Promise<() => void> {
    const now = await this.#source.now();
    this.#cursor ??= now;
    this.#listeners.add(listener);
    this.#look();
    if (lastId !== undefined) await this.#catchUp(listener, lastId, now);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.stop();
    };
  }

  /** Tells of what no row says. */
  publish(event: LiveEvent): void {
    const id = this.#cursor?.eventId ?? 0;
    for (const listener of this.#listeners) listener({ id, event });
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#cursor = undefined;
  }

  async #catchUp(listener: Listener, lastId: number, now: Cursor): Promise<void> {
    const missed = await this.#source.since({ eventId: lastId, sliceAt: now.sliceAt });
    // A number from another catalog, or too long ago.
    if (lastId > now.eventId || missed.tooMany) {
      listener({ id: now.eventId, event: { kind: 'reset' } });
      return;
    }
    for (const { eventId: id, ...event } of missed.changes) listener({ id, event });
  }

  #look(): void {
    this.#timer ??= setTimeout(async () => {
      try {
        await this.#tell();
      } catch (error) {
        this.#log.warn({ err: error }, 'changes cannot be told');
      }
      this.#timer = undefined;
      if (this.#listeners.size > 0) this.#look();
    }, LOOK_MS).unref();
  }

  async #tell(): Promise<void> {
    if (this.#cursor === undefined) return;
    const { cursor, changes, tooMany } = await this.#source.next(this.#cursor);
    // Nobody may be listening any more.
    if (this.#cursor === undefined) return;
    this.#cursor = cursor;
    if (tooMany) this.publish({ kind: 'reset' });
    for (const { eventId: id, ...event } of tooMany ? [] : changes) {
      for (const listener of this.#listeners) listener({ id, event });
    }
    if (changes.length > 0 && Date.now() - this.#operationsAt > OPERATIONS_MS) {
      this.#operationsAt = Date.now();
      this.publish({ kind: 'operations' });
    }
  }
}
