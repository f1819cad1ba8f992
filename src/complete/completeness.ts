import type { CompletionCode, CompletionReason } from '../domain/completion.js';
import { sameOrientation, slicePosition } from '../domain/geometry.js';
import type { InstanceHeader } from '../domain/instance.js';

/** How sure we are that no slice is missing; each has its own wait since the last instance. */
export type Confidence = 'proven' | 'likely' | 'unknown';

/** What is known of a series that is being received. Times are milliseconds since the epoch. */
export interface SeriesEvidence {
  readonly instances: readonly InstanceHeader[];
  /** How many instances came over an association that stands so now; each counts by the best that carried it. */
  readonly associations: {
    readonly open: number;
    readonly released: number;
    readonly broken: number;
  };
  readonly firstInstanceAt: number;
  readonly lastInstanceAt: number;
  /** SOP Instance UIDs that requests for storage commitment and ended procedure steps name as the series'. */
  readonly listed?: readonly string[];
  /** Whether a procedure step was discontinued that the series is of. */
  readonly discontinued?: boolean;
}

export interface CompletenessWaits {
  readonly likelyMs: number;
  readonly unknownMs: number;
  /** The longest time from the first instance to the decision, however many still arrive. */
  readonly capMs: number;
}

export interface Completeness {
  readonly complete: boolean;
  readonly confidence: Confidence;
  readonly reason: CompletionReason;
  /** When the same evidence becomes enough; not later than `now` where `complete`. */
  readonly dueAt: number;
}

/**
 * Whether a series is whole. DICOM has no message for "that was the last slice", so the answer is weighed from what
 * the sender says of counts, from the slices' positions and from silence.
 */
export function assessCompleteness(
  evidence: SeriesEvidence,
  waits: CompletenessWaits,
  now: number,
): Completeness {
  const { confidence, reason } = weigh(evidence);
  const wait =
    confidence === 'proven' ? 0 : confidence === 'likely' ? waits.likelyMs : waits.unknownMs;
  const quietAt = evidence.lastInstanceAt + wait;
  const capAt = evidence.firstInstanceAt + waits.capMs;
  if (capAt < quietAt && capAt <= now) {
    return { complete: true, confidence, reason: HARD_CAP, dueAt: capAt };
  }
  const dueAt = Math.min(quietAt, capAt);
  return { complete: dueAt <= now, confidence, reason, dueAt };
}

const HARD_CAP: CompletionReason = {
  code: 'hard-cap',
  text: 'The longest time for receiving a series has passed',
};

function weigh(evidence: SeriesEvidence): { confidence: Confidence; reason: CompletionReason } {
  const { instances, associations, listed, discontinued = false } = evidence;
  const count = instances.length;
  if (listed !== undefined && listed.length > 0) {
    const present = new Set(instances.map((instance) => instance.sopInstanceUid));
    const missing = listed.filter((uid) => !present.has(uid)).length;
    if (missing > 0) {
      return unknown(
        'listed-missing',
        `${missing} of ${listed.length} listed instances are missing`,
      );
    }
    // Some ask for commitment image by image, or in parts while they still send: such a list is not the whole.
    const isWhole = listed.length > 1 && listed.length === count && !discontinued;
    if (isWhole && associations.open === 0) {
      return proven('all-listed', `All ${count} instances that the sender listed are here`);
    }
  }
  const announced = announcedCount(instances);
  if (announced !== undefined && count <= announced.count) {
    return count === announced.count
      ? proven('announced-count', `All ${count} instances are here (${announced.attribute})`)
      : unknown(
          'fewer-than-announced',
          `${count} of ${announced.count} instances are here (${announced.attribute})`,
        );
  }
  if (discontinued) {
    return unknown('discontinued', 'The procedure step was discontinued');
  }
  if (associations.broken > 0) {
    return unknown('association-broken', 'An association ended without a release');
  }
  if (associations.open > 0) {
    return unknown('association-open', 'The association that sends the series is still open');
  }
  const found = findGaps(instances);
  if (found === undefined) {
    return likely('released', 'The associations were released; the instances have no positions');
  }
  const { positions, gaps } = found;
  return gaps === 0
    ? likely('released-contiguous', `${positions} positions without a gap, associations released`)
    : unknown('gaps', `${gaps} gaps between the ${positions} positions that are here`);
}

const proven = (code: CompletionCode, text: string) => ({
  confidence: 'proven' as const,
  reason: { code, text },
});
const likely = (code: CompletionCode, text: string) => ({
  confidence: 'likely' as const,
  reason: { code, text },
});
const unknown = (code: CompletionCode, text: string) => ({
  confidence: 'unknown' as const,
  reason: { code, text },
});

/**
 * The number of instances that the headers themselves announce: Number of Series Related Instances (0020,1209), else
 * Images in Acquisition (0020,1002) added up over the series' acquisitions. Announcements that contradict each other
 * count as none, and so does a single image: scanners write 1 where they mean "this image".
 */
function announcedCount(
  instances: readonly InstanceHeader[],
): { count: number; attribute: string } | undefined {
  const related = new Set(instances.map((header) => header.numberOfSeriesRelatedInstances));
  const [inSeries] = related;
  if (related.size === 1 && inSeries !== undefined && inSeries > 1) {
    return { count: inSeries, attribute: 'Number of Series Related Instances' };
  }
  const perAcquisition = new Map<number | undefined, number>();
  for (const { acquisitionNumber, imagesInAcquisition } of instances) {
    if (imagesInAcquisition === undefined || imagesInAcquisition <= 1) return undefined;
    const earlier = perAcquisition.get(acquisitionNumber);
    if (earlier !== undefined && earlier !== imagesInAcquisition) return undefined;
    perAcquisition.set(acquisitionNumber, imagesInAcquisition);
  }
  if (perAcquisition.size === 0) return undefined;
  const count = [...perAcquisition.values()].reduce((sum, images) => sum + images, 0);
  return { count, attribute: 'Images in Acquisition' };
}

/** A step this much wider than its neighbours, or than the slices are thick, has room for a missing slice. */
const GAP_RATIO = 1.6;

/**
 * How many positions along the slice normal there are and how many gaps between them, or undefined where the instances
 * have no positions. Steps are compared with their neighbours, not with one spacing: many protocols step closer at the
 * skull base.
 */
export function findGaps(
  instances: readonly InstanceHeader[],
): { readonly positions: number; readonly gaps: number } | undefined {
  const frames = instances
    .filter((instance) => !instance.imageType.includes('LOCALIZER'))
    .flatMap((instance) => instance.frames);
  const first = frames.find((frame) => frame.imageOrientationPatient)?.imageOrientationPatient;
  if (first === undefined) return undefined;
  const positions: number[] = [];
  for (const { imagePositionPatient, imageOrientationPatient } of frames) {
    if (imagePositionPatient === undefined || imageOrientationPatient === undefined) continue;
    if (!sameOrientation(imageOrientationPatient, first)) continue;
    positions.push(slicePosition(imagePositionPatient, first));
  }
  positions.sort((a, b) => a - b);
  const steps = positions
    .slice(1)
    .map((position, i) => position - (positions[i] ?? position))
    .filter((step) => step > 0.01);
  const thickness = frames.reduce(
    (thickest, { sliceThickness = 0 }) => Math.max(thickest, sliceThickness),
    0,
  );
  const gaps = steps.filter((step, i) => {
    const beside = Math.max(steps[i - 1] ?? 0, steps[i + 1] ?? 0);
    const wider = beside > 0 && step > GAP_RATIO * beside;
    return wider || (thickness > 0 && step > GAP_RATIO * thickness);
  }).length;
  return { positions: steps.length + 1, gaps };
}
