import { CLASSES, type ClassName } from '../domain/finding.js';

/** What radiologists say of a study: for each class that they judged, whether it is there. */
export interface StudyLabels {
  readonly studyInstanceUid: string;
  readonly labels: Partial<Record<ClassName, boolean>>;
}

/** A labels file that cannot be used; the message names every fault with its line. */
export class LabelsError extends Error {
  readonly code = 'labels-invalid';

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.name = 'LabelsError';
  }
}

const VALUES: Readonly<Record<string, boolean>> = { 0: false, 1: true, no: false, yes: true };
const UID = /^[0-9]+(\.[0-9]+)*$/;

/**
 * Reads labels as spreadsheets write them: separated by comma, semicolon or tab, with a header row. The column
 * StudyInstanceUID is needed, and one or more named like the model's classes with 0 or 1 (or no, yes); an empty cell
 * is not judged. Other columns are passed over.
 * @throws LabelsError
 */
export function parseStudyLabels(text: string): StudyLabels[] {
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const header = lines[0] ?? '';
  const separator = [',', ';', '\t'].find((mark) => header.includes(mark)) ?? ',';
  const cells = (line: string) =>
    line.split(separator).map((cell) => cell.trim().replace(/^"(.*)"$/, '$1'));
  const names = cells(header);
  const uidColumn = names.indexOf('StudyInstanceUID');
  const columns = CLASSES.flatMap((name) => {
    const column = names.indexOf(name);
    return column < 0 ? [] : [{ name, column }];
  });
  if (uidColumn < 0 || columns.length === 0) {
    throw new LabelsError([
      `line 1: the header needs StudyInstanceUID and at least one of ${CLASSES.join(', ')}`,
    ]);
  }

  const faults: string[] = [];
  const seen = new Set<string>();
  const studies = lines.slice(1).flatMap((line, i): StudyLabels[] => {
    if (line.trim() === '') return [];
    const at = `line ${i + 2}`;
    const row = cells(line);
    const studyInstanceUid = row[uidColumn] ?? '';
    if (!UID.test(studyInstanceUid)) faults.push(`${at}: StudyInstanceUID is no UID`);
    if (seen.has(studyInstanceUid)) faults.push(`${at}: the study stands on an earlier line too`);
    seen.add(studyInstanceUid);
    const labels: Partial<Record<ClassName, boolean>> = {};
    for (const { name, column } of columns) {
      const cell = (row[column] ?? '').toLowerCase();
      if (cell === '') continue;
      const value = VALUES[cell];
      if (value === undefined) faults.push(`${at}: ${name} is neither 0 nor 1`);
      else labels[name] = value;
    }
    return [{ studyInstanceUid, labels }];
  });
  if (faults.length > 0) throw new LabelsError(faults);
  return studies;
}
