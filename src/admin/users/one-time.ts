import { hashOf, newSecret } from './secrets.js';

/** Whoever begins much and ends nothing takes no memory for it. */
const MOST = 1000;

/** What is kept for browsers that are on their way, each bound to one browser and given out once. */
export class OneTime<T> {
  readonly #kept = new Map<string, { readonly value: T; readonly endsAt: number }>();
  readonly #longestMs: number;

  constructor(longestMs: number) {
    this.#longestMs = longestMs;
  }

  /** Returns the secret that its browser keeps. */
  keep(value: T): string {
    const secret = newSecret();
    this.#kept.set(hashOf(secret), { value, endsAt: Date.now() + this.#longestMs });
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MOST) break;
      this.#kept.delete(oldest);
    }
    return secret;
  }

  /** Once. */
  take(secret: string): T | undefined {
    const key = hashOf(secret);
    const found = this.#kept.get(key);
    this.#kept.delete(key);
    return found !== undefined && found.endsAt > Date.now() ? found.value : undefined;
  }
}
