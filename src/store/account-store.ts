import { join } from 'node:path';
import type Database from 'better-sqlite3';
import { ACCOUNT_MIGRATIONS } from './account-migrations.js';
import * as sql from './account-queries.js';
import { openDatabase } from './database.js';

/** The accounts' file in the storage folder: apart from the catalog, which may be rebuilt. */
export const ACCOUNTS_FILE = 'accounts.db';

type Role = 'viewer' | 'operator' | 'admin';
type Scope = 'read' | 'operate' | 'admin';

export interface Account {
  readonly name: string;
  readonly role: Role;
  readonly origin: 'local' | 'oidc';
  readonly disabled: boolean;
  readonly passwordHash: string | null;
  readonly createdAt: number;
  readonly lastSignInAt: number | null;
  readonly lockedUntil: number | null;
}

export interface NewAccount {
  readonly name: string;
  readonly role: Role;
  readonly origin: 'local' | 'oidc';
  readonly passwordHash?: string | undefined;
  readonly subject?: string | undefined;
}

export interface AccountChange {
  readonly role?: Role | undefined;
  readonly disabled?: boolean | undefined;
  readonly passwordHash?: string | undefined;
}

export interface ApiToken {
  readonly id: number;
  readonly name: string;
  readonly scope: Scope;
  readonly createdBy: string;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly lastUsedAt: number | null;
}

export interface SignInFailures {
  readonly failures: number;
  readonly lastAt: number;
  readonly lockedUntil: number | null;
}

export interface AuditLine {
  readonly id: number;
  readonly at: number;
  readonly actor: string;
  readonly action: string;
  readonly subject: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

type AccountRow = Omit<Account, 'disabled'> & { readonly disabled: 0 | 1 };

/** Before when a session must have been used, and been made, to have ended. */
interface SessionEnds {
  readonly idleSince: number;
  readonly bornSince: number;
}

/** Rows of accounts, their sessions, API tokens and the audit. Secrets come here as hashes, or encrypted. */
export class AccountStore {
  readonly #database: Database.Database;

  private constructor(database: Database.Database) {
    this.#database = database;
  }

  /** @throws CatalogVersionError, and SqliteError where the file cannot be used */
  static open(folder: string, lockWaitMs = 5000): AccountStore {
    return new AccountStore(
      openDatabase(join(folder, ACCOUNTS_FILE), ACCOUNT_MIGRATIONS, lockWaitMs),
    );
  }

  close(): void {
    this.#database.close();
  }

  /** Runs several changes as one: all of them come about, or none. */
  transaction<T>(run: () => T): T {
    return this.#database.transaction(run).immediate();
  }

  hasAccounts(): boolean {
    const row = this.#database.prepare(sql.HAS_ACCOUNT).get() as { has: 0 | 1 };
    return row.has === 1;
  }

  accounts(): Account[] {
    return (this.#database.prepare(sql.ACCOUNTS).all() as AccountRow[]).map(toAccount);
  }

  account(name: string): Account | undefined {
    const row = this.#database.prepare(sql.ACCOUNT_BY_NAME).get(name);
    return row === undefined ? undefined : toAccount(row as AccountRow);
  }

  accountOf(subject: string): Account | undefined {
    const row = this.#database.prepare(sql.ACCOUNT_BY_SUBJECT).get(subject);
    return row === undefined ? undefined : toAccount(row as AccountRow);
  }

  /** False where the name or the subject has an account already. */
  add(account: NewAccount): boolean {
    const { passwordHash = null, subject = null, ...rest } = account;
    const row = { ...rest, passwordHash, subject, at: Date.now() };
    return this.#database.prepare(sql.INSERT_ACCOUNT).run(row).changes > 0;
  }

  change(name: string, { role, disabled, passwordHash }: AccountChange): boolean {
    return this.transaction(() => {
      const { changes } = this.#database.prepare(sql.UPDATE_ACCOUNT).run({
        name,
        role: role ?? null,
        disabled: disabled === undefined ? null : Number(disabled),
        passwordHash: passwordHash ?? null,
      });
      if (disabled === true || passwordHash !== undefined) this.endSessions(name);
      if (passwordHash !== undefined) this.forgetFailures(name);
      return changes > 0;
    });
  }

  remove(name: string): boolean {
    return this.#database.prepare(sql.DELETE_ACCOUNT).run(name).changes > 0;
  }

  isLastAdmin(name: string): boolean {
    const row = this.#database.prepare(sql.COUNT_OTHER_ADMINS).get(name) as { n: number };
    return row.n === 0 && this.account(name)?.role === 'admin';
  }

  beginSession(
    session: {
      readonly account: string;
      readonly tokenHash: string;
      readonly sealedIdToken?: Buffer | undefined;
    },
    ended: SessionEnds,
  ): void {
    const { account: name, sealedIdToken = null } = session;
    const at = Date.now();
    this.transaction(() => {
      this.#database.prepare(sql.DELETE_OLD_SESSIONS).run(ended);
      this.#database.prepare(sql.INSERT_SESSION).run({ ...session, sealedIdToken, at });
      this.#database.prepare(sql.SIGNED_IN).run({ name, at });
    });
  }

  session(tokenHash: string, ended: SessionEnds) {
    return this.#database.prepare(sql.SESSION).get({ tokenHash, ...ended }) as
      | (Pick<Account, 'name' | 'role' | 'origin'> & { readonly seenAt: number })
      | undefined;
  }

  touchSession(tokenHash: string): void {
    this.#database.prepare(sql.TOUCH_SESSION).run({ tokenHash, at: Date.now() });
  }

  /** Returns what it kept; undefined where it has ended already. */
  endSession(tokenHash: string) {
    return this.#database.prepare(sql.DELETE_SESSION).get(tokenHash) as
      | { readonly sealedIdToken: Buffer | null }
      | undefined;
  }

  endSessions(account: string): void {
    this.#database.prepare(sql.DELETE_SESSIONS_OF).run(account);
  }

  failures(name: string): SignInFailures | undefined {
    return this.#database.prepare(sql.FAILURE).get(name) as SignInFailures | undefined;
  }

  setFailures(name: string, failures: SignInFailures, forgetBefore: number): void {
    const { lastAt: at, ...rest } = failures;
    this.#database.prepare(sql.FORGET_OLD_FAILURES).run(forgetBefore);
    this.#database.prepare(sql.SET_FAILURE).run({ name, at, ...rest });
  }

  forgetFailures(name: string): void {
    this.#database.prepare(sql.FORGET_FAILURE).run(name);
  }

  tokens(): ApiToken[] {
    return this.#database.prepare(sql.TOKENS).all() as ApiToken[];
  }

  token(tokenHash: string): ApiToken | undefined {
    const row = { tokenHash, at: Date.now() };
    return this.#database.prepare(sql.TOKEN_BY_HASH).get(row) as ApiToken | undefined;
  }

  touchToken(id: number): void {
    this.#database.prepare(sql.TOUCH_TOKEN).run({ id, at: Date.now() });
  }

  /** Undefined where there is a token of that name. */
  addToken(token: {
    readonly name: string;
    readonly scope: Scope;
    readonly tokenHash: string;
    readonly createdBy: string;
    readonly expiresAt: number | null;
  }): ApiToken | undefined {
    const row = { ...token, at: Date.now() };
    const added = this.#database.prepare(sql.INSERT_TOKEN).get(row) as { id: number } | undefined;
    return added && this.tokens().find(({ id }) => id === added.id);
  }

  /** Returns its name, or undefined where there is none. */
  removeToken(id: number): string | undefined {
    const row = this.#database.prepare(sql.DELETE_TOKEN).get(id) as { name: string } | undefined;
    return row?.name;
  }

  /** The link before it, if any, is worth nothing from then on. */
  setSetupLink(tokenHash: string, expiresAt: number): void {
    this.#database.prepare(sql.SET_SETUP_LINK).run({ tokenHash, expiresAt });
  }

  useSetupLink(tokenHash: string): boolean {
    const row = { tokenHash, at: Date.now() };
    return this.#database.prepare(sql.USE_SETUP_LINK).get(row) !== undefined;
  }

  audit(entry: Omit<AuditLine, 'id' | 'at'>): void {
    const { detail, ...rest } = entry;
    const row = { ...rest, at: Date.now(), detail: JSON.stringify(detail) };
    this.#database.prepare(sql.INSERT_AUDIT).run(row);
  }

  /** Newest first, older than the entry `before`. */
  auditLines(before: number | undefined, limit: number): AuditLine[] {
    const rows = this.#database
      .prepare(sql.AUDIT_PAGE)
      .all({ before: before ?? Number.MAX_SAFE_INTEGER, limit }) as (Omit<AuditLine, 'detail'> & {
      detail: string;
    })[];
    return rows.map((row) => ({ ...row, detail: JSON.parse(row.detail) }));
  }
}

function toAccount({ disabled, ...row }: AccountRow): Account {
  return { ...row, disabled: disabled === 1 };
}
