import { parentPort, workerData } from 'node:worker_threads';
import Database from 'better-sqlite3';
import { findCatalogDamage } from './database.js';

/** The thread of `CatalogChecker`: reads the whole catalog, and posts what is wrong with it. */
const catalog = new Database(workerData as string, { readonly: true });
try {
  parentPort?.postMessage(findCatalogDamage(catalog));
} finally {
  catalog.close();
}
