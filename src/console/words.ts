import type { Outcome, StudyState, StudySummary } from '../admin/api/schemas/studies.js';

type Urgency = NonNullable<StudySummary['urgency']>;

/** What a person has to hear of first, as the node itself ranks it. */
export const OUTCOMES: readonly Outcome[] = [
  'positive',
  'undetermined',
  'failed',
  'not-eligible',
  'negative',
];

/** For a cell of a table: what was not analysed says so first. */
export const OUTCOME_WORDS: Readonly<Record<Outcome, string>> = {
  positive: 'Positive',
  undetermined: 'Undetermined',
  failed: 'Not analysed: failed',
  'not-eligible': 'Not analysed: not eligible',
  negative: 'Negative',
};

/** The same for an outcome that came as text; what is not known here stays as it is. */
export function outcomeWord(outcome: string): string {
  return Object.hasOwn(OUTCOME_WORDS, outcome) ? OUTCOME_WORDS[outcome as Outcome] : outcome;
}

/** The headlines of the reports, word by word. */
export const HEADLINES: Readonly<Record<Outcome, string>> = {
  positive: 'Suspected intracranial hemorrhage',
  negative: 'No intracranial hemorrhage detected',
  undetermined: 'Undetermined: a reader has to decide',
  'not-eligible': 'NOT ANALYSED: no suitable series',
  failed: 'NOT ANALYSED: the analysis failed',
};

/** The caveats of the reports, word by word. */
export const CAVEATS: Readonly<Record<Outcome, string>> = {
  positive: 'The algorithm can be wrong; the images decide.',
  negative: 'The algorithm can miss a hemorrhage; this does not exclude one.',
  undetermined: 'This is neither a positive nor a negative result.',
  'not-eligible': 'This is not a negative result.',
  failed: 'This is not a negative result.',
};

const CLASS_WORDS: Readonly<Record<string, string>> = {
  epidural: 'Epidural',
  intraparenchymal: 'Intraparenchymal',
  intraventricular: 'Intraventricular',
  subarachnoid: 'Subarachnoid',
  subdural: 'Subdural',
  any: 'Any hemorrhage',
};

export const classWord = (name: string): string => CLASS_WORDS[name] ?? name;

export const URGENCY_WORDS: Readonly<Record<Urgency, string>> = {
  immediate: 'Immediate',
  prompt: 'Prompt',
  routine: 'Routine',
};

export const STATE_WORDS: Readonly<Record<StudyState, string>> = {
  receiving: 'Receiving',
  waiting: 'Waiting for analysis',
  analysing: 'Being analysed',
  reporting: 'Report being made',
  reported: 'Reported',
  stuck: 'Stuck: a person has to look',
};

const OBJECT_WORDS: Readonly<Record<string, string>> = {
  sr: 'Structured Report (3D)',
  'comprehensive-sr': 'Structured Report',
  heatmap: 'Grad-CAM picture',
  summary: 'Summary page',
  'key-objects': 'Key Object Selection',
  original: 'Original image',
};

export const objectWord = (kind: string): string => OBJECT_WORDS[kind] ?? kind;

/** A probability in percent that never claims certainty, as the reports give it, with spaces that do not break. */
export function percent(probability: number): string {
  if (probability >= 0.995) return '>\u00a099\u00a0%';
  if (probability < 0.005) return '<\u00a01\u00a0%';
  return `${Math.round(probability * 100)}\u00a0%`;
}

/** A counted share in percent: unlike a probability it can be all or none. */
export function shareText(share: number): string {
  return `${Math.round(share * 100)}\u00a0%`;
}

export function count(number: number, one: string, many = `${one}s`): string {
  return `${number.toLocaleString('en')} ${number === 1 ? one : many}`;
}

const UNITS = ['B', 'KB', 'MB', 'GB', 'TB'];

export function bytes(size: number): string {
  const step = Math.min(UNITS.length - 1, Math.max(0, Math.floor(Math.log10(size || 1) / 3)));
  const scaled = size / 1000 ** step;
  return `${scaled < 10 && step > 0 ? scaled.toFixed(1) : Math.round(scaled)} ${UNITS[step]}`;
}
