import { z } from 'zod';
import { CLASSES } from '../domain/finding.js';
import type { Classify, Conclude, Conclusion, SlabResult } from './engine-protocol.js';
import type { ModelManifest } from './model-manifest.js';

/** Something came over the channel that is no answer to what was asked. */
export class EngineAnswerError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'EngineAnswerError';
  }
}

const failure = z.object({
  code: z.string().regex(/^[a-z0-9-]{1,64}$/),
  failureClass: z.enum(['transient', 'ambiguous', 'permanent']),
  message: z.string().max(2000),
});
const id = z.int();

/** The outside of every reply; what it holds is checked against the request. */
const replySchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ready') }),
  z.object({ type: z.literal('refused'), message: z.string() }),
  z.object({ type: z.literal('begun'), id }),
  z.object({ type: z.literal('classified'), id, results: z.unknown() }),
  z.object({ type: z.literal('concluded'), id, conclusion: z.unknown() }),
  z.object({ type: z.literal('failed'), id, failure }),
  z.object({ type: z.literal('broken'), id, failure }),
]);
export type UncheckedReply = z.infer<typeof replySchema>;

/** @throws EngineAnswerError */
export function replyFrom(message: unknown): UncheckedReply {
  return parsed(replySchema, message);
}

/** The results for the slabs of a request, one for each, every number of them finite. @throws EngineAnswerError */
export function slabResultsFrom(
  results: unknown,
  { slabs }: Pick<Classify, 'slabs'>,
  { features }: Pick<ModelManifest, 'features'>,
): SlabResult[] {
  const box = z.object({ x: z.number(), y: z.number(), side: z.number().positive() });
  const statistics = z.object({
    skullRing: z.number(),
    insideHu: z.number().or(z.nan()),
    ringRadiusMm: z.number().or(z.nan()),
  });
  const result = z.object({
    features: finite32(features),
    logits: finite32(CLASSES.length),
    box,
    statistics,
  });
  return parsed(z.array(result).length(slabs.length), results);
}

/** The answer for a series: of the request's slabs, with the manifest's map, from 0 to 1. @throws EngineAnswerError */
export function conclusionFrom(
  conclusion: unknown,
  { slabs }: Pick<Conclude, 'slabs'>,
  { activation }: Pick<ModelManifest, 'activation'>,
): Conclusion {
  const share = z.number().min(0).max(1);
  const { width, height } = activation;
  const heatMap = z.object({
    width: z.literal(width),
    height: z.literal(height),
    values: z.array(share).length(width * height),
    box: z.object({ x: z.number(), y: z.number(), side: z.number().positive() }),
  });
  const presence = z.enum(['present', 'absent', 'undetermined']);
  const schema = z.object({
    classes: z
      .array(z.object({ name: z.enum(CLASSES), logit: z.number(), probability: share, presence }))
      .refine((all) => all.map(({ name }) => name).join() === CLASSES.join(), 'not the classes'),
    probabilities: z.array(z.array(share).length(CLASSES.length)).length(slabs.length),
    keySlices: z.array(
      z.object({
        index: z
          .int()
          .min(0)
          .max(slabs.length - 1),
        className: z.enum(CLASSES),
        heatMap,
      }),
    ),
  });
  return parsed(schema, conclusion);
}

function finite32(length: number) {
  return z
    .instanceof(Float32Array)
    .refine((data) => data.length === length && data.every(Number.isFinite), 'not finite');
}

function parsed<T extends z.ZodType>(schema: T, value: unknown): z.infer<T> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const message = `${issue?.path.join('.')}: ${issue?.message}`;
  throw new EngineAnswerError(`No answer to what was asked (${message})`);
}
