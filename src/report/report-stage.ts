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
  /** Commits the objects, and a delivery for each (object, destination) that the routes ask for. */
  finishReport(work: Work, objects: readonly Written[], decision: RoutingDecision): void;
  retryReport(work: Work, dueAt: number, code: string): void;
  /** As `retryReport`, but the attempt does not count: nothing is wrong with the study. */
  postponeReport(work: Work, dueAt: number, code: string): void;
  replaceFinding(work: Work, finding: Finding): void;
  markStuck(work: Work, code: string): void;
}

/** What the stage needs beside its queue. */
export interface ReportParts<Work extends ReportWork, Written> {
  readonly queue: ReportQueue<Work, Written>;
  readonly compose: (work: Work) => Promise<readonly ResultObject[]>;
  /** What channels are told of it. */
  readonly notify: (work: Work) => Promise<NotificationObject>;
  /** Resolves when no crash can lose the object's file any more. */
  readonly write: (studyInstanceUid: string, object: MadeObject) => Promise<Written>;
  /** What the routes say of the study. @throws where the catalog cannot be read */
  readonly route: (work: Work) => Promise<RoutingDecision>;
  readonly log: Log;
}

const ATTEMPTS = 3;
const RETRY = { baseMs: 1_000, capMs: 60_000 };

/**
 * One pass: makes the objects of the analysis that waits longest. A finding that no report can be made of becomes a
 * `failed` one, whose report needs no pixels; if even that cannot be made the study is marked for a person.
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
  const { studyInstanceUid, revision, attempts, finding } = work;
  const decision = await parts.route(work);
  let objects: readonly MadeObject[];
  try {
    objects = [
      ...(isDropped(decision) ? [] : await parts.compose(work)),
      ...(isNotified(decision) ? [await parts.notify(work)] : []),
    ];
  } catch (error) {
    log.error({ err: error, studyInstanceUid, revision, attempts }, 'report could not be made');
    if (attempts < ATTEMPTS) {
      const dueAt = Date.now() + backoff(attempts, RETRY, Math.random());
      queue.retryReport(work, dueAt, REPORT_FAILED.code);
    } else if (finding.keySlices.length > 0) {
      // The answer matters more than its pictures: the next attempts leave these out.
      queue.replaceFinding(work, { ...finding, keySlices: [] });
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
    return { work };
  }
  const written: Written[] = [];
  try {
    for (const object of objects) {
      // The same input read again gives the same objects: what the PACS has under a UID never changes.
      if (queue.hasObject(object.sopInstanceUid)) continue;
      written.push(await parts.write(studyInstanceUid, object));
    }
  } catch (error) {
    // A full or failing disk says nothing about the study: it keeps its finding and waits for the disk.
    log.error({ err: error, studyInstanceUid, revision }, 'report could not be written; it waits');
    const dueAt = Date.now() + backoff(attempts, RETRY, Math.random());
    queue.postponeReport(work, dueAt, REPORT_NOT_WRITTEN);
    return { work };
  }
  queue.finishReport(work, written, decision);
  sayWhatIsUnsent(work, decision, log);
  return { work };
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
