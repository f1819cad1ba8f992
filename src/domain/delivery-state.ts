import type { FailureClass } from './failure.js';

/**
 * One delivery is one object to one destination. `stored` means that the destination answered with success or a
 * warning and further proof is still asked of it; `delivered` that all is proven that the configuration asks for;
 * `replaced` that the object's fallback, or a report or notification that supersedes it, goes in its place; `dead` that a person has to look; `abandoned` that one did.
 */
export type DeliveryState =
  | 'due'
  | 'sending'
  | 'stored'
  | 'delivered'
  | 'replaced'
  | 'dead'
  | 'abandoned';

export type DeliveryEvent =
  | { readonly type: 'claimed' }
  | { readonly type: 'interrupted' }
  | { readonly type: 'answered'; readonly proofNeeded: boolean }
  | { readonly type: 'proven' }
  | { readonly type: 'not-there'; readonly attemptsLeft: boolean }
  | { readonly type: 'failed'; readonly failureClass: FailureClass; readonly attemptsLeft: boolean }
  | { readonly type: 'refused-with-fallback' }
  | { readonly type: 'resend' }
  | { readonly type: 'abandon' };

const RESENDABLE: readonly DeliveryState[] = ['stored', 'delivered', 'dead', 'abandoned'];

const ABANDONABLE: readonly DeliveryState[] = ['due', 'stored', 'dead'];

/** How an attempt ended: the destination's answer, or a failure and, where there is another try, its time. */
export type DeliverySettlement =
  | {
      readonly type: 'delivered';
      readonly status?: number | undefined;
      readonly comment?: string | undefined;
      /** Where further proof is asked for: when to look for it, milliseconds since the epoch. */
      readonly proofDueAt?: number | undefined;
    }
  | {
      readonly type: 'failed';
      readonly failureClass: FailureClass;
      readonly code: string;
      readonly status?: number | undefined;
      readonly comment?: string | undefined;
      /** Milliseconds since the epoch; absent where there is no other try. */
      readonly retryAt?: number | undefined;
      /** Set where the attempt says nothing about the object and is not counted as one of its own. */
      readonly uncounted?: boolean | undefined;
    }
  | {
      readonly type: 'refused-with-fallback';
      readonly code: string;
      readonly comment?: string | undefined;
    };

/** What asking a destination for a stored object has shown. */
export type ProofSettlement =
  | {
      readonly type: 'proven';
      /** Set where the destination files the study under another patient. */
      readonly refiled?: boolean;
    }
  | {
      readonly type: 'not-there';
      readonly code: string;
      readonly status?: number | undefined;
      /** When it is sent again; absent where that has been tried often enough. */
      readonly retryAt?: number | undefined;
    }
  /** The destination could not be asked, or has not reported: it says nothing about the object. */
  | {
      readonly type: 'put-off';
      readonly code: string;
      readonly lookAt: number;
      /** Set where it has not reported, which cannot go on for ever. */
      readonly counted?: boolean;
      /** Set where it could not be asked, which is counted apart. */
      readonly unasked?: boolean;
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
      if (state !== 'sending') return undefined;
      return event.proofNeeded ? 'stored' : 'delivered';
    case 'proven':
      return state === 'stored' ? 'delivered' : undefined;
    case 'not-there':
      if (state !== 'stored') return undefined;
      return event.attemptsLeft ? 'due' : 'dead';
    case 'failed':
      if (state !== 'sending') return undefined;
      return event.failureClass !== 'permanent' && event.attemptsLeft ? 'due' : 'dead';
    case 'refused-with-fallback':
      return state === 'sending' ? 'replaced' : undefined;
    case 'resend':
      return RESENDABLE.includes(state) ? 'due' : undefined;
    case 'abandon':
      return ABANDONABLE.includes(state) ? 'abandoned' : undefined;
  }
}
