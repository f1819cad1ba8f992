import type { FailureClass } from './failure.js';

/**
 * One delivery is one object to one destination. `delivered` means the destination itself answered with success or a
 * warning; `replaced` that the object's fallback is delivered in its place; `dead` that a person has to look.
 */
export type DeliveryState = 'due' | 'sending' | 'delivered' | 'replaced' | 'dead';

export type DeliveryEvent =
  | { readonly type: 'claimed' }
  | { readonly type: 'interrupted' }
  | { readonly type: 'answered' }
  | { readonly type: 'failed'; readonly failureClass: FailureClass; readonly attemptsLeft: boolean }
  | { readonly type: 'refused-with-fallback' }
  | { readonly type: 'resend' };

/** How an attempt ended: the destination's answer, or a failure and, where there is another try, its time. */
export type DeliverySettlement =
  | { readonly type: 'delivered'; readonly status: number; readonly comment?: string | undefined }
  | {
      readonly type: 'failed';
      readonly failureClass: FailureClass;
      readonly code: string;
      readonly status?: number | undefined;
      readonly comment?: string | undefined;
      /** Milliseconds since the epoch; absent where there is no other try. */
      readonly retryAt?: number | undefined;
    }
  | {
      readonly type: 'refused-with-fallback';
      readonly code: string;
      readonly comment?: string | undefined;
    };

/** The next state, or undefined where the event cannot happen in that state. */
export function nextDeliveryState(
  state: DeliveryState,
  event: DeliveryEvent,
): DeliveryState | undefined {
  switch (event.type) {
    case 'claimed':
      return state === 'due' ? 'sending' : undefined;
    case 'interrupted':
      return state === 'sending' ? 'due' : undefined;
    case 'answered':
      return state === 'sending' ? 'delivered' : undefined;
    case 'failed':
      if (state !== 'sending') return undefined;
      return event.failureClass !== 'permanent' && event.attemptsLeft ? 'due' : 'dead';
    case 'refused-with-fallback':
      return state === 'sending' ? 'replaced' : undefined;
    case 'resend':
      return state === 'delivered' || state === 'dead' ? 'due' : undefined;
  }
}
