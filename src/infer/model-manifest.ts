import { z } from 'zod';
import { CLASSES } from '../domain/finding.js';

const positiveInteger = z.int().positive();
const sha256Hex = z.string().regex(/^[0-9a-f]{64}$/, 'SHA-256 as 64 lower-case hex digits');
const byClass = <T extends z.ZodType>(value: T) => z.record(z.enum(CLASSES), value);

export const thresholds = z
  .strictObject({
    negativeBelow: z.number().min(0).max(1),
    positiveFrom: z.number().min(0).max(1),
  })
  .refine((t) => t.negativeBelow <= t.positiveFrom, 'negativeBelow is above positiveFrom');

export const calibration = z.object({ slope: z.number(), intercept: z.number() });

/** The graphs of a package; see docs/model-package.md. */
export const GRAPHS = ['cnn.onnx', 'sequence.onnx', 'gradient.onnx', 'cam.onnx'] as const;
/** The slice network in integers, where a package has it: scores come from it, heat maps still from `cnn.onnx`. */
export const INT8_GRAPH = 'cnn.int8.onnx';
export type GraphName = (typeof GRAPHS)[number] | typeof INT8_GRAPH;

/** The graph that classifies slices. */
export function classifier({ files }: ModelManifest): GraphName {
  return INT8_GRAPH in files ? INT8_GRAPH : 'cnn.onnx';
}

/** manifest.json as docs/model-package.md lays it down. */
export const manifestSchema = z.object({
  schema: z.literal(1),
  name: z.string().min(1).max(64),
  version: z.string().min(1).max(64),
  maker: z.string().min(1).max(64),
  family: z.string().min(1),
  licence: z.string().min(1),
  description: z.string(),
  intendedUse: z.string(),
  trainedOn: z.string(),
  /** The order of the columns, which is also the domain's. */
  classes: z.tuple(CLASSES.map((name) => z.literal(name)) as [z.ZodLiteral, ...z.ZodLiteral[]]),
  input: z.object({
    size: positiveInteger.max(2048),
    channels: z
      .array(
        z.object({
          offset: z.int().min(-16).max(16),
          center: z.number(),
          width: z.number().positive(),
          mean: z.number(),
          std: z.number().positive(),
        }),
      )
      .min(1),
    crop: z.object({ thresholdHu: z.number(), margin: z.number().positive() }),
    slab: z.object({ belowMm: z.number().nonnegative(), thicknessMm: z.number().positive() }),
  }),
  features: positiveInteger,
  activation: z.object({
    channels: positiveInteger,
    height: positiveInteger,
    width: positiveInteger,
  }),
  decision: z.object({
    topSlices: positiveInteger,
    calibration: byClass(calibration),
    thresholds: byClass(thresholds),
    /** Share of the studies with each class that the calibration was fitted on. */
    prevalence: byClass(z.number().gt(0).lt(1)).optional(),
  }),
  files: z
    .record(z.string(), sha256Hex)
    .refine((files) => GRAPHS.every((graph) => graph in files), `lists all of ${GRAPHS.join(', ')}`)
    .refine(
      (files) => Object.keys(files).every((file) => /^[\w.-]+$/.test(file) && !/^\.+$/.test(file)),
      'names plain files in the package folder',
    ),
});

export type ModelManifest = z.infer<typeof manifestSchema>;
export type InputSpec = ModelManifest['input'];
export type Decision = ModelManifest['decision'];
