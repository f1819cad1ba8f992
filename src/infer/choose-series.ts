import type { Reason, SeriesVerdict } from '../domain/finding.js';
import type { InstanceHeader } from '../domain/instance.js';
import {
  compareClass,
  compareQuality,
  isPreferred,
  judgeSeries,
  type SeriesQuality,
} from './eligibility.js';
import { REASONS } from './reasons.js';

/** A series of the study, as far as it has arrived. */
export interface SeriesToChoose {
  readonly seriesInstanceUid: string;
  /** Whether all its slices are believed to be here. */
  readonly complete: boolean;
  readonly instances: readonly { readonly header: InstanceHeader }[];
}

export interface StudyToChooseFrom {
  readonly series: readonly SeriesToChoose[];
  /** Whether nothing has come for the study for as long as a scanner pauses between its series. */
  readonly quiet: boolean;
  /** The series of the latest analysis, if there is one; null where none was eligible. */
  readonly analysed?: string | null;
  /** Series that were read and whose pixels were not those of a head, and why. */
  readonly refused?: ReadonlyMap<string, Reason>;
}

/**
 * `analyse`: read this series, or report that none is eligible (null). It may be the one that was read before: the same
 * slices need no second analysis. `wait`: look again when another series is whole, or when the study is quiet.
 */
export type Choice =
  | {
      readonly type: 'analyse';
      readonly seriesInstanceUid: string | null;
      readonly verdicts: readonly SeriesVerdict[];
    }
  | { readonly type: 'wait'; readonly for: 'series' | 'quiet' };

interface Candidate {
  readonly series: SeriesToChoose;
  readonly quality: SeriesQuality;
}

/**
 * Chooses the series to read. One that is preferred is read as soon as it is whole, unless a series of a better class
 * is still arriving; a second choice waits until the study is quiet. A later series takes the place of the one that was
 * read only where it is of a better class, so that reports do not follow one another for small differences.
 */
export function chooseSeries(study: StudyToChooseFrom): Choice {
  const candidates = candidatesOf(study);
  const whole = candidates.filter(({ series }) => series.complete);
  const arriving = candidates.filter(({ series }) => !series.complete);
  const best = [...whole].sort((a, b) => compareQuality(a.quality, b.quality))[0];
  if (!best) {
    if (arriving.length > 0) return { type: 'wait', for: 'series' };
    if (!study.quiet) return { type: 'wait', for: 'quiet' };
    return { type: 'analyse', seriesInstanceUid: null, verdicts: verdictsOf(study, undefined) };
  }
  const reopened = arriving.find(({ series }) => series.seriesInstanceUid === study.analysed);
  if (reopened && compareClass(best.quality, reopened.quality) >= 0) {
    return { type: 'wait', for: 'series' };
  }
  const read = whole.find(({ series }) => series.seriesInstanceUid === study.analysed);
  const chosen = read && compareClass(best.quality, read.quality) >= 0 ? read : best;
  const rivals = arriving.some(({ quality }) => compareClass(quality, chosen.quality) < 0);
  if (chosen !== read && !study.quiet && (rivals || !isPreferred(chosen.quality))) {
    return { type: 'wait', for: rivals ? 'series' : 'quiet' };
  }
  const { seriesInstanceUid } = chosen.series;
  return { type: 'analyse', seriesInstanceUid, verdicts: verdictsOf(study, seriesInstanceUid) };
}

function candidatesOf({ series, refused }: StudyToChooseFrom): Candidate[] {
  return series.flatMap((one) => {
    if (refused?.has(one.seriesInstanceUid)) return [];
    const judgement = judgeSeries(one.instances, one.complete);
    return judgement.eligible ? [{ series: one, quality: judgement.quality }] : [];
  });
}

function verdictsOf(study: StudyToChooseFrom, chosen: string | undefined): SeriesVerdict[] {
  return study.series.map(({ seriesInstanceUid, complete, instances }) => {
    const header = instances[0]?.header;
    const about = {
      seriesInstanceUid,
      ...(header?.seriesNumber !== undefined && { seriesNumber: header.seriesNumber }),
      ...(header?.modality !== undefined && { modality: header.modality }),
      instances: instances.length,
    };
    const refused = study.refused?.get(seriesInstanceUid);
    if (refused) return { ...about, verdict: 'not-eligible', reason: refused };
    const judgement = judgeSeries(instances, complete);
    if (!judgement.eligible) return { ...about, verdict: 'not-eligible', reason: judgement.reason };
    if (seriesInstanceUid === chosen)
      return { ...about, verdict: 'analysed', reason: REASONS.analysed };
    const reason = complete ? REASONS.eligible : REASONS['still-arriving'];
    return { ...about, verdict: 'eligible', reason };
  });
}
