import type { FailureClass } from '../domain/failure.js';

/** What a C-STORE status means for the object: it is stored, or why not. */
export type StatusMeaning =
  | { readonly type: 'stored' }
  | { readonly type: 'refused'; readonly failureClass: FailureClass; readonly code: string };

type Row = readonly [first: number, last: number, meaning: StatusMeaning];

const stored: StatusMeaning = { type: 'stored' };
const refused = (failureClass: FailureClass, code: string): StatusMeaning => ({
  type: 'refused',
  failureClass,
  code,
});

/** C-STORE response statuses: PS3.4 Table B.2-1 and GG.4-1, then PS3.7 9.1.1.1.9 and Annex C. */
const STATUSES: readonly Row[] = [
  [0x0000, 0x0000, stored],
  // Warnings: coercion of data elements, elements discarded, data set does not match SOP class.
  [0xb000, 0xbfff, stored],
  [0xa700, 0xa7ff, refused('transient', 'out-of-resources')],
  [0xa900, 0xa9ff, refused('permanent', 'dataset-does-not-match')],
  [0xc000, 0xcfff, refused('permanent', 'cannot-understand')],
  // PS3.7 C.3 and C.4: warnings of any DIMSE service.
  [0x0001, 0x0001, stored],
  [0x0107, 0x0107, stored],
  [0x0116, 0x0116, stored],
  // The SOP Instance UIDs of our objects are derived from their content: the peer holds this very object.
  [0x0111, 0x0111, stored],
  [0x0110, 0x0110, refused('transient', 'processing-failure')],
  [0x0117, 0x0117, refused('permanent', 'invalid-object-instance')],
  [0x0122, 0x0122, refused('permanent', 'sop-class-not-accepted')],
  [0x0124, 0x0124, refused('permanent', 'not-authorized')],
  [0x0210, 0x0210, refused('transient', 'duplicate-invocation')],
  [0x0211, 0x0211, refused('permanent', 'unrecognized-operation')],
  [0x0212, 0x0212, refused('permanent', 'mistyped-argument')],
  [0x0213, 0x0213, refused('transient', 'resource-limitation')],
];

/** A status that no table lists is a failure that may pass. */
export function storeStatusMeaning(status: number): StatusMeaning {
  const row = STATUSES.find(([first, last]) => status >= first && status <= last);
  return row?.[2] ?? refused('transient', 'unknown-status');
}
