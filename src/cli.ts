#!/usr/bin/env node
import { Command, InvalidArgumentError, Option } from 'commander';
import { addAccountCommands } from './commands/account-commands.js';
import type { CalibrateOptions } from './commands/calibrate.js';
import { config, ending, json } from './commands/command-parts.js';
import { addConfigCommands } from './commands/config-commands.js';
import type { DeliveryCommandOptions } from './commands/deliveries.js';
import type { EchoOptions } from './commands/echo.js';
import { EXIT } from './commands/exit-codes.js';
import { later } from './commands/later.js';
import { VERSION } from './version.js';

const runCalibrate = later(() => import('./commands/calibrate.js'), 'runCalibrate');
const runCheckConfig = later(() => import('./commands/check-config.js'), 'runCheckConfig');
const runCheckDestination = later(
  () => import('./commands/check-destination.js'),
  'runCheckDestination',
);
const runAbandon = later(() => import('./commands/deliveries.js'), 'runAbandon');
const runResend = later(() => import('./commands/deliveries.js'), 'runResend');
const runDemo = later(() => import('./commands/demo.js'), 'runDemo');
const runEcho = later(() => import('./commands/echo.js'), 'runEcho');
const runHashPasscode = later(() => import('./commands/hash-passcode.js'), 'runHashPasscode');
const runModels = later(() => import('./commands/models.js'), 'runModels');
const runReanalyse = later(() => import('./commands/reanalyse.js'), 'runReanalyse');
const runRebuildCatalog = later(() => import('./commands/rebuild-catalog.js'), 'runRebuildCatalog');
const runSend = later(() => import('./commands/send.js'), 'runSend');
const runSettle = later(() => import('./commands/settle.js'), 'runSettle');
const runShow = later(() => import('./commands/show.js'), 'runShow');
const runStatus = later(() => import('./commands/status.js'), 'runStatus');
const runVerify = later(() => import('./commands/verify.js'), 'runVerify');

const calling = () => new Option('--calling <AE title>', 'AE title to call with');
const to = () =>
  new Option(
    '--to <AE@host:port>',
    'who receives it, such as VIGIL@127.0.0.1:11112',
  ).makeOptionMandatory();

/** A share between 0 and 1, both left out. */
function share(text: string): number {
  const value = Number(text);
  if (value > 0 && value < 1) return value;
  throw new InvalidArgumentError('a share is a number between 0 and 1, such as 0.05');
}

function positive(text: string): number {
  const value = Number(text);
  if (!(value > 0)) throw new InvalidArgumentError('is no positive number');
  return value;
}

const program = new Command('vigil')
  .description('A DICOM node that triages head CTs for intracranial hemorrhage')
  .version(VERSION)
  .configureHelp({ sortSubcommands: false })
  .addHelpText(
    'after',
    '\nExit codes: 0 done, 1 something failed, 2 wrong usage or configuration, 3 not in the catalog, 4 catalog damaged.',
  )
  .exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT.done : EXIT.usage));

program
  .command('start')
  .description('run the node until it is told to stop')
  .addOption(config())
  .action(
    ending(async (options: { config: string }) => {
      const { main } = await import('./main.js');
      await main(options.config);
      return EXIT.done;
    }),
  );

program
  .command('demo')
  .description(
    'run a node, a simulated scanner and a simulated PACS, and show what the PACS received',
  )
  .addOption(json())
  .option('--keep', 'keep the folder with the received objects', false)
  .action(ending(runDemo));

program
  .command('send')
  .description('send files and folders of DICOM images by C-STORE')
  .argument('<paths...>', 'files and folders')
  .addOption(to())
  .addOption(calling())
  .option('--associations <n>', 'how many share the work', Number)
  .addOption(json())
  .action(
    ending((paths: string[], options: Omit<Parameters<typeof runSend>[0], 'paths'>) =>
      runSend({ paths, ...options }),
    ),
  );

program
  .command('echo')
  .description('ask a DICOM node whether it answers (C-ECHO), and how fast')
  .argument('[destination]', 'name of a destination in the configuration, or AE@host:port')
  .addOption(config())
  .addOption(to().makeOptionMandatory(false))
  .addOption(calling())
  .addOption(json())
  .action(
    ending((destination: string | undefined, options: Omit<EchoOptions, 'destination'>) =>
      runEcho({ destination, ...options }),
    ),
  );

program
  .command('check-destination')
  .description(
    'ask a destination which objects it takes and how, and say what follows for the routes',
  )
  .argument('<destination>', 'name of a destination in the configuration')
  .addOption(config())
  .addOption(json())
  .action(
    ending((destination: string, options: { config: string; json: boolean }) =>
      runCheckDestination({ destination, ...options }),
    ),
  );

program
  .command('check-config')
  .description('say everything that is wrong with a configuration file')
  .argument('[file]', 'configuration file', 'config/vigil.yaml')
  .addOption(json())
  .action(
    ending((file: string, options: { json: boolean }) => runCheckConfig({ file, ...options })),
  );

program
  .command('hash-passcode')
  .description(
    "print the line of a users' file (receive.access) for a user whose passcode is read from standard input",
  )
  .argument('<name>', 'user name')
  .action(ending((name: string) => runHashPasscode(name)));

addConfigCommands(program);

program
  .command('status')
  .description('show the queues and the studies that came last')
  .addOption(config())
  .option('--limit <n>', 'how many studies', Number, 20)
  .addOption(json())
  .action(ending(runStatus));

const study = (name: string, description: string) =>
  program
    .command(name)
    .description(description)
    .argument('<study>', 'Study Instance UID')
    .addOption(config())
    .addOption(json());

type StudyOptions = { config: string; json: boolean };

study('show', 'show what happened to a study, and why').action(
  ending((studyInstanceUid: string, options: StudyOptions) =>
    runShow({ studyInstanceUid, ...options }),
  ),
);

const deliveries = (name: string, description: string) =>
  program
    .command(name)
    .description(description)
    .argument('[study]', 'Study Instance UID')
    .addOption(config())
    .option('--to <destination>', 'only to this destination')
    .option('--dead', 'dead letters only, of every study unless one is given')
    .addOption(json());

type DeliveriesOptions = Omit<DeliveryCommandOptions, 'studyInstanceUid'>;

deliveries('resend', "send a study's newest report again, or dead letters").action(
  ending((studyInstanceUid: string | undefined, options: DeliveriesOptions) =>
    runResend({ studyInstanceUid, ...options }),
  ),
);

deliveries('abandon', 'give up dead letters, and what waits for a destination that is gone').action(
  ending((studyInstanceUid: string | undefined, options: DeliveriesOptions) =>
    runAbandon({ studyInstanceUid, ...options }),
  ),
);

program
  .command('settle')
  .description('take note of the conflicts of a study: no alarm any more, no report changes')
  .argument('[study]', 'Study Instance UID')
  .addOption(config())
  .option('--all', 'the conflicts of every study', false)
  .addOption(json())
  .action(
    ending((studyInstanceUid: string | undefined, options: StudyOptions & { all: boolean }) =>
      runSettle({ studyInstanceUid, ...options }),
    ),
  );

study('reanalyse', 'choose and read the series again').action(
  ending((studyInstanceUid: string, options: StudyOptions) =>
    runReanalyse({ studyInstanceUid, ...options }),
  ),
);

program
  .command('verify')
  .description('check the catalog and every file of the archive against its checksum')
  .addOption(config())
  .addOption(
    new Option(
      '--rate <MB/s>',
      'read no faster than this; as fast as the disk where left out',
    ).argParser(positive),
  )
  .addOption(json())
  .action(ending(runVerify));

program
  .command('rebuild-catalog')
  .description(
    'make a new catalog from a damaged or lost one and from the files, while the node is stopped',
  )
  .addOption(config())
  .addOption(json())
  .action(ending(runRebuildCatalog));

program
  .command('models')
  .description('list the model packages and check their hashes')
  .addOption(config())
  .addOption(json())
  .action(ending(runModels));

program
  .command('calibrate')
  .description("fit this site's own calibration and thresholds to radiologists' labels")
  .argument('<labels>', 'CSV with StudyInstanceUID and one column of 0 and 1 for each class judged')
  .addOption(config())
  .requiredOption('--out <file>', 'where to write it, for inference.calibration')
  .option('--missed <share>', 'hemorrhages called negative, at most', share, 0.05)
  .option('--false-alarms <share>', 'healthy studies called positive, at most', share, 0.1)
  .option('--prevalence <share>', "share of this site's studies with a hemorrhage", share)
  .addOption(json())
  .action(
    ending((labels: string, options: Omit<CalibrateOptions, 'labels'>) =>
      runCalibrate({ labels, ...options }),
    ),
  );

addAccountCommands(program);

await program.parseAsync();
