import { backoff } from '../domain/backoff.js';
import type { Finding } from '../domain/finding.js';
import type { MadeObject, NotificationObject, ResultObject } from '../domain/result-object.js';
import type { RoutingDecision } from '../domain/routing.js';
import type { Log } from '../log.js';

export interface ReportWork {
  readonly studyInstanceUid: string;
  readonly revision: number;
  readonly attempts: number;
  /** When the finding was made, ms since the epoch: the objects' date, so that a repeat gives the same bytes. */
  readonly analysedAt: number;
  readonly finding: Finding;
}

/** What the stage needs from the catalog. */
export interface ReportQueue<Work extends ReportWork, Written> {
  claimReport(now: number): Work | undefined;
  nextReportAt(): number | undefined;
  hasObject(sopInstanceUid: string): boolean;
  /** Commits objects of a report, more of which follow, each with its deliveries: they need not wait for the others. */
  advanceReport(work: Work, objects: readonly Written[], decision: RoutingDecision): void;
  /** Whether objects of the report are committed already, and may be at a PACS. */
  isAdvanced(work: Work): boolean;
  /** Commits the objects, and a delivery for each (object, destination) that the routes ask for. */
  finishReport(work: Work, objects: readonly Written[], decision: RoutingDecision): void;
  /** As `finishReport`, without illustrations; one of `finding` takes its place, where one is given. */
  finishUnillustrated(work: Work, decision: RoutingDecision, finding?: Finding): void;
  retryReport(work: Work, dueAt: number, code: string): void;
  /** As `retryReport`, but the attempt does not count: nothing is wrong with the study. */
  postponeReport(work: Work, dueAt: number, code: string): void;
  replaceFinding(work: Work, finding: Finding): void;
  markStuck(work: Work, code: string): void;
}

/** What the stage needs beside its queue. */
export interface ReportParts<Work extends ReportWork, Written> {
  readonly queue: ReportQueue<Work, Written>;
  /** What says the answer. */
  readonly composeAnswer: (work: Work) => Promise<readonly ResultObject[]>;
  /** The pictures that go with it: they take ten times as long, and the answer does not wait for them. */
  readonly composeIllustrations: (work: Work) => Promise<readonly ResultObject[]>;
  /** What channels are told of it, and of the objects that say the answer. */
  readonly notify: (work: Work, objects: readonly ResultObject[]) => Promise<NotificationObject>;
  /** Resolves when no crash can lose the object's file any more. */
  readonly write: (studyInstanceUid: string, object: MadeObject) => Promise<Written>;
  /** What the routes say of the study. @throws where the catalog cannot be read */
  readonly route: (work: Work) => Promise<RoutingDecision>;
  /** Deliveries are due. */
  readonly onAdvanced: () => void;
  readonly log: Log;
}

const ATTEMPTS = 3;
const RETRY = { baseMs: 1_000, capMs: 60_000 };

/**
 * One pass: makes the objects of the analysis that waits longest, its answer first. A finding that no answer can be made
 * of becomes a `failed` one, whose report needs no pixels; if even that cannot be made the study is marked for a person.
 * An answer that has gone out stands, with or without its illustrations.
 * @throws where the catalog cannot take the result: the claim is given back, and the work done again
 */
export async function reportPass<Work extends ReportWork, Written>(
  parts: ReportParts<Work, Written>,
): Promise<{ work: Work } | { dueInMs: number | undefined }> {
  const { queue, log } = parts;
  const now = Date.now();
  const work = queue.claimReport(now);
  if (work === undefined) {
    const dueAt = queue.nextReportAt();
    return { dueInMs: dueAt === undefined ? undefined : Math.max(0, dueAt - now) };
  }
  const decision = await parts.route(work);
  const answer = await made(parts, work, decision, async () => {
    const objects = isDropped(decision) ? [] : await parts.composeAnswer(work);
    return isNotified(decision) ? [...objects, await parts.notify(work, objects)] : objects;
  });
  if (answer === undefined) return { work };
  if (answer.length > 0) {
    queue.advanceReport(work, answer, decision);
    parts.onAdvanced();
  }
  const illustrations = await made(parts, work, decision, async () =>
    isDropped(decision) ? [] : await parts.composeIllustrations(work),
  );
  if (illustrations === undefined) return { work };
  queue.finishReport(work, illustrations, decision);
  sayWhatIsUnsent(work, decision, log);
  return { work };
}

/** Composes objects and writes those that are not there yet; undefined where that failed, and the work was put back. */
async function made<Work extends ReportWork, Written>(
  parts: ReportParts<Work, Written>,
  work: Work,
  decision: RoutingDecision,
  compose: () => Promise<readonly MadeObject[]>,
): Promise<readonly Written[] | undefined> {
  const { queue, log } = parts;
  const { studyInstanceUid, revision, attempts } = work;
  let objects: readonly MadeObject[];
  try {
    objects = await compose();
  } catch (error) {
    log.error({ err: error, studyInstanceUid, revision, attempts }, 'report could not be made');
    settleUnmade(queue, work, decision);
    return undefined;
  }
  // The same input read again gives the same objects: what the PACS has under a UID never changes.
  const missing = objects.filter(({ sopInstanceUid }) => !queue.hasObject(sopInstanceUid));
  // All come to their end, so that no write of this attempt is under way in the next one.
  const written = await Promise.allSettled(
    missing.map((object) => parts.write(studyInstanceUid, object)),
  );
  const failed = written.find((one) => one.status === 'rejected');
  if (failed === undefined) {
    return written.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  }
  // A full or failing disk says nothing about the study: it keeps its finding and waits for the disk.
  log.error(
    { err: failed.reason, studyInstanceUid, revision },
    'report could not be written; it waits',
  );
  const dueAt = Date.now() + backoff(attempts, RETRY, Math.random());
  queue.postponeReport(work, dueAt, REPORT_NOT_WRITTEN);
  return undefined;
}

/** The answer matters more than its pictures: after some attempts they are left out. */
function settleUnmade<Work extends ReportWork, Written>(
  queue: ReportQueue<Work, Written>,
  work: Work,
  decision: RoutingDecision,
): void {
  const { attempts, finding } = work;
  const withoutPictures = finding.keySlices.length > 0 ? { ...finding, keySlices: [] } : undefined;
  if (attempts < ATTEMPTS) {
    const dueAt = Date.now() + backoff(attempts, RETRY, Math.random());
    queue.retryReport(work, dueAt, REPORT_FAILED.code);
  } else if (queue.isAdvanced(work)) {
    queue.finishUnillustrated(work, decision, withoutPictures);
  } else if (withoutPictures !== undefined) {
    queue.replaceFinding(work, withoutPictures);
  } else if (finding.outcome !== 'failed') {
    queue.replaceFinding(work, {
      outcome: 'failed',
      reason: REPORT_FAILED,
      model: finding.model,
      ...(finding.seriesInstanceUid === undefined
        ? {}
        : { seriesInstanceUid: finding.seriesInstanceUid }),
      classes: [],
      slices: [],
      keySlices: [],
      series: finding.series,
      ...(finding.conflicts && { conflicts: finding.conflicts }),
    });
  } else {
    queue.markStuck(work, REPORT_FAILED.code);
  }
}

/** No route wants an object made. */
function isDropped({ withheld, deliveries }: RoutingDecision): boolean {
  if (withheld?.how !== 'drop') return false;
  return deliveries.every(({ kind }) => kind === 'original' || kind === 'notification');
}

function isNotified({ deliveries }: RoutingDecision): boolean {
  return deliveries.some(({ kind }) => kind === 'notification');
}

/** Only a negative study may be sent to nobody without a word. */
function sayWhatIsUnsent<Work extends ReportWork>(
  { studyInstanceUid, revision, finding: { outcome } }: Work,
  { undecided, withheld, deliveries }: RoutingDecision,
  log: Log,
): void {
  const study = { studyInstanceUid, revision, outcome };
  for (const { route, reason } of undecided) {
    log.error({ ...study, route, code: reason.code }, 'it cannot be said whether a route holds');
  }
  if (deliveries.length > 0 || outcome === 'negative') return;
  if (withheld === undefined) log.warn(study, 'no route holds: nothing of the study is sent');
  else
    log.warn({ ...study, route: withheld.route, how: withheld.how }, 'a route withholds the study');
}

const REPORT_NOT_WRITTEN = 'report-not-written';

const REPORT_FAILED = {
  code: 'report-failed',
  text: 'The series was read but its report could not be made',
};
