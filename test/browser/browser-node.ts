import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { App } from '../../src/app.js';
import { loadSettings } from '../../src/config/load-settings.js';
import type { Settings } from '../../src/config/settings.js';
import { ConfigWatcher } from '../../src/config/watch.js';
import { checkText } from '../../src/config-check.js';
import { ConfigVersions } from '../../src/config-versions.js';
import type { PhantomStudy } from '../../src/simulate/head-phantom.js';
import type { SimulatedPacs } from '../../src/simulate/pacs.js';
import { scan } from '../../src/simulate/scanner.js';
import { startPacs, temporaryFolder, untilReported } from '../integration/node/node-rig.js';

const configuration = (pacs: SimulatedPacs, more: string) => `# Who is told of a bleed.
node: { aeTitle: VIGIL, host: 127.0.0.1, port: 0 }
storage: { folder: ./data, minFreeMb: 1 }
completeness: { likelySeconds: 0.1, unknownSeconds: 1, studyQuietSeconds: 1 }
admin: { port: 0 }
destinations:
  pacs: { aeTitle: PACS, host: 127.0.0.1, port: ${pacs.port}, retryFirstSeconds: 0.1 }
routes:
  - name: everything-to-pacs
    send:
      to: [pacs]
${more}`;

/** A node as `vigil start` builds it, with its configuration in a file, and a PACS to send to. */
export class BrowserNode implements AsyncDisposable {
  readonly app: App;
  readonly pacs: SimulatedPacs;
  readonly file: string;
  /** What is in force. */
  readonly settings: () => Settings;
  readonly #folder: AsyncDisposable;

  private constructor(
    parts: { app: App; pacs: SimulatedPacs; file: string; settings: () => Settings },
    folder: AsyncDisposable,
  ) {
    this.app = parts.app;
    this.pacs = parts.pacs;
    this.file = parts.file;
    this.settings = parts.settings;
    this.#folder = folder;
  }

  /** With `more` sections in the configuration, and the files that they need. */
  static async start(
    more = '',
    prepare: (folder: string) => Promise<void> = async () => undefined,
  ): Promise<BrowserNode> {
    const folder = await temporaryFolder();
    await prepare(folder.path);
    const pacs = await startPacs(folder.path);
    const file = join(folder.path, 'vigil.yaml');
    await writeFile(file, configuration(pacs, more));
    const loaded = await loadSettings(file, {});
    let { settings } = loaded;
    const versions = new ConfigVersions(file, {});
    const watcher = new ConfigWatcher({
      loaded,
      env: {},
      check: checkText,
      onChange: (change) => {
        settings = change.loaded.settings;
        app.reconfigure(change.loaded.settings, change.restartNeeded);
        versions.noteInForce(change.loaded, 'file');
      },
      onProblem: (error) => app.refuseConfiguration(error),
    });
    const reload = () => watcher.reload();
    const log = pino({ level: 'silent' });
    const app: App = await App.open(loaded.settings, log, { versions, reload });
    await app.start();
    versions.noteInForce(loaded, 'start');
    return new BrowserNode({ app, pacs, file, settings: () => settings }, folder);
  }

  /** Where the console is. */
  get url(): string {
    return `http://127.0.0.1:${this.app.ports.admin}`;
  }

  /** Sends the study's images from a scanner; resolves when they are acknowledged. */
  async receive(images: readonly PhantomStudy['localizer'][]): Promise<void> {
    const port = this.app.ports.dicom;
    await scan(
      { host: '127.0.0.1', port, calledAeTitle: 'VIGIL', callingAeTitle: 'CT1' },
      images.map(({ part10 }) => part10),
    );
  }

  /** Sends a study and waits until its report is delivered. */
  async triage(study: PhantomStudy, images = [study.localizer, ...study.images]): Promise<void> {
    await this.receive(images);
    await untilReported(this.app, study.studyInstanceUid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.app[Symbol.asyncDispose]();
    await this.pacs[Symbol.asyncDispose]();
    await this.#folder[Symbol.asyncDispose]();
  }
}
