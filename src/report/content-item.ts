import { CODES, type Code, codeItem } from '../dicom/codes.js';
import type { Dataset } from '../dicom/dataset.js';
import type { SourceImage } from '../domain/finding.js';
import { imageReference } from './evidence.js';

/** Relationship Type (PS3.3 C.17.3.2.4). */
export type Relationship =
  | 'CONTAINS'
  | 'HAS OBS CONTEXT'
  | 'HAS CONCEPT MOD'
  | 'HAS PROPERTIES'
  | 'INFERRED FROM';

/** A content item that stands in a relationship to its parent (PS3.3 C.17.3). */
export interface ContentItem extends Dataset {
  readonly RelationshipType: Relationship;
  readonly ValueType: string;
}

function item(
  relationship: Relationship,
  valueType: string,
  name: Code | undefined,
  value: Dataset,
  children: readonly ContentItem[],
): ContentItem {
  return {
    RelationshipType: relationship,
    ValueType: valueType,
    ...(name ? { ConceptNameCodeSequence: [codeItem(name)] } : {}),
    ...value,
    ...(children.length > 0 ? { ContentSequence: children } : {}),
  };
}

export function container(name: Code, children: readonly ContentItem[]): ContentItem {
  return item('CONTAINS', 'CONTAINER', name, { ContinuityOfContent: 'SEPARATE' }, children);
}

export function text(relationship: Relationship, name: Code, value: string): ContentItem {
  return item(relationship, 'TEXT', name, { TextValue: value }, []);
}

/** `value` as a code, or as an item of a code sequence that the source gave. */
export function code(
  relationship: Relationship,
  name: Code,
  value: Code | { readonly item: Dataset },
  children: readonly ContentItem[] = [],
): ContentItem {
  const coded = 'item' in value ? value.item : codeItem(value);
  return item(relationship, 'CODE', name, { ConceptCodeSequence: [coded] }, children);
}

export function uidReference(relationship: Relationship, name: Code, uid: string): ContentItem {
  return item(relationship, 'UIDREF', name, { UID: uid }, []);
}

/** A percentage with one decimal. */
export function percentage(
  relationship: Relationship,
  name: Code,
  value: number,
  children: readonly ContentItem[],
): ContentItem {
  const measured = {
    NumericValue: value.toFixed(1),
    MeasurementUnitsCodeSequence: [codeItem(CODES.percent)],
  };
  return item(relationship, 'NUM', name, { MeasuredValueSequence: [measured] }, children);
}

/** An image without a name of its own stands in a library or a key object selection. */
export function image(
  relationship: Relationship,
  name: Code | undefined,
  source: SourceImage,
  children: readonly ContentItem[] = [],
): ContentItem {
  const value = { ReferencedSOPSequence: [imageReference(source)] };
  return item(relationship, 'IMAGE', name, value, children);
}

/** The root of a content tree by a template of PS3.16 (PS3.3 C.18.8). */
export function rootContainer(
  name: Code,
  templateIdentifier: string,
  children: readonly ContentItem[],
): Dataset {
  return {
    ValueType: 'CONTAINER',
    ConceptNameCodeSequence: [codeItem(name)],
    ContinuityOfContent: 'SEPARATE',
    ContentTemplateSequence: [{ MappingResource: 'DCMR', TemplateIdentifier: templateIdentifier }],
    ContentSequence: children,
  };
}
