import type { Reason } from './finding.js';

/** Why a series was taken for whole; true where the evidence says that slices may be missing. */
const CODES = {
  'all-listed': false,
  'announced-count': false,
  released: false,
  'released-contiguous': false,
  'association-open': false,
  'association-broken': true,
  'listed-missing': true,
  discontinued: true,
  'fewer-than-announced': true,
  gaps: true,
  'hard-cap': true,
} as const;

export type CompletionCode = keyof typeof CODES;

export interface CompletionReason extends Reason {
  readonly code: CompletionCode;
}

/** Whether a series that was taken for whole for this reason may lack slices: it cannot prove that nothing is there. */
export function mayLackSlices(code: string): boolean {
  return code in CODES && CODES[code as CompletionCode];
}
