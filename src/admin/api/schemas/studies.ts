import { z } from 'zod';
import { CLASSES } from '../../../domain/finding.js';
import { URGENCIES } from '../../../domain/urgency.js';
import { reason, time, uid } from './common.js';

export const outcome = z.enum(['positive', 'negative', 'undetermined', 'not-eligible', 'failed']);
export const className = z.enum(CLASSES);

/** How far a study has come. `stuck` waits for a person: no report could be made. */
export const STUDY_STATES = [
  'receiving',
  'waiting',
  'analysing',
  'reporting',
  'reported',
  'stuck',
] as const;
export const studyState = z.enum(STUDY_STATES);

const probability = z.number().min(0).max(1);

export const studySearch = z.object({
  text: z
    .string()
    .max(200)
    .exactOptional()
    .describe(
      "Beginnings of words of patient's name and ID, accession number and study description, in any order; or a Study Instance UID.",
    ),
  outcome: z.array(outcome).min(1).exactOptional(),
  state: z.array(studyState).min(1).exactOptional(),
  since: time.exactOptional().describe('Studies whose first slice came then or later.'),
  until: time.exactOptional().describe('Studies whose first slice came before.'),
  cursor: z.string().max(32).exactOptional().describe('`next` of the page before.'),
  limit: z.int().min(1).max(200).default(50),
});

export const patient = z.object({
  name: z.string().nullable().describe('Patient Name as a person reads it.'),
  id: z.string().nullable(),
  birthDate: z.string().nullable().describe('YYYYMMDD, as DICOM has it.'),
  sex: z.string().nullable(),
});

const deliveryCounts = z.object({
  due: z.int().describe('Waiting or being sent.'),
  stored: z.int().describe('Answered with success, proof is asked for.'),
  delivered: z.int(),
  dead: z.int().describe('Given up: a person has to look.'),
});

export const studySummary = z.object({
  studyInstanceUid: z.string(),
  patient,
  accessionNumber: z.string().nullable(),
  studyDescription: z.string().nullable(),
  receivedAt: time.describe('First slice.'),
  lastSliceAt: time,
  sourceAeTitle: z.string(),
  slices: z.int(),
  outcome: outcome.nullable().describe('Of the newest analysis; null before there is one.'),
  state: studyState,
  leadingClass: className
    .nullable()
    .describe('The most probable type, of a study that is positive or undetermined.'),
  probability: probability.nullable().describe('Of any hemorrhage.'),
  urgency: z.enum(URGENCIES).nullable(),
  msToReport: z
    .int()
    .nullable()
    .describe('From the last slice of the series read until the first destination had the report.'),
  delivery: deliveryCounts,
  unsent: z.string().nullable().describe('Why nothing is sent; null where something is.'),
  conflicts: z.int().describe('Images that contradict others, and that nobody has settled.'),
});

export const studyPage = z.object({
  studies: z.array(studySummary).describe('Newest first.'),
  next: z.string().nullable().describe('Cursor of the next page; null at the end.'),
});

export const series = z.object({
  seriesInstanceUid: z.string(),
  number: z.int().nullable(),
  description: z.string().nullable(),
  modality: z.string().nullable(),
  kernel: z.string().nullable(),
  thicknessMm: z.number().nullable(),
  slices: z.int(),
  own: z.boolean().describe("Vigil's own objects, sent back by a PACS."),
  eligibility: z.object({
    verdict: z.enum(['analysed', 'eligible', 'not-eligible']).nullable(),
    reasons: z.array(reason),
  }),
  completion: z.object({
    complete: z.boolean(),
    confidence: z.enum(['proven', 'likely', 'unknown']).nullable(),
    reason: reason.nullable(),
  }),
});

export const model = z.object({ name: z.string(), version: z.string(), hash: z.string() });

const classes = z.array(
  z.object({
    name: className,
    probability,
    presence: z.enum(['present', 'absent', 'undetermined']),
  }),
);

const keySlice = z.object({
  sopInstanceUid: z.string(),
  frame: z.int().nullable().describe('From 1, in a multi-frame object.'),
  index: z.int().describe('Into `slices`.'),
  className,
  probability,
});

export const analysis = z.object({
  id: z.int(),
  revision: z.int(),
  state: z.enum(['due', 'running', 'analysed', 'composing', 'reported', 'stuck']),
  trigger: reason.describe('Why it was made.'),
  outcome: outcome.nullable(),
  reason: reason.nullable().describe('Always there for not-eligible and failed.'),
  seriesInstanceUid: z.string().nullable(),
  model: model.nullable(),
  createdAt: time,
  analysedAt: time.nullable(),
  reportedAt: time.nullable(),
  classes,
  keySlices: z.array(keySlice),
  slices: z
    .array(
      z.object({
        sopInstanceUid: z.string(),
        frame: z.int().nullable(),
        positionMm: z.number(),
        probabilities: z.array(probability).describe(`In the order ${CLASSES.join(', ')}.`),
      }),
    )
    .describe('Inferior to superior.'),
  routes: z.array(z.string()).nullable().describe('That held; null before the report.'),
  unsent: z.string().nullable(),
  secondReadings: z
    .array(
      z.object({
        reader: z.string().describe('Its name in the configuration.'),
        model,
        readAt: time,
        outcome,
        reason: reason.nullable(),
        classes,
      }),
    )
    .describe('What other models said of the series, for comparison: no report rests on it.'),
});

export const resultObject = z.object({
  sopInstanceUid: z.string(),
  revision: z.int(),
  kind: z.enum(['sr', 'heatmap', 'summary', 'key-objects']),
  fallbackFor: z.string().nullable().describe('Goes only where that other object is not taken.'),
  bytes: z.int(),
  createdAt: time,
});

export const delivery = z.object({
  id: z.int(),
  sopInstanceUid: z.string(),
  kind: z.enum(['sr', 'heatmap', 'summary', 'key-objects', 'original']),
  destination: z.string(),
  route: z.string(),
  state: z.enum(['due', 'sending', 'stored', 'delivered', 'replaced', 'dead', 'abandoned']),
  attempts: z.int(),
  dueAt: time,
  settledAt: time.nullable(),
  status: z.int().nullable().describe("The destination's own, of the last attempt."),
  failureCode: z.string().nullable(),
  comment: z.string().nullable(),
});

export const timelineEntry = z.object({
  at: time,
  kind: z.string().describe('Such as slices-received, series-complete, analysis-finished.'),
  seriesInstanceUid: z.string().nullable(),
  detail: z.record(z.string(), z.unknown()),
});

export const studyDetail = studySummary.extend({
  series: z.array(series),
  analyses: z.array(analysis).describe('Oldest first; the last one counts.'),
  objects: z.array(resultObject),
  deliveries: z.array(delivery),
  openConflicts: z.array(
    z.object({
      sopInstanceUid: z.string(),
      kind: z.string(),
      text: z.string(),
      receivedAt: time,
      settledAt: time.nullable(),
    }),
  ),
  damagedFiles: z.int(),
  timeline: z.array(timelineEntry),
});

export const slices = z.object({
  slices: z
    .array(
      z.object({
        sopInstanceUid: z.string(),
        frame: z.int().describe('From 1.'),
        instanceNumber: z.int().nullable(),
        positionMm: z.number().nullable(),
      }),
    )
    .describe('Inferior to superior; by Instance Number where they have no position.'),
});

export const WINDOWS = ['brain', 'subdural', 'bone'] as const;
export const pictureQuery = z.object({
  window: z.enum(WINDOWS).default('brain'),
  frame: z.coerce.number().int().min(1).max(100_000).default(1),
  heatMap: z.coerce
    .number()
    .int()
    .min(1)
    .exactOptional()
    .describe('Revision of the analysis whose Grad-CAM is laid over, where it has one there.'),
});

export const studyParams = z.object({ study: uid });
export const seriesParams = studyParams.extend({ series: uid });
export const sliceParams = seriesParams.extend({ instance: uid });
export const objectParams = z.object({ object: uid });

/** An item of a structured report (PS3.3 C.17.3). */
export interface ReportItem {
  readonly relationship: string | null;
  readonly type: string;
  readonly concept: string | null;
  readonly value: string | null;
  readonly children: readonly ReportItem[];
}

export const reportItem: z.ZodType<ReportItem> = z
  .object({
    relationship: z.string().nullable(),
    type: z.string().describe('Value Type, such as CONTAINER, CODE, NUM, TEXT, IMAGE.'),
    concept: z.string().nullable(),
    value: z.string().nullable().describe('As a person reads it; a UID for references.'),
    get children() {
      return z.array(reportItem);
    },
  })
  .meta({ id: 'ReportItem' });

export const resendRequest = z.object({
  destinations: z
    .array(z.string().max(32))
    .min(1)
    .exactOptional()
    .describe('Names; all of the configuration if left out.'),
});
export const resent = z.object({ deliveries: z.int().describe('That are due again.') });
export const reanalysis = z.object({ requested: z.literal(true) });
export const settled = z.object({ conflicts: z.int().describe('That are settled now.') });

export type Outcome = z.output<typeof outcome>;
export type StudyState = z.output<typeof studyState>;
export type StudySearch = z.output<typeof studySearch>;
export type StudySummary = z.output<typeof studySummary>;
export type StudyPage = z.output<typeof studyPage>;
export type StudyDetail = z.output<typeof studyDetail>;
export type Slices = z.output<typeof slices>;
export type PictureWindow = (typeof WINDOWS)[number];
