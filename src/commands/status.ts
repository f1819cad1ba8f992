import { type CatalogCounts, StatusStore } from '../store/status-store.js';
import { withCatalog } from './catalog.js';
import { EXIT } from './exit-codes.js';
import { table, when } from './text.js';

const LINES: readonly (readonly [keyof CatalogCounts, string])[] = [
  ['seriesReceiving', 'series being received'],
  ['studiesToChoose', 'studies waiting for the choice of a series'],
  ['analysesDue', 'analyses waiting or running'],
  ['reportsDue', 'reports to be made'],
  ['deliveriesDue', 'deliveries waiting or under way'],
  ['deliveriesDead', 'deliveries given up (vigil resend)'],
  ['analysesStuck', 'reports that could not be made'],
  ['conflicts', 'conflicts'],
  ['damagedFiles', 'damaged files (vigil verify)'],
  ['orphanFiles', 'files that no row names (vigil verify)'],
];

/** `vigil status`: the queues, and the studies that came last. */
export async function runStatus(options: {
  config: string;
  json: boolean;
  limit: number;
}): Promise<number> {
  const { counts, verified, studies } = await withCatalog(options.config, (catalog) => {
    const status = new StatusStore(catalog);
    return {
      counts: status.counts(),
      verified: status.lastVerification() ?? null,
      studies: status.recentStudies(options.limit),
    };
  });
  if (options.json) {
    console.log(JSON.stringify({ counts, verified, studies }));
    return EXIT.done;
  }
  console.log(table(LINES.map(([key, text]) => [String(counts[key]).padStart(6), text])));
  if (verified !== null) {
    const { finishedAt, startedAt, files } = verified;
    const state = finishedAt === null ? `under way since ${when(startedAt)}` : when(finishedAt);
    console.log(`\nfiles last verified: ${state}, ${files} files`);
  }
  if (studies.length === 0) return EXIT.done;
  const rows = studies.map((study) => [
    when(study.lastInstanceAt),
    study.outcome ?? study.state ?? 'not read yet',
    String(study.revision ?? '-'),
    String(study.instances),
    study.callingAeTitle,
    study.studyInstanceUid,
  ]);
  const head = ['LAST SLICE', 'OUTCOME', 'REV', 'IMAGES', 'FROM', 'STUDY INSTANCE UID'];
  console.log(`\n${table([head, ...rows])}`);
  return EXIT.done;
}
