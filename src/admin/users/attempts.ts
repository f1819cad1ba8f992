import type { Attempt } from './identity-provider.js';
import { hashOf, newSecret } from './secrets.js';

/** Long enough for somebody who looks for a second factor. Milliseconds. */
const LONGEST_MS = 10 * 60_000;
/** Whoever begins sign-ins and ends none takes no memory for it. */
const MOST = 1000;

/** Sign-ins that have left for the identity provider, each bound to one browser and good for one return. */
export class Attempts {
  readonly #attempts = new Map<string, { readonly attempt: Attempt; readonly endsAt: number }>();
  readonly #now: () => number;

  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** Returns the secret that its browser keeps. */
  keep(attempt: Attempt): string {
    const secret = newSecret();
    this.#attempts.set(hashOf(secret), { attempt, endsAt: this.#now() + LONGEST_MS });
    for (const oldest of this.#attempts.keys()) {
      if (this.#attempts.size <= MOST) break;
      this.#attempts.delete(oldest);
    }
    return secret;
  }

  /** Once. */
  take(secret: string): Attempt | undefined {
    const key = hashOf(secret);
    const kept = this.#attempts.get(key);
    this.#attempts.delete(key);
    return kept !== undefined && kept.endsAt > this.#now() ? kept.attempt : undefined;
  }
}
