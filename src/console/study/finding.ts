import type { StudyDetail } from '../../admin/api/schemas/studies.js';

export type Analysis = StudyDetail['analyses'][number];
export type ClassName = Analysis['classes'][number]['name'];

/** The order of the probabilities of a slice, as the API has it. */
export const CLASS_ORDER: readonly ClassName[] = [
  'epidural',
  'intraparenchymal',
  'intraventricular',
  'subarachnoid',
  'subdural',
  'any',
];

/** The newest analysis with an answer; a later one may be under way. */
export function finishedAnalysis({ analyses }: StudyDetail): Analysis | undefined {
  return analyses.findLast(({ outcome }) => outcome !== null);
}

/** Any hemorrhage first, then the types, the most probable on top. */
export function rankedClasses({ classes }: Analysis): Analysis['classes'] {
  return classes.toSorted(
    (a, b) => Number(b.name === 'any') - Number(a.name === 'any') || b.probability - a.probability,
  );
}

/** The type that leads, of an analysis that was made. */
export function leadingType(analysis: Analysis): ClassName | undefined {
  return rankedClasses(analysis).find(({ name }) => name !== 'any')?.name;
}
