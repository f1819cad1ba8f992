import type { Role } from '../api/schemas/common.js';
import type { Scope } from '../api/schemas/users.js';
import type { AccountRow, AccountRows } from './account-rows.js';
import { isPassword } from './passwords.js';
import { csrfTokenOf, hashOf, newSecret, seal, unseal } from './secrets.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** A session that nobody uses ends, and each ends after a working day. Milliseconds. */
export const IDLE_MS = 2 * HOUR;
export const LONGEST_SESSION_MS = 12 * HOUR;
/** A session's last use is written down no more often than this. */
const TOUCH_MS = MINUTE;

/** Failures in a row before a name is locked; from there each failure doubles the time. */
const FREE_FAILURES = 5;
const FIRST_LOCK_MS = MINUTE;
const LONGEST_LOCK_MS = 15 * MINUTE;
/** Failures older than this are forgotten. */
const FORGET_MS = 24 * HOUR;

/** Whoever makes a request. */
export interface Caller {
  readonly name: string;
  readonly role: Role;
  readonly origin: 'local' | 'oidc' | 'token';
  /** Null with a bearer token, which no other site's page can make a browser send. */
  readonly csrfToken: string | null;
}

export type SignInResult =
  | { readonly type: 'signed-in'; readonly secret: string; readonly caller: Caller }
  | { readonly type: 'refused' }
  | { readonly type: 'locked'; readonly until: number };

const ROLE_OF: Readonly<Record<Scope, Role>> = {
  read: 'viewer',
  operate: 'operator',
  admin: 'admin',
};

/** Proves who somebody is: by password, by session, by API token. */
export class SignIn {
  readonly #rows: AccountRows;
  readonly #now: () => number;

  constructor(rows: AccountRows, now: () => number = Date.now) {
    this.#rows = rows;
    this.#now = now;
  }

  /** By password. Unknown names are answered as wrong passwords are, locks included. */
  async withPassword(name: string, password: string): Promise<SignInResult> {
    const rows = this.#rows;
    const lockedUntil = rows.failures(name)?.lockedUntil ?? 0;
    if (lockedUntil > this.#now()) {
      rows.audit({ actor: name, action: 'sign-in-locked', subject: null, detail: {} });
      return { type: 'locked', until: lockedUntil };
    }
    const account = rows.account(name);
    const usable = account !== undefined && !account.disabled ? account.passwordHash : null;
    if (!(await isPassword(usable, password)) || account === undefined) {
      this.#failed(name);
      return { type: 'refused' };
    }
    return { type: 'signed-in', ...this.begin(account, 'password') };
  }

  /** Begins a session of somebody whose identity is proven; it keeps the ID token for its end. */
  begin(
    account: Pick<AccountRow, 'name' | 'role' | 'origin'>,
    by: 'password' | 'oidc' | 'set-up',
    idToken?: string,
  ) {
    const { name, role, origin } = account;
    const secret = newSecret();
    const sealedIdToken = idToken === undefined ? undefined : seal(idToken, secret);
    const session = { account: name, tokenHash: hashOf(secret), sealedIdToken };
    this.#rows.transaction(() => {
      this.#rows.forgetFailures(name);
      this.#rows.beginSession(session, this.#ends());
      this.#rows.audit({ actor: name, action: 'sign-in', subject: null, detail: { by } });
    });
    const caller: Caller = { name, role, origin, csrfToken: csrfTokenOf(secret) };
    return { secret, caller };
  }

  /** With `touch` false the question itself keeps no session alive. */
  ofSession(secret: string, touch = true): Caller | undefined {
    const tokenHash = hashOf(secret);
    const found = this.#rows.session(tokenHash, this.#ends());
    if (found === undefined) return undefined;
    const { seenAt, ...caller } = found;
    if (touch && this.#now() - seenAt > TOUCH_MS) this.#rows.touchSession(tokenHash);
    return { ...caller, csrfToken: csrfTokenOf(secret) };
  }

  ofToken(secret: string): Caller | undefined {
    const found = this.#rows.token(hashOf(secret));
    if (found === undefined) return undefined;
    if (this.#now() - (found.lastUsedAt ?? 0) > TOUCH_MS) this.#rows.touchToken(found.id);
    const role = ROLE_OF[found.scope];
    return { name: `token:${found.name}`, role, origin: 'token', csrfToken: null };
  }

  /** Returns the ID token that the session has kept. */
  end(secret: string, actor: string): string | undefined {
    const sealed = this.#rows.endSession(hashOf(secret))?.sealedIdToken;
    this.#rows.audit({ actor, action: 'sign-out', subject: null, detail: {} });
    return sealed ? unseal(sealed, secret) : undefined;
  }

  #failed(name: string): void {
    const now = this.#now();
    this.#rows.transaction(() => {
      const before = this.#rows.failures(name);
      const failures = (before?.failures ?? 0) + 1;
      const over = failures - FREE_FAILURES;
      const lockMs = over < 0 ? 0 : Math.min(FIRST_LOCK_MS * 2 ** over, LONGEST_LOCK_MS);
      const lockedUntil = lockMs === 0 ? null : now + lockMs;
      this.#rows.setFailures(name, { failures, lastAt: now, lockedUntil }, now - FORGET_MS);
      const detail = { failures, ...(lockedUntil !== null && { locked: true }) };
      this.#rows.audit({ actor: name, action: 'sign-in-failed', subject: null, detail });
    });
  }

  #ends() {
    const now = this.#now();
    return { idleSince: now - IDLE_MS, bornSince: now - LONGEST_SESSION_MS };
  }
}
