import { backoff } from '../domain/backoff.js';
import { mayLackSlices } from '../domain/completion.js';
import {
  conflictReason,
  NO_CONFLICTS,
  type StudyConflicts,
  unreadReason,
} from '../domain/conflict.js';
import { StageError } from '../domain/failure.js';
import type { Finding, ModelIdentity, Reason, SeriesVerdict } from '../domain/finding.js';
import type { StoredInstance } from '../domain/instance.js';
import { type LostTries, whySpent } from '../domain/lost-tries.js';
import type { Suspicion } from '../domain/urgency.js';
import type { Log } from '../log.js';
import { ineligibleInputHash, seriesInputHash } from './input-hash.js';

export interface AnalysisWork {
  readonly studyInstanceUid: string;
  readonly revision: number;
  /** Null where no series of the study is eligible. */
  readonly seriesInstanceUid: string | null;
  /** Why the series was taken for whole. */
  readonly triggerCode: string;
  /** Counts the attempt at hand. */
  readonly attempts: number;
}

/** What the stage needs from the catalog. */
export interface AnalysisQueue<Work extends AnalysisWork> {
  claimAnalysis(now: number, suspicion: Suspicion): Work | undefined;
  nextAnalysisAt(): number | undefined;
  /** The pixels are not those of a head CT: the study's choice is made again without the series. */
  refuseSeries(work: Work, reason: Reason): void;
  finishAnalysis(work: Work, finding: Finding, inputHash: string): void;
  retryAnalysis(work: Work, dueAt: number, code: string): void;
  /** As `retryAnalysis`, but the attempt does not count: nothing is wrong with the study. */
  postponeAnalysis(work: Work, dueAt: number, code: string): void;
  /** How often the inference process, or the whole node, was lost over a series. */
  lostTries(seriesInstanceUid: string): LostTries;
}

/** What the catalog knows of the study and the series. @throws StageError where rows are damaged for good */
export interface SeriesSource {
  verdicts(studyInstanceUid: string): readonly SeriesVerdict[];
  instances(seriesInstanceUid: string): readonly StoredInstance[];
  conflicts(studyInstanceUid: string): StudyConflicts;
}

/** What reads a series; satisfied by the inference engine. */
export interface SeriesReader {
  readonly model: ModelIdentity;
  /** Of the series whose slices it has seen while they arrived. */
  readonly suspicion: Suspicion;
  /** Why nothing can be read at the moment; undefined where it can. */
  readonly problem: string | undefined;
  analyse(series: readonly StoredInstance[], verdicts: readonly SeriesVerdict[]): Promise<Finding>;
}

/** Why an analysis without a series is `failed` and not `not-eligible`. */
export const SELECTION_FAILED: Reason = {
  code: 'selection-failed',
  text: 'The series to read could not be chosen: an error of the software',
};

/** One retry of what may be an accident. */
const ATTEMPTS = 2;
const RETRY = { baseMs: 500, capMs: 5_000 };

/**
 * One pass: reads the series of the most urgent analysis. Every claimed analysis ends in a finding. While there
 * is no inference process nothing is claimed: the studies wait until somebody says that there is one again.
 * @throws where the catalog cannot take the result: the claim is given back, and the analysis done again
 */
export async function analysisPass<Work extends AnalysisWork>(
  queue: AnalysisQueue<Work>,
  source: SeriesSource,
  reader: SeriesReader,
  log: Log,
): Promise<{ work: Work; finding?: Finding } | { dueInMs: number | undefined }> {
  if (reader.problem !== undefined) return { dueInMs: undefined };
  const now = Date.now();
  const work = queue.claimAnalysis(now, reader.suspicion);
  if (work === undefined) {
    const dueAt = queue.nextAnalysisAt();
    return { dueInMs: dueAt === undefined ? undefined : Math.max(0, dueAt - now) };
  }
  const { studyInstanceUid, revision, seriesInstanceUid, attempts } = work;
  const { verdicts, instances, conflicts, damage } = rowsOf(source, work);
  if (damage !== undefined) {
    log.error({ err: damage, studyInstanceUid, revision }, 'the rows of a study are damaged');
    const reason = { code: damage.code, text: damage.message };
    const failed = withoutAnswer('failed', reason, reader.model, verdicts);
    const finding = seriesInstanceUid === null ? failed : { ...failed, seriesInstanceUid };
    queue.finishAnalysis(work, finding, damage.code);
    return { work, finding };
  }
  if (seriesInstanceUid === null) {
    const failure =
      work.triggerCode === SELECTION_FAILED.code ? SELECTION_FAILED : unreadReason(conflicts);
    const finding = withConflicts(
      failure === undefined
        ? withoutAnswer('not-eligible', whyNothing(verdicts), reader.model, verdicts)
        : withoutAnswer('failed', failure, reader.model, verdicts),
      conflicts,
    );
    queue.finishAnalysis(work, finding, ineligibleInputHash(verdicts, conflicts.kinds));
    return { work, finding };
  }
  const inputHash = seriesInputHash(
    seriesInstanceUid,
    instances,
    conflicts.kinds,
    work.triggerCode,
  );
  const failedFor = (reason: Reason): Finding =>
    withConflicts(
      { ...withoutAnswer('failed', reason, reader.model, verdicts), seriesInstanceUid },
      conflicts,
    );
  const spent = () => whySpent(queue.lostTries(seriesInstanceUid));
  let finding: Finding;
  const before = spent();
  if (before !== undefined) {
    finding = failedFor(before);
    queue.finishAnalysis(work, finding, inputHash);
    return { work, finding };
  }
  try {
    finding = withoutFalseComfort(
      withConflicts(await reader.analyse(instances, verdicts), conflicts),
      work.triggerCode,
    );
  } catch (error) {
    const failure = error instanceof StageError ? error : undefined;
    const code = failure?.code ?? 'analysis-failed';
    log.error({ err: error, studyInstanceUid, revision, attempts, code }, 'analysis failed');
    const dueAt = Date.now() + backoff(attempts, RETRY, Math.random());
    if (code === 'inference-unavailable') {
      queue.postponeAnalysis(work, dueAt, code);
      return { work };
    }
    const why = spent();
    if (why === undefined && attempts < ATTEMPTS && failure?.failureClass !== 'permanent') {
      queue.retryAnalysis(work, dueAt, code);
      return { work };
    }
    const text = failure?.message ?? 'The series could not be read';
    finding = failedFor(why ?? { code, text });
  }
  if (finding.outcome === 'not-eligible' && finding.reason !== undefined) {
    queue.refuseSeries(work, finding.reason);
    return { work };
  }
  queue.finishAnalysis(work, finding, inputHash);
  return { work, finding };
}

/** What the catalog says of the work. A study whose rows are damaged for good fails, and holds up no other. */
function rowsOf(source: SeriesSource, work: AnalysisWork) {
  const { studyInstanceUid, seriesInstanceUid } = work;
  let verdicts: readonly SeriesVerdict[] = [];
  try {
    const conflicts = source.conflicts(studyInstanceUid);
    verdicts = [...source.verdicts(studyInstanceUid), ...conflicts.series];
    const instances = seriesInstanceUid === null ? [] : source.instances(seriesInstanceUid);
    return { verdicts, instances, conflicts };
  } catch (error) {
    if (!(error instanceof StageError)) throw error;
    return { verdicts, instances: [], conflicts: NO_CONFLICTS, damage: error };
  }
}

function withConflicts(finding: Finding, { kinds }: StudyConflicts): Finding {
  return kinds.length === 0 ? finding : { ...finding, conflicts: kinds.map(conflictReason) };
}

/**
 * Slices that never came, or that came and may be of this or another patient, may hold what the others do not: such a
 * study can be positive, but not negative.
 */
function withoutFalseComfort(finding: Finding, triggerCode: string): Finding {
  const missing = mayLackSlices(triggerCode) ? SLICES_MISSING : undefined;
  const reason = finding.conflicts?.[0] ?? missing;
  if (finding.outcome !== 'negative' || reason === undefined) return finding;
  const classes = finding.classes.map((one) =>
    one.presence === 'absent' ? { ...one, presence: 'undetermined' as const } : one,
  );
  return { ...finding, outcome: 'undetermined', reason, classes };
}

const SLICES_MISSING: Reason = {
  code: 'slices-missing',
  text: 'Nothing was found in the slices that came, but some are missing',
};

/** The finding of a study or series that was not read. */
export function withoutAnswer(
  outcome: 'not-eligible' | 'failed',
  reason: Reason,
  model: ModelIdentity,
  series: readonly SeriesVerdict[],
): Finding {
  return { outcome, reason, model, classes: [], slices: [], keySlices: [], series };
}

/** The reason of the series that came nearest: one with CT images before anything else. */
function whyNothing(verdicts: readonly SeriesVerdict[]): Reason {
  const nearest =
    verdicts
      .filter((verdict) => verdict.modality === 'CT')
      .sort((a, b) => b.instances - a.instances)[0] ?? verdicts[0];
  return nearest === undefined
    ? { code: 'no-series', text: 'The study holds no series' }
    : { code: nearest.reason.code, text: nearest.reason.text };
}
