import { derivedUid } from '../dicom/derived-uid.js';
import { isAnalysed } from '../domain/finding.js';
import type { ReportInput } from './report-input.js';

/**
 * What tells one report from another: the series and images read, the model, and what is stated about them. The same
 * answer from the same input is the same object, so that a repeat is a duplicate at the PACS; another answer never
 * hides behind a UID that is already there. Probabilities count to the whole percent: the last bits of a float depend
 * on how slices fell into batches.
 */
export class ReportIdentity {
  readonly #parts: readonly string[];

  constructor({
    finding,
    predecessor,
    isRemade = false,
  }: Pick<ReportInput, 'finding' | 'predecessor' | 'isRemade'>) {
    const { model, outcome, reason, seriesInstanceUid, slices, classes, series, conflicts } =
      finding;
    const analysed = isAnalysed(outcome);
    const stated = [
      model.hash,
      ...(model.calibrationHash === undefined ? [] : [model.calibrationHash]),
      outcome,
      reason?.code ?? '',
      seriesInstanceUid ?? '',
      ...slices.map(({ source }) => `${source.sopInstanceUid}#${source.frame ?? 1}`),
      ...classes.map((c) => `${c.name} ${c.presence} ${Math.round(c.probability * 100)}`),
      ...(conflicts ?? []).map(({ code }) => `conflict ${code}`),
      ...(analysed
        ? []
        : series.map((s) => `${s.seriesInstanceUid} ${s.verdict} ${s.reason.code}`)),
    ];
    const alone = derivedUid([...stated, 'sr']);
    // An answer that comes back after another one in between is a new document: what superseded it must not stand last.
    // So is one that is stated anew because the document before was lost.
    const follows = predecessor && (isRemade || predecessor.sopInstanceUid !== alone);
    this.#parts = follows ? [...stated, predecessor.sopInstanceUid] : stated;
  }

  /** The UID of the object, series or tracked finding with the given role in this report. */
  uid(...role: readonly string[]): string {
    return derivedUid([...this.#parts, ...role]);
  }
}
