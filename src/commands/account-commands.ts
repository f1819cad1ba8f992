import type { Command, Option } from 'commander';
import * as run from './accounts.js';

/** What every command of `vigil` has. */
interface Shared {
  readonly config: () => Option;
  readonly json: () => Option;
  readonly ending: <Args extends unknown[]>(
    run: (...args: Args) => Promise<number>,
  ) => (...args: Args) => Promise<void>;
}

type Options = run.AccountsOptions;

/** Adds `vigil users ...` and `vigil tokens ...`. */
export function addAccountCommands(program: Command, { config, json, ending }: Shared): void {
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

  add(users, 'list', 'show all accounts').action(ending(run.runUsersList));
  named('add', 'add an account')
    .requiredOption('--role <role>', 'viewer, operator or admin')
    .option(...passwordStdin)
    .action(
      ending((name: string, options: Options & run.PasswordOptions & { role: string }) =>
        run.runUsersAdd({ name, ...options }),
      ),
    );
  named('reset-password', 'give an account a new password, and end its sessions and lock-out')
    .option(...passwordStdin)
    .action(
      ending((name: string, options: Options & run.PasswordOptions) =>
        run.runUsersResetPassword({ name, ...options }),
      ),
    );
  named('disable', 'let an account sign in no more').action(
    ending((name: string, options: Options) =>
      run.runUsersChange({ name, disabled: true, ...options }),
    ),
  );
  named('enable', 'let an account sign in again').action(
    ending((name: string, options: Options) =>
      run.runUsersChange({ name, disabled: false, ...options }),
    ),
  );
  named('set-role', 'give an account another role')
    .argument('<role>', 'viewer, operator or admin')
    .action(
      ending((name: string, role: string, options: Options) =>
        run.runUsersChange({ name, role, ...options }),
      ),
    );
  add(users, 'setup-link', 'print a link that makes an admin, once').action(
    ending(run.runUsersSetupLink),
  );

  add(tokens, 'list', 'show all API tokens').action(ending(run.runTokensList));
  add(tokens, 'add', 'make an API token and print it, this once')
    .argument('<name>', 'of the program that has it')
    .requiredOption('--scope <scope>', 'read, operate or admin')
    .option('--days <n>', 'until it expires; never if left out', Number)
    .action(
      ending((name: string, options: Options & { scope: string; days?: number }) =>
        run.runTokensAdd({ name, ...options }),
      ),
    );
  add(tokens, 'revoke', 'end an API token')
    .argument('<id>', 'as vigil tokens list has it')
    .action(ending((id: string, options: Options) => run.runTokensRevoke({ id, ...options })));
}
