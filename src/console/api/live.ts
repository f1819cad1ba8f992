import type { LiveEvent } from '../../admin/api/schemas/events.js';
import { API } from './client.js';

export type ConnectionState = 'connecting' | 'live' | 'lost';

/** After the browser gave up by itself. */
const RECONNECT_MS = 3000;

/** The node's events for as long as a person is logged in. What was missed while the line was lost is asked for anew. */
export class LiveEvents {
  #source: EventSource | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #state: ConnectionState = 'connecting';
  readonly #listeners = new Set<(event: LiveEvent) => void>();
  readonly #watchers = new Set<(state: ConnectionState) => void>();

  start(): void {
    this.#open();
  }

  stop(): void {
    clearTimeout(this.#retry);
    this.#source?.close();
    this.#source = undefined;
  }

  /** Calls back for each event; `reset` also when the line is back after it was lost; returns how to end that. */
  listen(listener: (event: LiveEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Calls back at once and at each change of the connection. */
  watch(watcher: (state: ConnectionState) => void): () => void {
    this.#watchers.add(watcher);
    watcher(this.#state);
    return () => this.#watchers.delete(watcher);
  }

  #open(): void {
    const source = new EventSource(`${API}/events`);
    this.#source = source;
    source.onopen = () => {
      const wasLost = this.#state === 'lost';
      this.#turn('live');
      if (wasLost) this.#tell({ kind: 'reset' });
    };
    source.onerror = () => {
      this.#turn('lost');
      if (source.readyState !== EventSource.CLOSED) return;
      this.#retry = setTimeout(() => this.#open(), RECONNECT_MS);
    };
    source.onmessage = ({ data }) => this.#tell(JSON.parse(data) as LiveEvent);
  }

  #tell(event: LiveEvent): void {
    for (const listener of this.#listeners) listener(event);
  }

  #turn(state: ConnectionState): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const watcher of this.#watchers) watcher(state);
  }
}
