import type { Reason } from '../domain/finding.js';
import type { Selection, SelectionWork } from '../domain/selection.js';
import type { Log } from '../log.js';
import { SELECTION_FAILED } from './analysis-stage.js';
import { chooseSeries } from './choose-series.js';
import { ineligibleInputHash, seriesInputHash } from './input-hash.js';
import { type RevisionWaits, revisionDueAt } from './revision-wait.js';

/** What the stage needs from the catalog. */
export interface SelectionQueue {
  nextSelection(now: number): SelectionWork | { readonly dueAt: number | undefined };
  settleSelection(work: SelectionWork, selection: Selection): void;
}

export interface SelectionWaits extends RevisionWaits {
  /** Silence in the whole study before a second choice is read, or none. Milliseconds. */
  readonly studyQuietMs: number;
}

/** A wait that is over without a decision is looked at again after this. */
const LOOK_AGAIN_MS = 1_000;

/**
 * One pass: chooses the series to read of the study that waits longest. A study that cannot be chosen from becomes a
 * `failed` analysis, so that it is seen and holds up no other.
 */
export function selectionPass(
  queue: SelectionQueue,
  waits: SelectionWaits,
  log: Log,
  now = Date.now(),
): { selection: Selection } | { dueInMs: number | undefined } {
  const work = queue.nextSelection(now);
  if (!('series' in work)) {
    return { dueInMs: work.dueAt === undefined ? undefined : Math.max(0, work.dueAt - now) };
  }
  let selection: Selection;
  try {
    selection = select(work, waits, now);
  } catch (error) {
    const { studyInstanceUid } = work;
    log.error({ err: error, studyInstanceUid }, 'no series could be chosen');
    selection = {
      type: 'analyse',
      seriesInstanceUid: null,
      inputHash: SELECTION_FAILED.code,
      trigger: SELECTION_FAILED,
      verdicts: [],
    };
  }
  queue.settleSelection(work, selection);
  return { selection };
}

function select(work: SelectionWork, waits: SelectionWaits, now: number): Selection {
  if (work.damage !== undefined) throw work.damage;
  const quietAt = work.lastInstanceAt + waits.studyQuietMs;
  const refused = new Map(
    work.series.flatMap(({ seriesInstanceUid, refusal }) =>
      refusal === undefined ? [] : [[seriesInstanceUid, refusal] as const],
    ),
  );
  const choice = chooseSeries({
    series: work.series,
    quiet: quietAt <= now,
    refused,
    ...(work.latestAnalysis && { analysed: work.latestAnalysis.seriesInstanceUid }),
  });
  if (choice.type === 'wait') {
    return { type: 'wait', until: Math.max(quietAt, now + LOOK_AGAIN_MS) };
  }
  const { seriesInstanceUid, verdicts } = choice;
  const chosen = work.series.find((series) => series.seriesInstanceUid === seriesInstanceUid);
  const inputHash =
    chosen === undefined
      ? ineligibleInputHash(verdicts, work.conflicts.kinds)
      : seriesInputHash(
          chosen.seriesInstanceUid,
          chosen.instances,
          work.conflicts.kinds,
          chosen.completion?.code,
        );
  if (inputHash === work.latestAnalysis?.inputHash) return { type: 'keep', verdicts };
  const came = (chosen?.instances ?? []).map(({ receivedAt }) => receivedAt);
  const dueAt = revisionDueAt(work, [...came, ...work.conflicts.receivedAt], waits);
  if (dueAt > now) return { type: 'wait', until: dueAt };
  const trigger = chosen?.completion ?? NONE_ELIGIBLE;
  return { type: 'analyse', seriesInstanceUid, inputHash, trigger, verdicts };
}

const NONE_ELIGIBLE: Reason = {
  code: 'none-eligible',
  text: 'The study has gone quiet and none of its series is eligible',
};
