import { readSourceDataset, type SourceDataset } from '../dicom/source-dataset.js';

/** A content item (PS3.3 C.17.3) as a person reads it. */
export interface ReportItem {
  readonly relationship: string | null;
  readonly type: string;
  readonly concept: string | null;
  readonly value: string | null;
  readonly children: readonly ReportItem[];
}

/** Deeper than any template; a hostile tree ends there. */
const DEEPEST = 32;

/** The content tree of a structured report or key object selection; undefined where the object has none. */
export function readReport(part10: Uint8Array): ReportItem | undefined {
  const dataset = readSourceDataset(part10);
  return dataset.text('ValueType') === '' ? undefined : itemOf(dataset, 0);
}

function itemOf(dataset: SourceDataset, depth: number): ReportItem {
  const type = dataset.text('ValueType');
  const children = depth < DEEPEST ? dataset.items('ContentSequence') : [];
  return {
    relationship: dataset.text('RelationshipType') || null,
    type,
    concept: meaningOf(dataset, 'ConceptNameCodeSequence'),
    value: valueText(dataset, type),
    children: children.map((child) => itemOf(child, depth + 1)),
  };
}

function meaningOf(dataset: SourceDataset, keyword: string): string | null {
  return dataset.items(keyword)[0]?.text('CodeMeaning') || null;
}

function valueText(dataset: SourceDataset, type: string): string | null {
  switch (type) {
    case 'CODE':
      return meaningOf(dataset, 'ConceptCodeSequence');
    case 'NUM': {
      const [measured] = dataset.items('MeasuredValueSequence');
      if (measured === undefined) return null;
      const unit = measured.items('MeasurementUnitsCodeSequence')[0]?.text('CodeValue') ?? '';
      return `${measured.text('NumericValue')} ${unit}`.trim();
    }
    case 'IMAGE':
    case 'COMPOSITE':
      return dataset.items('ReferencedSOPSequence')[0]?.text('ReferencedSOPInstanceUID') || null;
    default:
      return dataset.text(TEXT_OF[type] ?? 'TextValue') || null;
  }
}

/** The attribute of the value, by Value Type (PS3.3 Table C.17.3-1). */
const TEXT_OF: Readonly<Record<string, string>> = {
  TEXT: 'TextValue',
  UIDREF: 'UID',
  PNAME: 'PersonName',
  DATE: 'Date',
  TIME: 'Time',
  DATETIME: 'DateTime',
};
