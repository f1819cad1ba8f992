import type { Reason, SeriesVerdict } from './finding.js';

/**
 * In what an image contradicts what was there before it, worst first. Nobody can tell which of the two is right: what
 * came first is kept as the truth and read, what came later is kept apart and never read.
 */
const KINDS = {
  'study-patient': {
    doubt: 'unread',
    text: 'Images under this study name another patient than the first that came; they were not read',
  },
  'instance-patient': {
    doubt: 'unread',
    text: 'Images of this study came again under another patient; the first that came count',
  },
  'series-study': {
    doubt: 'unread',
    text: 'Images of two studies share a Series Instance UID; those of the later study were not read',
  },
  'instance-study': {
    doubt: 'unread',
    text: 'Images of two studies share a SOP Instance UID; those of the later study were not read',
  },
  'instance-series': {
    doubt: 'other',
    text: 'Images came again under another series of the study; the first that came were read',
  },
  'instance-bytes': {
    doubt: 'other',
    text: 'Images came again with another content; the first that came were read',
  },
  'report-refiled': {
    doubt: 'none',
    text: 'A destination files the report under another patient or study',
  },
  'instance-header': {
    doubt: 'none',
    text: 'Images came again with another header; pixels and geometry are the same',
  },
} as const satisfies Record<
  string,
  {
    /** What it says of the study's reading: that images which may be its own were not read, another doubt, or nothing. */
    readonly doubt: 'unread' | 'other' | 'none';
    readonly text: string;
  }
>;

export type ConflictKind = keyof typeof KINDS;

export const CONFLICT_KINDS = Object.keys(KINDS) as readonly ConflictKind[];

/** Whether a study that such a conflict touches can be negative no more. */
export function raisesDoubt(kind: ConflictKind): boolean {
  return KINDS[kind].doubt !== 'none';
}

/** Whether a person has to look; the others are only written down. */
export function needsSettling(kind: ConflictKind): boolean {
  return kind !== 'instance-header';
}

/** What of a study's images is in doubt, beside those that are read. */
export interface StudyConflicts {
  /** Each once, worst first; only those that raise a doubt. */
  readonly kinds: readonly ConflictKind[];
  /** When each of their images came, ms since the epoch. */
  readonly receivedAt: readonly number[];
  /** Series of which every image is kept apart. */
  readonly series: readonly SeriesVerdict[];
}

export const NO_CONFLICTS: StudyConflicts = { kinds: [], receivedAt: [], series: [] };

export function conflictReason(kind: ConflictKind): Reason {
  return { code: kind, text: KINDS[kind].text };
}

/** Why nothing of a study was read, where that is for images that are kept apart. */
export function unreadReason({ kinds }: StudyConflicts): Reason | undefined {
  const kind = kinds.find((one) => KINDS[one].doubt === 'unread');
  return kind && conflictReason(kind);
}
