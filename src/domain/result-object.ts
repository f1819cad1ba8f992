/** The kinds of DICOM objects that Vigil makes from a finding. */
export const OBJECT_KINDS = ['sr', 'heatmap', 'summary', 'key-objects'] as const;
export type ObjectKind = (typeof OBJECT_KINDS)[number];

/**
 * What a route can send: `sr` is the Comprehensive 3D SR, in whose place the Comprehensive SR goes where the peer takes
 * no 3D; `comprehensive-sr` is that one from the start.
 */
export const SENDABLE_KINDS = [...OBJECT_KINDS, 'comprehensive-sr'] as const;
export type SendableKind = (typeof SENDABLE_KINDS)[number];

/** The DICOM objects that a delivery can carry: also an image as it was received. */
export type StorableKind = SendableKind | 'original';

/** What a delivery can carry: also what is told of a finding to others than archives. */
export type RoutableKind = StorableKind | 'notification';

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

/** What is told of one finding, whichever channels it goes to; each makes its own form of it. */
export interface NotificationObject {
  readonly kind: 'notification';
  readonly sopClassUid: '';
  /** No SOP instance has it; it identifies the notification wherever it goes. */
  readonly sopInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly transferSyntaxUid: '';
  /** A `Notification` as JSON. */
  readonly json: Uint8Array;
  readonly fallbackFor?: never;
}

/** Everything that a finding leads to. */
export type MadeObject = ResultObject | NotificationObject;
/** Without its bytes. */
export type MadeObjectRow = Omit<ResultObject, 'part10'> | Omit<NotificationObject, 'json'>;

/** What its file holds. */
export function bytesOf(object: MadeObject): Uint8Array {
  return object.kind === 'notification' ? object.json : object.part10;
}

/** What a route calls an object that was made. */
export function sendableKind({ kind, fallbackFor }: MadeObjectRow): RoutableKind {
  return kind === 'sr' && fallbackFor !== undefined ? 'comprehensive-sr' : kind;
}
