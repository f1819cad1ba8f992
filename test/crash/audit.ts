import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { CATALOG_FILE, type Catalog, openCatalog } from '../../src/store/database.js';
import { StatusStore, type StudyDetail } from '../../src/store/status-store.js';
import type { SentResult } from './observed-pacs.js';
import { datasetSha256, type SmallStudy } from './small-study.js';

/** What is wrong, in one line for each thing. */
export interface StorageFaults {
  /** Acknowledged images without a row or without a file. */
  readonly lost: string[];
  /** Acknowledged images whose row or file holds other bytes than were sent. */
  readonly altered: string[];
  /** Files that no row speaks of. */
  readonly orphans: string[];
}

export interface ReportFaults {
  /** Studies whose images are all acknowledged and whose report is not at the PACS whole, with every delivery settled so. */
  readonly unreported: string[];
  /** Studies reported more than once, and results that came with other bytes or without a row. */
  readonly duplicates: string[];
}

/** SR documents (PS3.4 B.5), of which a key object selection is none that reports anything. */
const STRUCTURED_REPORTS = '1.2.840.10008.5.1.4.1.1.88.';
const KEY_OBJECT_SELECTION = '1.2.840.10008.5.1.4.1.1.88.59';

/** Compares a storage folder whose node has stopped with what its senders were told. */
export function auditStorage(
  folder: string,
  acknowledged: ReadonlyMap<string, string>,
): StorageFaults {
  const catalog = openCatalog(join(folder, CATALOG_FILE));
  try {
    const rows = new Map(
      catalog
        .prepare<[], { uid: string; sha256: string; file: string }>(
          'SELECT sop_instance_uid AS uid, sha256, file FROM instance',
        )
        .all()
        .map((row) => [row.uid, row]),
    );
    const lost: string[] = [];
    const altered: string[] = [];
    for (const [uid, sha256] of acknowledged) {
      const row = rows.get(uid);
      if (row === undefined) lost.push(`${uid}: no row`);
      else if (!existsSync(join(folder, row.file))) lost.push(`${uid}: no file`);
      else if (row.sha256 !== sha256) altered.push(`${uid}: its row is of other bytes`);
      else if (datasetSha256(readFileSync(join(folder, row.file))) !== sha256) {
        altered.push(`${uid}: its file has other bytes`);
      }
    }
    return { lost, altered, orphans: orphansIn(folder, catalog) };
  } finally {
    catalog.close();
  }
}

/** Everything but the databases that no row names. */
function orphansIn(folder: string, catalog: Catalog): string[] {
  const known = new Set(
    catalog
      .prepare<[], string>(
        `SELECT file FROM instance UNION SELECT file FROM result_object
         UNION SELECT file FROM conflict WHERE file IS NOT NULL`,
      )
      .pluck()
      .all(),
  );
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .filter((file) => file.includes('/') && !known.has(file));
}

/** Compares what a PACS was sent with the studies whose images were all acknowledged. */
export function auditReports(
  folder: string,
  studies: readonly SmallStudy[],
  results: ReadonlyMap<string, SentResult>,
): ReportFaults {
  const catalog = openCatalog(join(folder, CATALOG_FILE));
  try {
    const status = new StatusStore(catalog);
    const unreported: string[] = [];
    const duplicates: string[] = [];
    const known = new Set<string>();
    for (const { studyInstanceUid } of studies) {
      const study = status.study(studyInstanceUid);
      for (const { sopInstanceUid } of study?.objects ?? []) known.add(sopInstanceUid);
      const reports = [...results.values()].filter(
        (result) =>
          result.studyInstanceUid === studyInstanceUid &&
          result.sopClassUid.startsWith(STRUCTURED_REPORTS) &&
          result.sopClassUid !== KEY_OBJECT_SELECTION,
      );
      const missing = whyUnreported(study, results);
      if (missing !== undefined) unreported.push(`${studyInstanceUid}: ${missing}`);
      else if (reports.length === 0) unreported.push(`${studyInstanceUid}: no SR came`);
      const analyses = study?.analyses.length ?? 0;
      if (reports.length > 1 || analyses > 1) {
        duplicates.push(`${studyInstanceUid}: ${analyses} analyses, ${reports.length} SRs`);
      }
    }
    for (const [uid, { sha256 }] of results) {
      if (sha256.size > 1) duplicates.push(`${uid}: came with ${sha256.size} contents`);
      if (!known.has(uid)) duplicates.push(`${uid}: came and has no row`);
    }
    return { unreported, duplicates };
  } finally {
    catalog.close();
  }
}

/** Why a study counts as not reported; undefined where everything of it was delivered. */
function whyUnreported(
  study: StudyDetail | undefined,
  results: ReadonlyMap<string, SentResult>,
): string | undefined {
  const newest = study?.analyses.at(-1);
  if (study === undefined || newest === undefined) return 'not analysed';
  if (newest.state !== 'reported') return `analysis is ${newest.state}`;
  const { code = '' } = newest.finding?.reason ?? {};
  // A series that the kills keep meeting is given up and reported so: that is its report, and no silent end.
  if (newest.outcome === 'failed' && code !== 'analysis-cut-off')
    return `outcome is failed: ${code}`;
  if (study.deliveries.length === 0) return 'no delivery';
  const open = study.deliveries.find(({ state }) => state !== 'delivered');
  if (open) return `delivery of ${open.kind} is ${open.state}`;
  const absent = study.deliveries.find(({ sopInstanceUid }) => !results.has(sopInstanceUid));
  return absent && `${absent.kind} is said to be delivered and never came`;
}
