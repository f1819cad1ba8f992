import closeWithGrace from 'close-with-grace';
import { App } from './app.js';
import { type LoadedSettings, loadSettings } from './config/load-settings.js';
import { problemText } from './config/problems.js';
import { ConfigWatcher } from './config/watch.js';
import { checkText } from './config-check.js';
import { ConfigVersions } from './config-versions.js';
import { createLog } from './log.js';
import { Systemd } from './systemd.js';

/** A drain that takes longer has hung; systemd kills at TimeoutStopSec, a little later. */
const DRAIN_MS = 50_000;

/** Runs the node until SIGTERM or SIGINT drains it; SIGHUP has the configuration read again. */
export async function main(configFile: string): Promise<void> {
  const loaded = await loadSettings(configFile);
  const log = createLog(loaded.settings.log);
  for (const warning of loaded.warnings) log.warn(problemText(warning).trim());
  const systemd = new Systemd({ log });
  const versions = new ConfigVersions(configFile);
  const reload = () => watcher.reload();
  const app = await App.open(loaded.settings, log, { versions, reload });
  const keep = (inForce: LoadedSettings, how: 'start' | 'file') => {
    try {
      versions.noteInForce(inForce, how);
    } catch (error) {
      log.error({ err: error }, 'the configuration is in force, but its history cannot be kept');
    }
  };
  const watcher: ConfigWatcher = new ConfigWatcher({
    loaded,
    check: checkText,
    onChange: (change) => {
      app.reconfigure(change.loaded.settings, change.restartNeeded);
      keep(change.loaded, 'file');
    },
    onProblem: (error) => app.refuseConfiguration(error),
  });
  const grace = { delay: DRAIN_MS, logger: false as const, skip: ['SIGHUP' as const] };
  const { uninstall } = closeWithGrace(grace, async ({ err, signal }) => {
    if (err) log.fatal({ err }, 'unforeseen error');
    else log.info({ signal }, 'stopping');
    await systemd.stopping();
    await watcher.stop();
    await app.stop();
    await systemd[Symbol.asyncDispose]();
  });
  // Before the node is ready: a signal without a listener would end it.
  process.on('SIGHUP', async () => {
    await systemd.reloading();
    await watcher.reload();
    await systemd.ready(app.summary);
  });
  try {
    await app.start();
  } catch (error) {
    // What failed ends the process with its own exit code.
    uninstall();
    throw error;
  }
  keep(loaded, 'start');
  const setupLink = app.newSetupLink();
  // Not through the log, which others read, nor among its lines.
  if (setupLink !== undefined)
    console.error(`Nobody can sign in yet. Once, within a day: ${setupLink}`);
  await watcher.start();
  await systemd.ready(app.summary);
}
