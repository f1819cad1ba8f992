import type { SendResult } from '../../../src/domain/send-result.js';

/** What became of each object, in short. */
export const codes = (results: readonly SendResult[]): string[] =>
  results.map((r) => (r.type === 'stored' ? 'stored' : `${r.failureClass} ${r.code}`));
