import { backoff } from '../domain/backoff.js';
import { StageError } from '../domain/failure.js';
import type { Finding } from '../domain/finding.js';
import type { StoredInstance } from '../domain/instance.js';
import type { Log } from '../log.js';
import { type SeriesReader, withoutAnswer } from './analysis-stage.js';

export interface SecondReadingWork {
  /** The name of the reader in the configuration. */
  readonly reader: string;
  /** Counts the attempt at hand. */
  readonly attempts: number;
  readonly report: {
    readonly studyInstanceUid: string;
    readonly seriesInstanceUid: string;
    readonly revision: number;
  };
}

/** What the stage needs from the catalog. */
export interface SecondReadingQueue<Work extends SecondReadingWork> {
  /** Whether a study waits for the model that decides. */
  isTriageWaiting(now: number): boolean;
  claim(reader: string, now: number): Work | undefined;
  nextAt(reader: string): number | undefined;
  retry(work: Work, dueAt: number): void;
  postpone(work: Work, dueAt: number): void;
}

export interface SecondReadingParts<Work extends SecondReadingWork> {
  readonly name: string;
  readonly queue: SecondReadingQueue<Work>;
  readonly instances: (seriesInstanceUid: string) => readonly StoredInstance[];
  readonly reader: Pick<SeriesReader, 'model' | 'problem' | 'analyse'>;
  /** Keeps the answer. @throws where the catalog or the disk cannot take it: the series is read again */
  readonly finish: (work: Work, finding: Finding) => Promise<void>;
  readonly log: Log;
}

/** One retry of what may be an accident. */
const ATTEMPTS = 2;
const RETRY = { baseMs: 1_000, capMs: 60_000 };
/** While triage has work, this looks again after so long. */
const YIELD_MS = 1_000;

/**
 * One pass of a model that reads what is reported already: the oldest series that waits for it, while no study waits for
 * the model that decides. Nothing of the report depends on it. Every claimed reading ends in a finding.
 */
export async function secondReadingPass<Work extends SecondReadingWork>(
  parts: SecondReadingParts<Work>,
): Promise<{ work: Work; finding?: Finding } | { dueInMs: number | undefined }> {
  const { name, queue, reader, log } = parts;
  if (reader.problem !== undefined) return { dueInMs: undefined };
  const now = Date.now();
  const dueAt = queue.nextAt(name);
  if (dueAt === undefined) return { dueInMs: undefined };
  if (dueAt > now) return { dueInMs: dueAt - now };
  if (queue.isTriageWaiting(now)) return { dueInMs: YIELD_MS };
  const work = queue.claim(name, now);
  if (work === undefined) return { dueInMs: 0 };
  const { seriesInstanceUid, studyInstanceUid, revision } = work.report;
  let finding: Finding;
  try {
    const instances = parts.instances(seriesInstanceUid);
    finding = { ...(await reader.analyse(instances, [])), series: [], keySlices: [] };
  } catch (error) {
    const failure = error instanceof StageError ? error : undefined;
    const code = failure?.code ?? 'analysis-failed';
    const about = { studyInstanceUid, revision, reader: name, attempts: work.attempts, code };
    log.error({ err: error, ...about }, 'a second reader could not read a series');
    const again = Date.now() + backoff(work.attempts, RETRY, Math.random());
    if (code === 'inference-unavailable') {
      queue.postpone(work, again);
      return { work };
    }
    if (work.attempts < ATTEMPTS && failure?.failureClass !== 'permanent') {
      queue.retry(work, again);
      return { work };
    }
    const reason = { code, text: failure?.message ?? 'The series could not be read' };
    finding = { ...withoutAnswer('failed', reason, reader.model, []), seriesInstanceUid };
  }
  await parts.finish(work, finding);
  return { work, finding };
}
