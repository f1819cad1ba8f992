import type { InstanceReference } from './commitment.js';

/** Performed Procedure Step Status (0040,0252); the last two are final. */
export type StepState = 'in-progress' | 'completed' | 'discontinued';

/** An item of Performed Series Sequence (0040,0340). */
export interface PerformedSeries {
  readonly seriesInstanceUid: string;
  /** Images and other composite objects, each SOP Instance UID once. */
  readonly instances: readonly InstanceReference[];
}

/** What one message says of a step (PS3.4 Table F.7.2-1); absent is what it leaves as it was. */
export interface StepChange {
  readonly state?: StepState;
  /** Set where it gives the date and the time of the end. */
  readonly hasEnd?: boolean;
  /** All series of the step so far, not only new ones. */
  readonly series?: readonly PerformedSeries[];
}

export interface NewStep extends StepChange {
  readonly sopInstanceUid: string;
  readonly studyInstanceUid: string;
  readonly callingAeTitle: string;
}

/** How a step stands; `series` counts them. */
export interface StepStanding {
  readonly state: StepState;
  readonly hasEnd: boolean;
  readonly series: number;
}

/** Why a change is not taken: the step is in a final state, or would be without what such a state requires. */
export type StepRefusal = 'final' | 'no-end' | 'no-series';

/** How a step stands after a change (PS3.4 F.7.2.2 and the final state of Table F.7.2-1), or why it is not taken. */
export function standingAfter(now: StepStanding, change: StepChange): StepStanding | StepRefusal {
  if (now.state !== 'in-progress') return 'final';
  const next = {
    state: change.state ?? now.state,
    hasEnd: now.hasEnd || change.hasEnd === true,
    series: change.series?.length ?? now.series,
  };
  if (next.state !== 'in-progress' && !next.hasEnd) return 'no-end';
  // What was discontinued may have come to no series.
  if (next.state === 'completed' && next.series === 0) return 'no-series';
  return next;
}
