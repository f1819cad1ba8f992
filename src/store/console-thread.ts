import { workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { serveThread } from '../thread.js';
import { studyDetail } from './study-detail.js';
import { WorklistStore } from './worklist-store.js';

/**
 * The thread that reads the catalog for people: on a connection of its own that cannot write, so that no question of
 * theirs holds up a slice.
 */
const catalog = new Database(workerData as string, { readonly: true });
const worklist = new WorklistStore(catalog);

const functions = {
  search: worklist.search.bind(worklist),
  study: (studyInstanceUid: string) => studyDetail(catalog, studyInstanceUid),
  slices: worklist.slices.bind(worklist),
  slice: worklist.slice.bind(worklist),
  heatMap: worklist.heatMap.bind(worklist),
  object: worklist.object.bind(worklist),
};

export type ConsoleFunctions = typeof functions;

serveThread(functions);
