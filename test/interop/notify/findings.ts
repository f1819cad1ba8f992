import { CLASSES, isAnalysed, type Outcome } from '../../../src/domain/finding.js';
import type { Notification } from '../../../src/domain/notification.js';
import { BLEED, NOT_READ } from '../../integration/notify/notifications.js';

/** A finding with each class, for an outcome. */
export const findingOf = (outcome: Outcome): Notification =>
  isAnalysed(outcome)
    ? {
        ...BLEED,
        outcome,
        classes: CLASSES.map((name, index) => ({
          name,
          probability: index / 10,
          presence: (['present', 'absent', 'undetermined'] as const)[index % 3] ?? 'absent',
        })),
      }
    : { ...NOT_READ, outcome };
