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
