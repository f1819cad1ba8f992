import type { HealthCheck, HealthReport } from './admin/health.js';
import type { Certificates } from './certificates.js';
import { type Settings, targetNames } from './config/settings.js';
import { deliveryProblems } from './domain/delivery-backlog.js';
import type { InferStage } from './infer/analyse.js';
import type { StoreScp } from './receive/store-scp.js';
import type { CatalogChecker } from './store/catalog-checker.js';
import { isCatalogDamage, isCatalogFull } from './store/database.js';
import type { Ingest } from './store/ingest.js';
import type { InstanceFiles } from './store/instance-files.js';
import type { StatusStore } from './store/status-store.js';

export interface HealthParts {
  readonly checker: CatalogChecker;
  readonly files: InstanceFiles;
  readonly ingest: Ingest;
  readonly status: StatusStore;
  readonly pipeline: { readonly failing: readonly string[] };
  readonly scp: StoreScp;
  readonly infer: InferStage;
  readonly settings: Settings;
  readonly certificates: Certificates;
  /** The file holds a configuration that was refused. */
  readonly configRefused: boolean;
}

/** Asks each part of the node, and the disk itself: what fails shows before the next scanner sends. */
export async function askNodeHealth(parts: HealthParts): Promise<HealthReport> {
  const { checker, files, ingest, status, pipeline, scp, infer, certificates, settings } = parts;
  return {
    catalog: askCatalog(checker, ingest, status),
    storage: await askStorage(files, settings.storage),
    archive: askArchive(status),
    conflicts: askConflicts(status),
    receive: when(scp.isListening, 'not listening'),
    inference: infer.problem === undefined ? { ok: true } : { ok: false, reason: infer.problem },
    pipeline: askPipeline(pipeline, status),
    deliveries: askDeliveries(status, settings),
    certificates: certificates.health,
    configuration: when(!parts.configRefused, CONFIG_REFUSED),
  };
}

const when = (ok: boolean, reason: string): HealthCheck => (ok ? { ok } : { ok, reason });

const CONFIG_REFUSED =
  'the changed file is faulty, the version before is in force: vigil check-config, or vigil config rollback';

const DAMAGED: HealthCheck = {
  ok: false,
  reason: 'catalog.db is damaged: stop the node, vigil rebuild-catalog',
};

function askCatalog(checker: CatalogChecker, ingest: Ingest, status: StatusStore): HealthCheck {
  if (checker.damage !== undefined) return DAMAGED;
  let failure = ingest.failure;
  try {
    status.counts();
  } catch (error) {
    failure = error;
  }
  if (failure === undefined) return { ok: true };
  if (isCatalogDamage(failure)) return DAMAGED;
  const why = isCatalogFull(failure) ? 'the disk is full' : (failure as Error).message;
  return { ok: false, reason: `rows cannot be committed: ${why}` };
}

async function askStorage(
  files: InstanceFiles,
  { minFreeBytes }: Settings['storage'],
): Promise<HealthCheck> {
  if ((await files.freeBytes()) < minFreeBytes) {
    return { ok: false, reason: 'free space is under its limit' };
  }
  try {
    await files.tryWriting();
    return { ok: true };
  } catch (error) {
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    return { ok: false, reason: `the storage folder takes no file (${code})` };
  }
}

function askArchive(status: StatusStore): HealthCheck {
  try {
    const { damagedFiles } = status.counts();
    return when(damagedFiles === 0, `${damagedFiles} files are damaged: vigil verify, vigil show`);
  } catch {
    return { ok: false, reason: 'the catalog cannot be read' };
  }
}

function askConflicts(status: StatusStore): HealthCheck {
  try {
    const { conflicts } = status.counts();
    return when(
      conflicts === 0,
      `${conflicts} images contradict others: vigil status, vigil show, then vigil settle`,
    );
  } catch {
    return { ok: false, reason: 'the catalog cannot be read' };
  }
}

function askDeliveries(status: StatusStore, settings: Settings): HealthCheck {
  try {
    const names = targetNames(settings);
    const problems = deliveryProblems(status.backlog(), names, Date.now());
    return when(problems.length === 0, `${problems.join('; ')}: vigil status`);
  } catch {
    return { ok: false, reason: 'the catalog cannot be read' };
  }
}

function askPipeline({ failing }: HealthParts['pipeline'], status: StatusStore): HealthCheck {
  if (failing.length > 0) {
    return { ok: false, reason: `the log says why these workers fail: ${failing.join(', ')}` };
  }
  try {
    const { analysesStuck } = status.counts();
    return when(
      analysesStuck === 0,
      `${analysesStuck} reports could not be made: vigil status, then vigil reanalyse`,
    );
  } catch {
    return { ok: false, reason: 'the catalog cannot be read' };
  }
}
