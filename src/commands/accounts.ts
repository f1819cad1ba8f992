import { text } from 'node:stream/consumers';
import { ROLES } from '../admin/api/schemas/common.js';
import { newToken, newUser, type User } from '../admin/api/schemas/users.js';
import { setupLink } from '../admin/setup-link.js';
import { AccountError, Accounts } from '../admin/users/accounts.js';
import { newSecret } from '../admin/users/secrets.js';
import { loadSettings } from '../config/load-settings.js';
import type { Settings } from '../config/settings.js';
import { AccountStore } from '../store/account-store.js';
import { makeDurableFolder } from '../store/durable-folder.js';
import { EXIT } from './exit-codes.js';
import { table, when } from './text.js';

/** Who does it in the audit: whoever may run commands as the node's user. */
const ACTOR = 'command line';

export interface AccountsOptions {
  readonly config: string;
  readonly json: boolean;
}

export interface PasswordOptions {
  /** Read it from standard input; one is made up otherwise. */
  readonly passwordStdin?: boolean | undefined;
}

/** Runs on the accounts beside the node; what cannot be done is said in one line. */
async function withAccounts(
  config: string,
  run: (accounts: Accounts, settings: Settings) => number | Promise<number>,
): Promise<number> {
  const { settings } = await loadSettings(config);
  makeDurableFolder(settings.storage.folder);
  const rows = AccountStore.open(settings.storage.folder);
  try {
    return await run(new Accounts(rows), settings);
  } catch (error) {
    if (!(error instanceof AccountError)) throw error;
    console.error(error.message);
    return error.code === 'unknown' ? EXIT.notFound : EXIT.failed;
  } finally {
    rows.close();
  }
}

/** `vigil users list` */
export function runUsersList({ config, json }: AccountsOptions): Promise<number> {
  return withAccounts(config, (accounts) => {
    const users = accounts.list();
    if (json) console.log(JSON.stringify({ users }));
    else if (users.length === 0) console.log('There is no account: vigil users setup-link');
    else console.log(table([['NAME', 'ROLE', 'LAST SIGN-IN', ''], ...users.map(row)]));
    return EXIT.done;
  });
}

function row({ name, role, origin, disabled, lastSignInAt, lockedUntil }: User): string[] {
  const locked = lockedUntil !== null && lockedUntil > Date.now();
  const notes = [
    origin === 'oidc' ? 'identity provider' : '',
    disabled ? 'disabled' : '',
    locked ? `locked until ${when(lockedUntil)}` : '',
  ];
  return [name, role, when(lastSignInAt), notes.filter(Boolean).join(', ')];
}

/** `vigil users add <name> --role <role>` */
export async function runUsersAdd(
  options: AccountsOptions & PasswordOptions & { name: string; role: string },
): Promise<number> {
  const { name, role, config, json } = options;
  const given = await passwordFrom(options);
  const user = newUser.safeParse({ name, role, password: given.password });
  if (!user.success) return refuse(user.error.issues);
  return withAccounts(config, async (accounts) => {
    await accounts.add(user.data, ACTOR);
    sayPassword(`Account ${name} with role ${role} is there`, given, json);
    return EXIT.done;
  });
}

/** `vigil users reset-password <name>`: also ends its sessions and a lock-out. */
export async function runUsersResetPassword(
  options: AccountsOptions & PasswordOptions & { name: string },
): Promise<number> {
  const { name, config, json } = options;
  const given = await passwordFrom(options);
  const checked = newUser.shape.password.safeParse(given.password);
  if (!checked.success) return refuse(checked.error.issues);
  return withAccounts(config, async (accounts) => {
    await accounts.change(name, { password: checked.data }, ACTOR);
    sayPassword(`Account ${name} has a new password`, given, json);
    return EXIT.done;
  });
}

/** `vigil users disable|enable <name>`, `vigil users set-role <name> <role>` */
export function runUsersChange(
  options: AccountsOptions & { name: string; role?: string; disabled?: boolean },
): Promise<number> {
  const { name, role, disabled, config, json } = options;
  const known = ROLES.find((one) => one === role);
  if (role !== undefined && known === undefined) {
    console.error(`There is no role "${role}": one of ${ROLES.join(', ')}`);
    return Promise.resolve(EXIT.usage);
  }
  const change = {
    ...(known !== undefined && { role: known }),
    ...(disabled !== undefined && { disabled }),
  };
  return withAccounts(config, async (accounts) => {
    const user = await accounts.change(name, change, ACTOR);
    console.log(json ? JSON.stringify(user) : row(user).slice(0, 2).join('  '));
    return EXIT.done;
  });
}

/** `vigil users setup-link`: whoever opens it first makes an account of role admin. */
export function runUsersSetupLink({ config, json }: AccountsOptions): Promise<number> {
  return withAccounts(config, (accounts, settings) => {
    const link = setupLink(settings, accounts.newSetupSecret());
    console.log(json ? JSON.stringify({ link }) : `Once, within a day: ${link}`);
    return EXIT.done;
  });
}

/** `vigil tokens list` */
export function runTokensList({ config, json }: AccountsOptions): Promise<number> {
  return withAccounts(config, (accounts) => {
    const tokens = accounts.tokens();
    if (json) console.log(JSON.stringify({ tokens }));
    else {
      const rows = tokens.map(({ id, name, scope, expiresAt, lastUsedAt }) => [
        String(id),
        name,
        scope,
        when(expiresAt),
        when(lastUsedAt),
      ]);
      console.log(table([['ID', 'NAME', 'SCOPE', 'EXPIRES', 'LAST USED'], ...rows]));
    }
    return EXIT.done;
  });
}

/** `vigil tokens add <name> --scope <scope>` */
export function runTokensAdd(
  options: AccountsOptions & { name: string; scope: string; days?: number },
): Promise<number> {
  const { config, json, ...asked } = options;
  const checked = newToken.safeParse(asked);
  if (!checked.success) return Promise.resolve(refuse(checked.error.issues));
  return withAccounts(config, (accounts) => {
    const token = accounts.addToken(checked.data, ACTOR);
    console.log(json ? JSON.stringify(token) : `Shown this once: ${token.secret}`);
    return EXIT.done;
  });
}

/** `vigil tokens revoke <id>` */
export function runTokensRevoke(options: AccountsOptions & { id: string }): Promise<number> {
  return withAccounts(options.config, (accounts) => {
    accounts.removeToken(Number(options.id), ACTOR);
    if (!options.json) console.log('The token is worth nothing any more');
    return EXIT.done;
  });
}

interface GivenPassword {
  readonly password: string;
  readonly isMadeUp: boolean;
}

async function passwordFrom({ passwordStdin }: PasswordOptions): Promise<GivenPassword> {
  if (passwordStdin !== true) return { password: newSecret().slice(0, 24), isMadeUp: true };
  return { password: (await text(process.stdin)).replace(/\r?\n$/, ''), isMadeUp: false };
}

function sayPassword(what: string, { password, isMadeUp }: GivenPassword, json: boolean): void {
  if (json) console.log(JSON.stringify({ ok: true, ...(isMadeUp && { password }) }));
  else console.log(isMadeUp ? `${what}; its password, shown this once: ${password}` : what);
}

function refuse(issues: readonly { readonly path: PropertyKey[]; readonly message: string }[]) {
  for (const { path, message } of issues) {
    console.error([path.map(String).join('.'), message].filter(Boolean).join(': '));
  }
  return EXIT.usage;
}
