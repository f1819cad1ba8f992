import { statfs } from 'node:fs/promises';
import type { Operations } from './admin/api/schemas/operations.js';
import { askHealth, type Health } from './admin/health.js';
import { type Settings, targetNames } from './config/settings.js';
import type { ModelIdentity } from './domain/finding.js';
import type { SecondReaderState } from './second-readers.js';
import type { ConsoleFunctions } from './store/console-thread.js';
import type { StatusStore } from './store/status-store.js';
import type { Thread } from './thread.js';

export interface OperationsParts {
  readonly settings: () => Settings;
  readonly health: Health;
  readonly status: StatusStore;
  readonly model: ModelIdentity;
  readonly secondReaders: () => readonly SecondReaderState[];
  readonly catalog: Thread<ConsoleFunctions>;
}

/** Many may look at once: what is so young is told again. Milliseconds. */
const FRESH_MS = 3000;

/** Returns what tells how the node is and what it does. */
export function operationsReporter(parts: OperationsParts): () => Promise<Operations> {
  let last: { readonly at: number; readonly report: Promise<Operations> } | undefined;
  return () => {
    const now = Date.now();
    if (last !== undefined && now - last.at < FRESH_MS) return last.report;
    const report = askOperations(parts, now);
    last = { at: now, report };
    report.catch(() => {
      last = undefined;
    });
    return report;
  };
}

async function askOperations(parts: OperationsParts, at: number): Promise<Operations> {
  const { settings, status, catalog } = parts;
  const { storage } = settings();
  const backlog = status.backlog();
  const names = [
    ...new Set([...targetNames(settings()), ...backlog.map(({ destination }) => destination)]),
  ];
  const [{ lastSuccess, secondReadings, ...rows }, health, disk] = await Promise.all([
    catalog.call('operations', at, names),
    askHealth(parts.health),
    statfs(storage.folder),
  ]);
  return {
    at,
    ...rows,
    health: { status: health.status, checks: { ...health.checks } },
    queues: { ...status.counts() },
    disk: {
      freeBytes: disk.bavail * disk.bsize,
      totalBytes: disk.blocks * disk.bsize,
      minFreeBytes: storage.minFreeBytes,
    },
    destinations: names.map((one) => {
      const open = backlog.find(({ destination }) => destination === one);
      return {
        name: one,
        aeTitle: settings().destinations.find((known) => known.name === one)?.aeTitle ?? null,
        due: open?.due ?? 0,
        stored: open?.stored ?? 0,
        dead: open?.dead ?? 0,
        oldestAt: open?.oldestAt ?? null,
        lastError: open?.failureCode ?? null,
        lastSuccessAt: lastSuccess.find((line) => line.name === one)?.at ?? null,
      };
    }),
    model: modelOf(parts.model),
    secondReaders: parts.secondReaders().map((reader) => ({
      name: reader.name,
      model: reader.model ? modelOf(reader.model) : null,
      problem: reader.problem ?? null,
      due: secondReadings.due.find((line) => line.reader === reader.name)?.due ?? 0,
      compared: secondReadings.compared.filter((line) => line.reader === reader.name),
      contradicted: secondReadings.contradicted.filter((line) => line.reader === reader.name),
    })),
  };
}

function modelOf({ name, version, hash }: ModelIdentity) {
  return { name, version, hash };
}
