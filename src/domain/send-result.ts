import type { FailureClass } from './failure.js';

/**
 * What became of one object that was sent somewhere. `status` (PS3.7 C) and `comment` are the peer's own; a comment may
 * name a patient.
 */
export type SendResult =
  | {
      readonly type: 'stored';
      readonly status?: number | undefined;
      readonly comment?: string | undefined;
    }
  | {
      readonly type: 'failed';
      readonly failureClass: FailureClass;
      readonly code: string;
      /** For people; holds no patient data. */
      readonly text: string;
      /** Set where the association failed before this object's turn. */
      readonly untried?: boolean | undefined;
      readonly status?: number | undefined;
      readonly comment?: string | undefined;
    };

export interface SendOptions {
  readonly signal?: AbortSignal | undefined;
  /** Called once for each object, as soon as its result is known; `index` counts in `objects`. Must not throw. */
  readonly onResult?: ((index: number, result: SendResult) => void) | undefined;
}
