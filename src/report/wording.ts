import {
  CLASSES,
  type ClassName,
  type ClassResult,
  type Finding,
  type KeySlice,
  type Outcome,
  type SeriesVerdict,
} from '../domain/finding.js';
import { percent } from '../domain/percent.js';

/** What a person reads first, in the report and on the summary page. */
export const HEADLINES: Readonly<Record<Outcome, string>> = {
  positive: 'Suspected intracranial hemorrhage',
  negative: 'No intracranial hemorrhage detected',
  undetermined: 'Undetermined: a reader has to decide',
  'not-eligible': 'NOT ANALYSED: no suitable series',
  failed: 'NOT ANALYSED: the analysis failed',
};

/** Said wherever an answer could be taken for more than it is. */
export const CAVEATS: Readonly<Record<Outcome, string>> = {
  positive: 'The algorithm can be wrong; the images decide.',
  negative: 'The algorithm can miss a hemorrhage; this does not exclude one.',
  undetermined: 'This is neither a positive nor a negative result.',
  'not-eligible': 'This is not a negative result.',
  failed: 'This is not a negative result.',
};

/** What readers call the classes; the codes' meanings are those of their schemes. */
export const CLASS_NAMES: Readonly<Record<ClassName, string>> = {
  epidural: 'Epidural hemorrhage',
  intraparenchymal: 'Intraparenchymal hemorrhage',
  intraventricular: 'Intraventricular hemorrhage',
  subarachnoid: 'Subarachnoid hemorrhage',
  subdural: 'Subdural hemorrhage',
  any: 'Intracranial hemorrhage',
};

export function anyHemorrhage(finding: Finding): ClassResult | undefined {
  return finding.classes.find(({ name }) => name === 'any');
}

/** The impression: the answer, its certainty, where to look, and what it is for, in whole sentences. */
export function impression(
  finding: Finding,
  researchText: string,
  keySliceNumbers: readonly string[],
): string {
  const { outcome, reason, conflicts = [] } = finding;
  const sentences = [`${HEADLINES[outcome]}${answer(finding)}.`];
  if (reason) sentences.push(`Reason: ${reason.text} (${reason.code}).`);
  for (const { code, text } of conflicts) {
    if (code !== reason?.code) sentences.push(`Conflict: ${text} (${code}).`);
  }
  if (keySliceNumbers.length > 0) sentences.push(`Key slices: ${keySliceNumbers.join('; ')}.`);
  sentences.push(CAVEATS[outcome], researchText);
  return sentences.join(' ');
}

function answer(finding: Finding): string {
  const any = anyHemorrhage(finding);
  if (!any) return '';
  const subtypes = finding.classes
    .filter(({ name, presence }) => name !== 'any' && presence === 'present')
    .sort((a, b) => b.probability - a.probability)
    .map(({ name, probability }) => `${name} ${percent(probability)}`);
  const listed = subtypes.length > 0 ? `: ${subtypes.join(', ')}` : '';
  return `${listed}; probability of any hemorrhage ${percent(any.probability)}`;
}

/** The type that is most probable in a slice, where the slice was picked for any hemorrhage. */
export function leadingType(finding: Finding, keySlice: KeySlice): string | undefined {
  const slice = finding.slices[keySlice.index];
  if (keySlice.className !== 'any' || !slice) return undefined;
  const [leading] = CLASSES.map((name, i) => ({ name, probability: slice.probabilities[i] ?? 0 }))
    .filter(({ name }) => name !== 'any')
    .sort((a, b) => b.probability - a.probability);
  return leading && `${leading.name} ${percent(leading.probability)}`;
}

/** What became of one series of the study, and why. */
export function seriesLine(finding: Finding, verdict: SeriesVerdict): string {
  const { seriesInstanceUid, seriesNumber, modality, instances, reason } = verdict;
  const name = seriesNumber === undefined ? 'Series without number' : `Series ${seriesNumber}`;
  const images = `${instances} ${instances === 1 ? 'instance' : 'instances'}`;
  const failed = finding.outcome === 'failed' && finding.seriesInstanceUid === seriesInstanceUid;
  const became = failed ? 'chosen, but not analysed' : VERDICTS[verdict.verdict];
  return `${name} (${modality ?? 'modality unknown'}, ${images}): ${became}. ${reason.text}`;
}

const VERDICTS: Readonly<Record<SeriesVerdict['verdict'], string>> = {
  analysed: 'analysed',
  eligible: 'suitable, not chosen',
  'not-eligible': 'not suitable',
};
