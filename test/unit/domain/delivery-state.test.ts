import { describe, expect, it } from 'vitest';
import {
  type DeliveryEvent,
  type DeliveryState,
  nextDeliveryState,
} from '../../../src/domain/delivery-state.js';

const EVENTS = {
  claimed: { type: 'claimed' },
  interrupted: { type: 'interrupted' },
  answered: { type: 'answered', proofNeeded: false },
  'answered, proof needed': { type: 'answered', proofNeeded: true },
  proven: { type: 'proven' },
  'not there, attempts left': { type: 'not-there', attemptsLeft: true },
  'not there, none left': { type: 'not-there', attemptsLeft: false },
  'transient, attempts left': { type: 'failed', failureClass: 'transient', attemptsLeft: true },
  'ambiguous, attempts left': { type: 'failed', failureClass: 'ambiguous', attemptsLeft: true },
  'transient, none left': { type: 'failed', failureClass: 'transient', attemptsLeft: false },
  permanent: { type: 'failed', failureClass: 'permanent', attemptsLeft: true },
  'refused-with-fallback': { type: 'refused-with-fallback' },
  resend: { type: 'resend' },
  abandon: { type: 'abandon' },
} satisfies Record<string, DeliveryEvent>;

/** Every state x event; what is not in a state's row cannot happen there. */
const TABLE: Record<DeliveryState, Partial<Record<keyof typeof EVENTS, DeliveryState>>> = {
  due: { claimed: 'sending', abandon: 'abandoned' },
  sending: {
    interrupted: 'due',
    answered: 'delivered',
    'answered, proof needed': 'stored',
    'transient, attempts left': 'due',
    'ambiguous, attempts left': 'due',
    'transient, none left': 'dead',
    permanent: 'dead',
    'refused-with-fallback': 'replaced',
  },
  stored: {
    proven: 'delivered',
    'not there, attempts left': 'due',
    'not there, none left': 'dead',
    resend: 'due',
    abandon: 'abandoned',
  },
  delivered: { resend: 'due' },
  replaced: {},
  dead: { resend: 'due', abandon: 'abandoned' },
  abandoned: { resend: 'due' },
};

describe('nextDeliveryState', () => {
  const cases = Object.entries(TABLE).flatMap(([state, row]) =>
    Object.entries(EVENTS).map(
      ([name, event]) =>
        [state as DeliveryState, name, event, row[name as keyof typeof EVENTS]] as const,
    ),
  );

  it.each(cases)('%s, %s', (state, _, event, next) => {
    expect(nextDeliveryState(state, event)).toBe(next);
  });
});
