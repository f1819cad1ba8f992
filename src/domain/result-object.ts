/** The kinds of DICOM objects that Vigil makes from a finding. */
export const OBJECT_KINDS = ['sr', 'heatmap', 'summary', 'key-objects'] as const;
export type ObjectKind = (typeof OBJECT_KINDS)[number];

/**
 * A finished object, encoded. Its SOP Instance UID is derived from the source series, the analysed instances, the
 * model and the kind, so that the same input always gives the same object.
 */
export interface ResultObject {
  readonly kind: ObjectKind;
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly transferSyntaxUid: string;
  /** The whole Part 10 file. */
  readonly part10: Uint8Array;
  /** Set on an object that is sent only where the peer does not accept that other one (PS3.4 has no automatic fallback). */
  readonly fallbackFor?: string;
}
