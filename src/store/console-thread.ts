import { workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { serveThread } from '../thread.js';
import { LiveChanges } from './live-changes.js';
import { OperationsStore } from './operations-store.js';
import { studyDetail } from './study-detail.js';
import { WorklistStore } from './worklist-store.js';

/**
 * The thread that reads the catalog for people: on a connection of its own that cannot write, so that no question of
 * theirs holds up a slice.
 */
const catalog = new Database(workerData as string, { readonly: true });
const worklist = new WorklistStore(catalog);
const operations = new OperationsStore(catalog);
const changes = new LiveChanges(catalog);

const functions = {
  search: worklist.search.bind(worklist),
  study: (studyInstanceUid: string) => studyDetail(catalog, studyInstanceUid),
  slices: worklist.slices.bind(worklist),
  slice: worklist.slice.bind(worklist),
  heatMap: worklist.heatMap.bind(worklist),
  object: worklist.object.bind(worklist),
  operations: operations.report.bind(operations),
  changesNow: changes.now.bind(changes),
  nextChanges: changes.next.bind(changes),
  changesSince: changes.since.bind(changes),
};

export type ConsoleFunctions = typeof functions;

serveThread(functions);
