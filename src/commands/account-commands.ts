import type { Command } from 'commander';
import type * as Accounts from './accounts.js';
import { config, ending, json } from './command-parts.js';
import { later } from './later.js';

const accounts = () => import('./accounts.js');
const runTokensAdd = later(accounts, 'runTokensAdd');
const runTokensList = later(accounts, 'runTokensList');
const runTokensRevoke = later(accounts, 'runTokensRevoke');
const runUsersAdd = later(accounts, 'runUsersAdd');
const runUsersChange = later(accounts, 'runUsersChange');
const runUsersList = later(accounts, 'runUsersList');
const runUsersResetPassword = later(accounts, 'runUsersResetPassword');
const runUsersSetupLink = later(accounts, 'runUsersSetupLink');

type Options = Accounts.AccountsOptions;

/** Adds `vigil users ...` and `vigil tokens ...`. */
export function addAccountCommands(program: Command): void {
  const users = program.command('users').description('manage who may sign in to the console');
  const tokens = program.command('tokens').description('manage the API tokens of programs');
  const add = (group: Command, name: string, description: string) =>
    group.command(name).description(description).addOption(config()).addOption(json());
  const named = (name: string, description: string) =>
    add(users, name, description).argument('<name>', 'of the account');
  const passwordStdin = [
    '--password-stdin',
    'read it from standard input; made up otherwise',
  ] as const;

  add(users, 'list', 'show all accounts').action(ending(runUsersList));
  named('add', 'add an account')
    .requiredOption('--role <role>', 'viewer, operator or admin')
    .option(...passwordStdin)
    .action(
      ending((name: string, options: Options & Accounts.PasswordOptions & { role: string }) =>
        runUsersAdd({ name, ...options }),
      ),
    );
  named('reset-password', 'give an account a new password, and end its sessions and lock-out')
    .option(...passwordStdin)
    .action(
      ending((name: string, options: Options & Accounts.PasswordOptions) =>
        runUsersResetPassword({ name, ...options }),
      ),
    );
  named('disable', 'let an account sign in no more').action(
    ending((name: string, options: Options) =>
      runUsersChange({ name, disabled: true, ...options }),
    ),
  );
  named('enable', 'let an account sign in again').action(
    ending((name: string, options: Options) =>
      runUsersChange({ name, disabled: false, ...options }),
    ),
  );
  named('set-role', 'give an account another role')
    .argument('<role>', 'viewer, operator or admin')
    .action(
      ending((name: string, role: string, options: Options) =>
        runUsersChange({ name, role, ...options }),
      ),
    );
  add(users, 'setup-link', 'print a link that makes an admin, once').action(
    ending(runUsersSetupLink),
  );

  add(tokens, 'list', 'show all API tokens').action(ending(runTokensList));
  add(tokens, 'add', 'make an API token and print it, this once')
    .argument('<name>', 'of the program that has it')
    .requiredOption('--scope <scope>', 'read, operate or admin')
    .option('--days <n>', 'until it expires; never if left out', Number)
    .action(
      ending((name: string, options: Options & { scope: string; days?: number }) =>
        runTokensAdd({ name, ...options }),
      ),
    );
  add(tokens, 'revoke', 'end an API token')
    .argument('<id>', 'as vigil tokens list has it')
    .action(ending((id: string, options: Options) => runTokensRevoke({ id, ...options })));
}
