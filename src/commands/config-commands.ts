import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import { reasonProblem } from '../config/syntax.js';
import { config, ending, json } from './command-parts.js';
import { later } from './later.js';

const rules = () => import('./config.js');
const versions = () => import('./config-versions.js');
const runConfigDiff = later(rules, 'runConfigDiff');
const runConfigReplay = later(rules, 'runConfigReplay');
const runConfigEdit = later(() => import('./config-edit.js'), 'runConfigEdit');
const runConfigApply = later(versions, 'runConfigApply');
const runConfigHistory = later(versions, 'runConfigHistory');
const runConfigRollback = later(versions, 'runConfigRollback');
const runConfigShow = later(versions, 'runConfigShow');

const HOUR_MS = 60 * 60 * 1000;
const DAY_MS = 24 * HOUR_MS;

/** Milliseconds of `12h` or `7d`. */
function span(text: string): number {
  const [, count, unit] = /^(\d{1,4})([hd])$/.exec(text) ?? [];
  if (count === undefined) throw new InvalidArgumentError('give hours or days, such as 12h or 7d');
  return Number(count) * (unit === 'h' ? HOUR_MS : DAY_MS);
}

function changeReason(text: string): string {
  const problem = reasonProblem(text);
  if (problem !== undefined) throw new InvalidArgumentError(problem);
  return text.trim();
}

type Candidate = { config: string; json: boolean };

const changedCopy = () =>
  new Argument(
    '[candidate]',
    'the changed copy; where left out the file itself, against the version that was in force before',
  );
const inCopy = (candidate: string | undefined, options: Candidate) => ({
  ...(candidate !== undefined && { candidate }),
  ...options,
});

const reason = () =>
  new Option('--reason <text>', 'why, for the history')
    .makeOptionMandatory()
    .argParser(changeReason);

/** Adds `vigil config ...` and `vigil replay`. */
export function addConfigCommands(program: Command): void {
  const configuration = program
    .command('config')
    .description('change the configuration, and see before what a change does');

  configuration
    .command('diff')
    .description('say which routing rules a change changes, in what they mean')
    .addArgument(changedCopy())
    .addOption(config())
    .addOption(json())
    .action(
      ending((candidate: string | undefined, options: Candidate) =>
        runConfigDiff(inCopy(candidate, options)),
      ),
    );

  program
    .command('replay')
    .description('say where the studies that really came would go by changed routing rules')
    .addArgument(changedCopy())
    .addOption(config())
    .addOption(
      new Option('--last <span>', 'how far back, such as 12h or 7d')
        .default(DAY_MS * 7, '7d')
        .argParser(span),
    )
    .addOption(json())
    .action(
      ending((candidate: string | undefined, options: Candidate & { last: number }) =>
        runConfigReplay({ ...inCopy(candidate, options), last: options.last }),
      ),
    );

  configuration
    .command('edit')
    .description('edit a copy in $VISUAL or $EDITOR, check it, and apply it')
    .addOption(reason())
    .addOption(config())
    .action(ending(runConfigEdit));

  configuration
    .command('apply')
    .description(
      'write a changed copy to the configuration file, if it is good and nobody was first',
    )
    .argument('<candidate>', 'the changed copy')
    .option('--from <version>', 'number or hash of the version that the copy was made from')
    .addOption(reason())
    .addOption(config())
    .addOption(json())
    .action(
      ending((file: string, options: Candidate & { from?: string; reason: string }) =>
        runConfigApply({ file, ...options }),
      ),
    );

  configuration
    .command('history')
    .description('list the versions that were applied: when, by whom and why')
    .option('--limit <n>', 'how many', Number, 20)
    .addOption(config())
    .addOption(json())
    .action(ending(runConfigHistory));

  configuration
    .command('show')
    .description('print the text of a version')
    .argument('[version]', 'its number or hash; what the file holds now where left out')
    .addOption(config())
    .addOption(json())
    .action(
      ending((version: string | undefined, options: Candidate) =>
        runConfigShow({ ...(version !== undefined && { version }), ...options }),
      ),
    );

  configuration
    .command('rollback')
    .description('write an earlier version to the configuration file again')
    .argument('<version>', 'its number or hash')
    .addOption(reason())
    .addOption(config())
    .addOption(json())
    .action(
      ending((version: string, options: Candidate & { reason: string }) =>
        runConfigRollback({ version, ...options }),
      ),
    );
}
