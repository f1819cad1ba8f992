import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { vi } from 'vitest';
import { App } from '../../../src/app.js';
import { parseSettings } from '../../../src/config/load-settings.js';
import type { Settings } from '../../../src/config/settings.js';
import type { Log } from '../../../src/log.js';
import { SimulatedPacs } from '../../../src/simulate/pacs.js';
import { type Acknowledgement, scan } from '../../../src/simulate/scanner.js';
import type { StudyDetail } from '../../../src/store/status-store.js';

/** A report may have to wait for other tests' inference on a small machine. */
const PATIENCE = { timeout: 50_000, interval: 25 };

/** A temporary folder that is gone with its scope. */
export async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), 'vigil-node-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Settings for a node on free ports with its data in a folder, and `more` YAML sections. */
export function settingsIn(folder: string, more: string): Settings {
  const text = `
node: { aeTitle: VIGIL, host: 127.0.0.1, port: 0 }
storage: { folder: ./data, minFreeMb: 1 }
admin: { port: 0 }
${more}`;
  return parseSettings(text, join(folder, 'vigil.yaml'), {}).settings;
}

/** One destination, and a route that sends everything there. */
export const allTo = (pacs: SimulatedPacs, more = '') => `
completeness: { likelySeconds: 0.1, unknownSeconds: 1, studyQuietSeconds: 1 }
destinations:
  pacs: { aeTitle: PACS, host: 127.0.0.1, port: ${pacs.port}, retryFirstSeconds: 0.1, retryLongestSeconds: 0.5 }
${more}
routes:
  - { name: everything, send: { to: [pacs] } }
`;

export async function startNode(
  settings: Settings,
  log: Log = pino({ level: 'silent' }),
): Promise<App> {
  const app = await App.open(settings, log);
  await app.start();
  return app;
}

export async function startPacs(
  folder: string,
  options: Partial<ConstructorParameters<typeof SimulatedPacs>[0]> = {},
): Promise<SimulatedPacs> {
  const pacs = new SimulatedPacs({ folder: join(folder, 'pacs'), aeTitle: 'PACS', ...options });
  await pacs.start();
  return pacs;
}

export function sendTo(
  app: App,
  files: readonly Uint8Array[],
  associations = 1,
): Promise<readonly Acknowledgement[]> {
  const { dicom: port } = app.ports;
  return scan({ host: '127.0.0.1', port, calledAeTitle: 'VIGIL', associations }, files);
}

/** Resolves when the study's revision is reported and each of its deliveries is settled. */
export function untilReported(
  app: App,
  studyInstanceUid: string,
  revision = 1,
): Promise<StudyDetail> {
  return vi.waitFor(() => {
    const study = app.status.study(studyInstanceUid);
    const analysis = study?.analyses.find((one) => one.revision === revision);
    if (study === undefined || analysis?.state !== 'reported') throw new Error('not reported yet');
    if (study.deliveries.some(({ settledAt }) => settledAt === null)) {
      throw new Error('not delivered yet');
    }
    return study;
  }, PATIENCE);
}
