import { z } from 'zod';
import { time } from './common.js';
import { model, outcome } from './studies.js';

const share = z.number().min(0).max(1);
const counted = z.array(z.object({ value: z.string(), series: z.int() }));

export const operations = z.object({
  at: time,
  health: z.object({
    status: z.enum(['ok', 'failing']),
    checks: z.record(z.string(), z.object({ ok: z.boolean(), reason: z.string().exactOptional() })),
  }),
  queues: z.record(z.string(), z.int()).describe('Work that waits, and what waits for a person.'),
  throughput: z
    .array(z.object({ hour: time, images: z.int(), studies: z.int(), reports: z.int() }))
    .describe('Each hour of the last 24, oldest first.'),
  timeToReport: z
    .object({ studies: z.int(), p50Ms: z.int().nullable(), p99Ms: z.int().nullable() })
    .describe('Of the last 24 hours.'),
  disk: z.object({
    freeBytes: z.number(),
    totalBytes: z.number(),
    minFreeBytes: z.number().describe('With less, slices are refused.'),
  }),
  destinations: z.array(
    z.object({
      name: z.string(),
      aeTitle: z.string().nullable().describe('Null where the configuration names it no more.'),
      due: z.int(),
      stored: z.int(),
      dead: z.int(),
      oldestAt: time.nullable().describe('The oldest that waits.'),
      lastError: z.string().nullable().describe('Code of the most urgent that waits.'),
      lastSuccessAt: time.nullable(),
    }),
  ),
  sources: z.array(
    z.object({
      aeTitle: z.string(),
      lastSeenAt: time,
      images24h: z.int(),
      abortedAssociations24h: z.int(),
      silent: z.boolean().describe('Longer without an association than it has been wont to be.'),
      usualGapMs: z.int().nullable().describe('Longest gap of its last 14 days; null where few.'),
    }),
  ),
  results: z.object({
    days: z
      .array(
        z.object({
          day: z.string().describe('YYYY-MM-DD, UTC.'),
          studies: z.int().describe('Positive, negative or undetermined.'),
          notRead: z.int().describe('Not eligible or failed.'),
          positiveRate: share.nullable(),
          scores: z
            .object({ p10: share, p50: share, p90: share })
            .nullable()
            .describe('Quantiles of the probability of any hemorrhage.'),
        }),
      )
      .describe('Of the last 30 days, oldest first.'),
    limits: z
      .object({ low: share, high: share })
      .nullable()
      .describe('Between which the last 7 days have their positive rate if nothing has changed.'),
    recent: z.object({ studies: z.int(), positiveRate: share.nullable(), drifting: z.boolean() }),
    kernels: counted,
    thicknessesMm: counted,
  }),
  model,
  secondReaders: z
    .array(
      z.object({
        name: z.string(),
        model: model.nullable().describe('Null where its package was refused.'),
        problem: z.string().nullable().describe('Why it does not read; null where it does.'),
        due: z.int().describe('Series that wait for it.'),
        compared: z
          .array(z.object({ deciding: outcome, outcome, studies: z.int() }))
          .describe('Answers of the last 30 days beside those of the deciding model.'),
        contradicted: z
          .array(
            z.object({
              studyInstanceUid: z.string(),
              deciding: outcome,
              outcome,
              readAt: time,
            }),
          )
          .describe('Where one said positive and the other negative; the newest.'),
      }),
    )
    .describe('Models that read each series too, once it is reported.'),
});

export type Operations = z.output<typeof operations>;
