import { targetNames } from '../config/settings.js';
import type { DestinationBacklog } from '../domain/delivery-backlog.js';
import { routeNames } from '../domain/routing.js';
import { ConflictStore, type OpenConflict } from '../store/conflict-store.js';
import {
  type CatalogCounts,
  type DeadLetter,
  type LastVerification,
  StatusStore,
  type StudyLine,
} from '../store/status-store.js';
import { withCatalog } from './catalog.js';
import { EXIT } from './exit-codes.js';
import { outcomeText, table, when } from './text.js';

const LINES: readonly (readonly [keyof CatalogCounts, string])[] = [
  ['seriesReceiving', 'series being received'],
  ['studiesToChoose', 'studies waiting for the choice of a series'],
  ['analysesDue', 'analyses waiting or running'],
  ['reportsDue', 'reports to be made'],
  ['deliveriesDue', 'deliveries waiting or under way'],
  ['deliveriesUnproven', 'deliveries answered with success, to be found at the destination'],
  ['deliveriesDead', 'deliveries given up (vigil resend)'],
  ['commitmentsDue', 'storage commitments to be reported to scanners'],
  ['commitmentsDead', 'storage commitments that could not be reported'],
  ['analysesStuck', 'reports that could not be made'],
  ['conflicts', 'images in conflict (vigil show, then vigil settle)'],
  ['damagedFiles', 'damaged files (vigil verify)'],
  ['orphanFiles', 'files that no row names (vigil verify)'],
];

/** `vigil status`: the queues, what is wrong with the deliveries, and the studies that came last. */
export async function runStatus(options: {
  config: string;
  json: boolean;
  limit: number;
}): Promise<number> {
  const status = await withCatalog(options.config, (catalog, settings) => {
    const store = new StatusStore(catalog);
    const destinations = new Set(targetNames(settings));
    const routes = new Set(routeNames(settings.routing));
    return {
      counts: store.counts(),
      verified: store.lastVerification() ?? null,
      destinations: store
        .backlog()
        .map((line) => ({ ...line, configured: destinations.has(line.destination) })),
      goneRoutes: store.openRoutes().filter(({ route }) => !routes.has(route)),
      deadLetters: store.deadLetters(options.limit),
      conflicts: new ConflictStore(catalog, settings.storage.folder).open(options.limit),
      studies: store.recentStudies(options.limit),
    };
  });
  if (options.json) {
    console.log(JSON.stringify(status));
    return EXIT.done;
  }
  const { counts } = status;
  const sections = [
    table(LINES.map(([key, text]) => [String(counts[key]).padStart(6), text])),
    verifiedText(status.verified),
    destinationsText(status.destinations),
    ...status.goneRoutes.map(
      ({ route, destination, deliveries }) =>
        `Route ${route} is gone from the configuration; ${deliveries} that it asked for still go to ${destination}.`,
    ),
    deadLettersText(status.deadLetters, counts.deliveriesDead),
    conflictsText(status.conflicts),
    studiesText(status.studies),
  ];
  console.log(sections.filter((text) => text !== '').join('\n\n'));
  return EXIT.done;
}

function verifiedText(verified: LastVerification | null): string {
  if (verified === null) return '';
  const { finishedAt, startedAt, files } = verified;
  const state = finishedAt === null ? `under way since ${when(startedAt)}` : when(finishedAt);
  return `files last verified: ${state}, ${files} files`;
}

function destinationsText(
  lines: readonly (DestinationBacklog & { readonly configured: boolean })[],
): string {
  if (lines.length === 0) return '';
  const rows = lines.map((line) => [
    line.destination,
    String(line.due),
    String(line.stored),
    String(line.dead),
    when(line.oldestAt),
    [line.configured ? '' : 'NOT CONFIGURED', line.failureCode ?? ''].filter(Boolean).join(', '),
  ]);
  return table([['DESTINATION', 'DUE', 'UNPROVEN', 'DEAD', 'OLDEST', ''], ...rows]);
}

function deadLettersText(letters: readonly DeadLetter[], all: number): string {
  if (letters.length === 0) return '';
  const rows = letters.map((letter) => [
    when(letter.settledAt),
    letter.destination,
    letter.kind,
    outcomeText(letter),
    String(letter.attempts),
    letter.studyInstanceUid,
  ]);
  const head = ['GIVEN UP', 'DESTINATION', 'OBJECT', 'WHY', 'ATTEMPTS', 'STUDY INSTANCE UID'];
  const more = all > letters.length ? `\n… and ${all - letters.length} more (--limit)` : '';
  return `${table([head, ...rows])}${more}`;
}

function conflictsText(conflicts: readonly OpenConflict[]): string {
  if (conflicts.length === 0) return '';
  const rows = conflicts.map(({ since, kind, images, studyInstanceUid }) => [
    when(since),
    kind,
    String(images),
    studyInstanceUid,
  ]);
  return table([['IN CONFLICT', 'KIND', 'IMAGES', 'STUDY INSTANCE UID'], ...rows]);
}

function studiesText(studies: readonly StudyLine[]): string {
  if (studies.length === 0) return '';
  const rows = studies.map((study) => [
    when(study.lastInstanceAt),
    `${study.outcome ?? study.state ?? 'not read yet'}${study.conflict ? ', CONFLICT' : ''}`,
    String(study.revision ?? '-'),
    String(study.instances),
    study.callingAeTitle,
    study.studyInstanceUid,
    study.unsent === null ? '' : `NOT SENT, ${study.unsent}`,
  ]);
  const head = ['LAST SLICE', 'OUTCOME', 'REV', 'IMAGES', 'FROM', 'STUDY INSTANCE UID', ''];
  return table([head, ...rows]);
}
