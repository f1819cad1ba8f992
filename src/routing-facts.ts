import { open } from 'node:fs/promises';
import { readSliceAttributes } from './dicom/slice-attributes.js';
import { answer, type SliceAttributes, type StudyFacts, WEEKDAYS } from './domain/condition.js';
import type { Finding } from './domain/finding.js';
import type { StoredInstance } from './domain/instance.js';
import {
  attributesAsked,
  decideBy,
  decideRouting,
  type RoutingDecision,
  type RoutingRules,
} from './domain/routing.js';
import type { SecondReading } from './domain/second-reading.js';
import type { SeriesStore } from './store/series-store.js';

/** An analysed study that is to be routed; `analysedAt` in milliseconds since the epoch. */
export interface RoutedStudy {
  readonly studyInstanceUid: string;
  readonly finding: Finding;
  readonly analysedAt: number;
  /** What other models have said of it so far; none where left out. */
  readonly secondReadings?: readonly SecondReading[];
}

const NOT_READ = { code: 'not-read', text: 'The slices have not been looked at' };

/**
 * What the rules say of a study. The slices' headers are read again from the stored files, and only where the rest does
 * not settle it: any attribute can be asked for, also one that no rule named when the study came, and the catalog
 * need not hold what names a patient.
 */
export async function routeStudy(
  rules: RoutingRules,
  study: RoutedStudy,
  series: SeriesStore,
): Promise<RoutingDecision> {
  const facts = factsOf(study, series);
  const decision = decideBy(rules, (atom) =>
    atom.type === 'attribute' ? NOT_READ : answer(atom, facts),
  );
  if (decision.undecided.every(({ reason }) => reason.code !== NOT_READ.code)) return decision;
  const { everySlice } = attributesAsked(rules);
  const { seriesInstanceUid } = study.finding;
  const instances =
    seriesInstanceUid === undefined
      ? series.studyInstances(study.studyInstanceUid)
      : series.instances(seriesInstanceUid);
  const ordered = [...instances].sort(byInstanceNumber);
  const slices = await readSlices(everySlice ? ordered : ordered.slice(0, 1));
  return decideRouting(rules, { ...facts, slices });
}

function factsOf(study: RoutedStudy, series: SeriesStore) {
  const { studyInstanceUid, finding, secondReadings = [] } = study;
  const at = new Date(study.analysedAt);
  const { outcome, reason, classes, model } = finding;
  return {
    outcome,
    reason,
    classes,
    model,
    secondReadings: secondReadings.map(({ reader, finding: { outcome, classes } }) => ({
      reader,
      outcome,
      classes,
    })),
    series: finding.series,
    sources: series.sources(studyInstanceUid),
    localTime: {
      weekday: WEEKDAYS[at.getDay()] ?? 'sun',
      minutes: at.getHours() * 60 + at.getMinutes(),
    },
    slices: [],
  } satisfies StudyFacts;
}

/** Without a number last, in the order of arrival. */
function byInstanceNumber(a: StoredInstance, b: StoredInstance): number {
  const number = ({ header }: StoredInstance) => header.instanceNumber ?? Number.MAX_SAFE_INTEGER;
  return number(a) - number(b);
}

/** As many as the disk takes well at a time; each waits in a thread of its own. */
const AT_A_TIME = 8;

async function readSlices(instances: readonly StoredInstance[]) {
  const slices = new Array<SliceAttributes | undefined>(instances.length);
  let next = 0;
  const reader = async (): Promise<void> => {
    while (next < instances.length) {
      const index = next++;
      slices[index] = await readSlice(instances[index]?.file ?? '');
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, reader));
  return slices;
}

/** A header rarely exceeds the first of these; bytes. */
const PREFIXES = [32 * 1024, 512 * 1024, 64 * 1024 * 1024];

/** Undefined where the file is gone or cannot be followed. */
export async function readSlice(path: string): Promise<SliceAttributes | undefined> {
  try {
    await using file = await open(path);
    for (const length of PREFIXES) {
      const { bytesRead, buffer } = await file.read(Buffer.alloc(length), 0, length, 0);
      const slice = readSliceAttributes(buffer.subarray(0, bytesRead), bytesRead < length);
      if (slice !== undefined) return slice;
      if (bytesRead < length) return undefined;
    }
  } catch {
    // What it says is unknown, and the rules say what is done then.
  }
  return undefined;
}
