import type { Role } from '../api/schemas/common.js';
import type { NewToken, NewUser, Token, User, UserChange } from '../api/schemas/users.js';
import type { AccountRow, AccountRows } from './account-rows.js';
import { hashPassword, isPassword } from './passwords.js';
import { hashOf, newSecret } from './secrets.js';

const DAY_MS = 24 * 60 * 60 * 1000;
/** For the set-up link: long enough to walk to another desk. */
const SETUP_LINK_MS = DAY_MS;

/** Makes a leaked token easy to find for those who search for such. */
const TOKEN_PREFIX = 'vigil_';

/** A change of accounts that cannot be made; the message says why and what to do. */
export class AccountError extends Error {
  readonly code:
    | 'exists'
    | 'unknown'
    | 'last-admin'
    | 'no-password'
    | 'wrong-password'
    | 'bad-link';

  constructor(code: AccountError['code'], message: string) {
    super(message);
    this.name = 'AccountError';
    this.code = code;
  }
}

/** Manages accounts and API tokens: each change stands in the audit with who made it. */
export class Accounts {
  readonly #rows: AccountRows;

  constructor(rows: AccountRows) {
    this.#rows = rows;
  }

  get setUpNeeded(): boolean {
    return !this.#rows.hasAccounts();
  }

  list(): User[] {
    return this.#rows.accounts().map(toUser);
  }

  /** A new set-up secret, in place of the one before: whoever has it makes one account of role admin. */
  newSetupSecret(): string {
    const secret = newSecret();
    this.#rows.setSetupLink(hashOf(secret), Date.now() + SETUP_LINK_MS);
    return secret;
  }

  /** @throws AccountError where the link is used, too old or another one, or the name is taken */
  async setUp(secret: string, name: string, password: string): Promise<AccountRow> {
    const passwordHash = await hashPassword(password);
    return this.#rows.transaction(() => {
      if (!this.#rows.useSetupLink(hashOf(secret))) {
        const message = 'The set-up link has been used or is too old: vigil users setup-link';
        throw new AccountError('bad-link', message);
      }
      this.#insert({ name, role: 'admin', origin: 'local', passwordHash });
      this.#rows.audit({ actor: name, action: 'set-up', subject: name, detail: {} });
      return this.#existing(name);
    });
  }

  /** @throws AccountError where the name is taken */
  async add({ name, role, password }: NewUser, actor: string): Promise<User> {
    const passwordHash = await hashPassword(password);
    return this.#rows.transaction(() => {
      this.#insert({ name, role, origin: 'local', passwordHash });
      this.#rows.audit({ actor, action: 'user-added', subject: name, detail: { role } });
      return toUser(this.#existing(name));
    });
  }

  /** @throws AccountError where there is no such account, or nobody could manage accounts any more */
  async change(name: string, change: UserChange, actor: string): Promise<User> {
    const { role, disabled, password } = change;
    const passwordHash = password === undefined ? undefined : await hashPassword(password);
    return this.#rows.transaction(() => {
      const before = this.#existing(name);
      const loses = disabled === true || (role !== undefined && role !== 'admin');
      if (loses) this.#refuseLastAdmin(name);
      if (passwordHash !== undefined && before.origin === 'oidc') {
        const message = `${name} has its password with the identity provider`;
        throw new AccountError('no-password', message);
      }
      this.#rows.change(name, { role, disabled, passwordHash });
      const detail = {
        ...(role !== undefined && { role, was: before.role }),
        ...(disabled !== undefined && { disabled }),
        ...(password !== undefined && { password: 'reset' }),
      };
      this.#rows.audit({ actor, action: 'user-changed', subject: name, detail });
      return toUser(this.#existing(name));
    });
  }

  /** @throws AccountError where the current password is another one */
  async changeOwnPassword(name: string, current: string, password: string): Promise<void> {
    const { passwordHash } = this.#existing(name);
    if (!(await isPassword(passwordHash, current))) {
      throw new AccountError('wrong-password', 'The current password is another one');
    }
    await this.change(name, { password }, name);
  }

  /** @throws AccountError where there is no such account, or nobody could manage accounts any more */
  remove(name: string, actor: string): void {
    this.#rows.transaction(() => {
      this.#existing(name);
      this.#refuseLastAdmin(name);
      this.#rows.remove(name);
      this.#rows.audit({ actor, action: 'user-removed', subject: name, detail: {} });
    });
  }

  /** The account of somebody whom an identity provider knows, made where it is new; its role follows the provider. */
  fromProvider(subject: string, name: string, role: Role): AccountRow {
    return this.#rows.transaction(() => {
      const known = this.#rows.accountOf(subject);
      if (known === undefined) {
        this.#insert({ name, role, origin: 'oidc', subject });
        this.#rows.audit({ actor: name, action: 'user-added', subject: name, detail: { role } });
      } else if (known.role !== role) {
        this.#rows.change(known.name, { role });
        const detail = { role, was: known.role };
        const { name: changed } = known;
        this.#rows.audit({ actor: changed, action: 'user-changed', subject: changed, detail });
      }
      return this.#existing(known?.name ?? name);
    });
  }

  tokens(): Token[] {
    return this.#rows.tokens();
  }

  /** @throws AccountError where there is a token of that name */
  addToken({ name, scope, days }: NewToken, actor: string): Token & { readonly secret: string } {
    const secret = newSecret(TOKEN_PREFIX);
    const expiresAt = days === undefined ? null : Date.now() + days * DAY_MS;
    return this.#rows.transaction(() => {
      const row = { name, scope, tokenHash: hashOf(secret), createdBy: actor, expiresAt };
      const token = this.#rows.addToken(row);
      if (token === undefined) throw new AccountError('exists', `There is a token "${name}"`);
      this.#rows.audit({ actor, action: 'token-added', subject: name, detail: { scope } });
      return { ...token, secret };
    });
  }

  /** @throws AccountError where there is none */
  removeToken(id: number, actor: string): void {
    this.#rows.transaction(() => {
      const name = this.#rows.removeToken(id);
      if (name === undefined) throw new AccountError('unknown', `There is no token ${id}`);
      this.#rows.audit({ actor, action: 'token-removed', subject: name, detail: {} });
    });
  }

  #insert(account: Parameters<AccountRows['add']>[0]): void {
    if (this.#rows.add(account)) return;
    throw new AccountError('exists', `There is an account "${account.name}"`);
  }

  #existing(name: string): AccountRow {
    const account = this.#rows.account(name);
    if (account === undefined) throw new AccountError('unknown', `There is no account "${name}"`);
    return account;
  }

  #refuseLastAdmin(name: string): void {
    if (!this.#rows.isLastAdmin(name)) return;
    const message = `${name} is the last admin: make another one first`;
    throw new AccountError('last-admin', message);
  }
}

function toUser({ passwordHash: _, ...user }: AccountRow): User {
  return user;
}
