import { RE2JS } from 're2js';
import { z } from 'zod';
import { isKeywordPath, KEYWORDS } from '../dicom/keywords.js';
import { QUANTIFIERS, WEEKDAYS } from '../domain/condition.js';
import { CLASSES } from '../domain/finding.js';
import { OBJECT_KINDS, SENDABLE_KINDS } from '../domain/result-object.js';
import { DEFAULT_ROUTE, FALLBACK_ROUTE, SEND_SYNTAXES } from '../domain/routing.js';
import { PRIORITIES, URGENCIES } from '../domain/urgency.js';
import { nearest } from './problems.js';
import { AE_TITLE, isAddressRange, NAME } from './syntax.js';

/** The form of routes in the configuration file; docs/routing.md is the language for people. */
const oneOrMore = <T extends z.ZodType>(item: T) => z.union([item, z.array(item).min(1)]);
const aeTitle = z
  .string()
  .regex(AE_TITLE, 'is no AE title: 1 to 16 ASCII characters, no backslash, no space at the ends');
const addressRange = z
  .string()
  .refine(isAddressRange, 'is no address range, such as 10.1.0.0/16 or fd00::/8');
const code = z.string().regex(/^[a-z][a-z0-9-]*$/, 'is no code, such as too-few-slices');
const clock = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'is no time of day, such as "07:30" or "22:00"');
const share = z.number().min(0).max(1);
const text = z.string().min(1).max(1024);

/** Longer ones are no condition that a person could read. */
const LONGEST_PATTERN = 1000;

const pattern = z
  .string()
  .min(1)
  .max(LONGEST_PATTERN)
  .superRefine((source, context) => {
    try {
      RE2JS.compile(source);
    } catch (error) {
      const message = `is no regular expression: ${(error as Error).message}`;
      const hint = 'RE2 syntax: no look-around and no back-references; (?i) ignores case';
      context.addIssue({ code: 'custom', message, params: { hint } });
    }
  });

const keywordPath = z.string().superRefine((path, context) => {
  if (isKeywordPath(path)) return;
  const unknown = path.split('.').find((step) => !KEYWORDS.includes(step));
  const near = unknown === undefined ? undefined : nearest(unknown, KEYWORDS);
  const hint =
    near === undefined
      ? 'a keyword of PS3.6, such as SeriesDescription, or Sequence.Keyword'
      : `did you mean "${near}"?`;
  context.addIssue({
    code: 'custom',
    message: 'is no attribute of the data dictionary',
    params: { hint },
  });
});

const valueTest = z
  .strictObject({
    equals: oneOrMore(z.union([text, z.number()]))
      .exactOptional()
      .describe('A value, or one of several; numbers compare as numbers.'),
    matches: pattern
      .exactOptional()
      .describe('A regular expression (RE2) that is found anywhere in the value.'),
    min: z.number().exactOptional().describe('At least so much.'),
    max: z.number().exactOptional().describe('At most so much.'),
    present: z.boolean().exactOptional().describe('Whether there is any value.'),
    slices: z
      .enum(QUANTIFIERS)
      .default('any')
      .describe('Of how many slices it must hold; first is that of the lowest Instance Number.'),
  })
  .superRefine(({ equals, matches, min, max, present }, context) => {
    const tests = [equals, matches, min, max].filter((test) => test !== undefined);
    if (tests.length === 0 && present === undefined) {
      const message = 'asks for nothing: give equals, matches, min, max or present';
      context.addIssue({ code: 'custom', message });
    }
    if (tests.length > 0 && present === false) {
      context.addIssue({ code: 'custom', message: 'asks for a value and for none' });
    }
    if (min !== undefined && max !== undefined && min > max) {
      context.addIssue({ code: 'custom', message: `has min ${min} above max ${max}` });
    }
  });

const probability = z
  .strictObject({
    of: z.enum(CLASSES).default('any').describe('The class; any stands for any hemorrhage.'),
    min: share.exactOptional().describe('At least so much, 0..1.'),
    max: share.exactOptional().describe('At most so much, 0..1.'),
  })
  .superRefine(({ min, max }, context) => {
    if (min === undefined && max === undefined) {
      context.addIssue({ code: 'custom', message: 'asks for nothing: give min or max' });
    } else if (min !== undefined && max !== undefined && min > max) {
      context.addIssue({ code: 'custom', message: `has min ${min} above max ${max}` });
    }
  });

const outcome = z.enum(['positive', 'negative', 'undetermined', 'not-eligible', 'failed']);

const questions = z.strictObject({
  outcome: oneOrMore(outcome).exactOptional().describe('How the triage ended.'),
  urgency: oneOrMore(z.enum(URGENCIES))
    .exactOptional()
    .describe(
      'immediate: positive; prompt: undetermined, failed, not-eligible; routine: negative.',
    ),
  reason: oneOrMore(code).exactOptional().describe('Code of the reason of the outcome.'),
  class: oneOrMore(z.enum(CLASSES))
    .exactOptional()
    .describe('A class of hemorrhage that was found present.'),
  probability: probability.exactOptional().describe('Range of a calibrated probability.'),
  model: z
    .strictObject({
      name: oneOrMore(text).exactOptional().describe('Name of the model package.'),
      version: oneOrMore(text).exactOptional().describe('Its version.'),
    })
    .exactOptional()
    .describe('The model that answered.'),
  secondReader: z
    .strictObject({
      name: oneOrMore(z.string().regex(NAME, 'is no name of a second reader'))
        .exactOptional()
        .describe('Its name under inference.secondReaders; any of them where left out.'),
      outcome: oneOrMore(outcome).exactOptional().describe('What it said.'),
      class: oneOrMore(z.enum(CLASSES))
        .exactOptional()
        .describe('A class of hemorrhage that it found present.'),
    })
    .exactOptional()
    .describe(
      'A model beside the deciding one has answered so: what the route asks for then goes out behind the report.',
    ),
  callingAeTitle: oneOrMore(aeTitle).exactOptional().describe('Who sent slices of the study.'),
  calledAeTitle: oneOrMore(aeTitle)
    .exactOptional()
    .describe('The AE title that slices were sent to.'),
  address: oneOrMore(addressRange)
    .exactOptional()
    .describe('Address that slices came from, or a CIDR range.'),
  weekday: oneOrMore(z.enum(WEEKDAYS)).exactOptional().describe('Day of the analysis, local time.'),
  time: z
    .strictObject({
      from: clock.describe('Local time, such as "22:00".'),
      to: clock.describe('Local time, not included; earlier than from goes over midnight.'),
    })
    .exactOptional()
    .describe('Time of day of the analysis.'),
  series: z
    .strictObject({
      verdict: oneOrMore(z.enum(['analysed', 'eligible', 'not-eligible']))
        .exactOptional()
        .describe('What was decided about the series.'),
      reason: oneOrMore(code).exactOptional().describe('Code of the reason why.'),
      modality: oneOrMore(text).exactOptional().describe('Modality (0008,0060).'),
    })
    .exactOptional()
    .describe('The study has a series of which all of this holds.'),
  attributes: z
    .record(
      keywordPath,
      z.union([text, z.number(), z.array(z.union([text, z.number()])).min(1), valueTest]),
    )
    .exactOptional()
    .describe('Attributes of the slices that were read, by keyword: a value, a list or a test.'),
});

/** A condition as it is written, with defaults filled in. */
export interface ConditionText extends z.output<typeof questions> {
  all?: ConditionText[];
  any?: ConditionText[];
  not?: ConditionText;
}

interface ConditionInput extends z.input<typeof questions> {
  all?: ConditionInput[];
  any?: ConditionInput[];
  not?: ConditionInput;
}

const conditions = z.lazy(() => z.array(condition).min(1)).exactOptional();

const condition: z.ZodType<ConditionText, ConditionInput> = z.strictObject({
  ...questions.shape,
  all: conditions.describe('All of these conditions hold.'),
  any: conditions.describe('One of these conditions holds.'),
  not: z
    .lazy(() => condition)
    .exactOptional()
    .describe('This condition does not hold.'),
});

const to = z.array(z.string()).min(1).describe('Names of destinations.');
const priority = z
  .enum(PRIORITIES)
  .default('medium')
  .describe('Goes before or after others at the destination; also the Priority of C-STORE.');

const send = z.strictObject({
  objects: z
    .array(z.enum(SENDABLE_KINDS))
    .min(1)
    .default([...OBJECT_KINDS])
    .describe('Kinds of objects to send.'),
  to,
  priority,
  transferSyntax: z
    .enum(SEND_SYNTAXES)
    .exactOptional()
    .describe('Insists on one; without it an object goes as the destination can take it.'),
});

const forward = z.strictObject({ to, priority });

const notify = z.strictObject({
  to: z.array(z.string()).min(1).describe('Names of channels.'),
  priority: z
    .enum(PRIORITIES)
    .default('medium')
    .describe('Goes before or after others at the channel.'),
});

const reason = z
  .string()
  .trim()
  .min(3)
  .max(200)
  .regex(/^\P{Cc}*$/u, 'has a control character');

const actions = {
  send: oneOrMore(send).exactOptional().describe('Sends objects that Vigil made.'),
  forward: oneOrMore(forward)
    .exactOptional()
    .describe('Sends the images of the series that was read, as they were received.'),
  notify: oneOrMore(notify)
    .exactOptional()
    .describe('Tells of the finding by other means than DICOM.'),
  shadow: reason
    .exactOptional()
    .describe('Why: the objects are made and kept, and from here on nothing is sent.'),
  drop: reason.exactOptional().describe('Why: from here on nothing is sent, and no object made.'),
};

type Actions = { readonly [Key in keyof typeof actions]?: unknown };

/** What is wrong with the actions together; undefined where nothing is. */
function contradiction({ send, forward, notify, shadow, drop }: Actions): string | undefined {
  if ([send, forward, notify, shadow, drop].every((action) => action === undefined)) {
    return 'does nothing: give send, forward, notify, shadow or drop';
  }
  return shadow !== undefined && drop !== undefined ? 'has both shadow and drop' : undefined;
}

const RESERVED: readonly string[] = [DEFAULT_ROUTE, FALLBACK_ROUTE];

const route = z
  .strictObject({
    name: z
      .string()
      .regex(NAME, 'is no name: a lower-case letter, then letters, digits or "-", at most 32')
      .refine((name) => !RESERVED.includes(name), 'is kept for defaultRoute and fallbackRoute')
      .describe('Appears in logs and events.'),
    when: condition
      .prefault({})
      .describe('All conditions given must hold; every study where there is none.'),
    ...actions,
    stop: z
      .boolean()
      .default(false)
      .describe('No later route is looked at where this one holds; so with shadow and drop.'),
  })
  .superRefine((written, context) => {
    const message = contradiction(written);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

const bareRoute = z.strictObject(actions).superRefine((written, context) => {
  const message = contradiction(written);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
});

export const routes = z
  .array(route)
  .default([])
  .describe('Which results go where: every route that holds adds its deliveries.');
export const defaultRoute = bareRoute
  .exactOptional()
  .describe('What is done with a study for which no route holds.');
export const fallbackRoute = bareRoute
  .exactOptional()
  .describe('What is done where it cannot be said whether a route holds.');

/** A route as it is written, with defaults filled in. */
export type RouteText = z.output<typeof route>;
export type BareRouteText = z.output<typeof bareRoute>;
