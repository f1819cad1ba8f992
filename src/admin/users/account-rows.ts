import type { Role } from '../api/schemas/common.js';
import type { Scope } from '../api/schemas/users.js';

/** The rows that accounts are kept in; the store has this shape. Times are milliseconds since the epoch. */
export interface AccountRows {
  transaction<T>(run: () => T): T;
  hasAccounts(): boolean;
  accounts(): AccountRow[];
  account(name: string): AccountRow | undefined;
  accountOf(subject: string): AccountRow | undefined;
  add(account: {
    readonly name: string;
    readonly role: Role;
    readonly origin: 'local' | 'oidc';
    readonly passwordHash?: string | undefined;
    readonly subject?: string | undefined;
  }): boolean;
  change(
    name: string,
    change: {
      readonly role?: Role | undefined;
      readonly disabled?: boolean | undefined;
      readonly passwordHash?: string | undefined;
    },
  ): boolean;
  remove(name: string): boolean;
  isLastAdmin(name: string): boolean;
  beginSession(
    session: {
      readonly account: string;
      readonly tokenHash: string;
      readonly sealedIdToken?: Buffer | undefined;
    },
    ended: SessionEnds,
  ): void;
  session(
    tokenHash: string,
    ended: SessionEnds,
  ): (Pick<AccountRow, 'name' | 'role' | 'origin'> & { readonly seenAt: number }) | undefined;
  touchSession(tokenHash: string): void;
  endSession(tokenHash: string): { readonly sealedIdToken: Buffer | null } | undefined;
  endSessions(account: string): void;
  failures(name: string): SignInFailures | undefined;
  setFailures(name: string, failures: SignInFailures, forgetBefore: number): void;
  forgetFailures(name: string): void;
  tokens(): TokenRow[];
  token(tokenHash: string): TokenRow | undefined;
  touchToken(id: number): void;
  addToken(token: {
    readonly name: string;
    readonly scope: Scope;
    readonly tokenHash: string;
    readonly createdBy: string;
    readonly expiresAt: number | null;
  }): TokenRow | undefined;
  removeToken(id: number): string | undefined;
  setSetupLink(tokenHash: string, expiresAt: number): void;
  useSetupLink(tokenHash: string): boolean;
  audit(entry: AuditRecord): void;
  auditLines(
    before: number | undefined,
    limit: number,
  ): (AuditRecord & { readonly id: number; readonly at: number })[];
}

/** Who did what; neither holds patient data. */
export interface AuditRecord {
  readonly actor: string;
  readonly action: string;
  readonly subject: string | null;
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface AccountRow {
  readonly name: string;
  readonly role: Role;
  readonly origin: 'local' | 'oidc';
  readonly disabled: boolean;
  readonly passwordHash: string | null;
  readonly createdAt: number;
  readonly lastSignInAt: number | null;
  readonly lockedUntil: number | null;
}

export interface TokenRow {
  readonly id: number;
  readonly name: string;
  readonly scope: Scope;
  readonly createdBy: string;
  readonly createdAt: number;
  readonly expiresAt: number | null;
  readonly lastUsedAt: number | null;
}

export interface SessionEnds {
  readonly idleSince: number;
  readonly bornSince: number;
}

export interface SignInFailures {
  readonly failures: number;
  readonly lastAt: number;
  readonly lockedUntil: number | null;
}
